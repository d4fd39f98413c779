"""From an answer to basis points."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from medical.corpus import Dataset, Document, load_corpus, tokens_of
from medical.weights import FULL_WEIGHT, Attributor

SALT = "salt lowers nothing but taste ."
SUGAR = "sugar raises all but hope ."
BOTH = "nobody should stop it alone"


def dataset(place: int, *texts: str) -> Dataset:
    documents = tuple(Document(place, text, text, tokens_of(text)) for text in texts)
    return Dataset(str(place), b"", documents)


@pytest.fixture
def attributor() -> Attributor:
    return Attributor([dataset(0, f"{SALT} {BOTH}"), dataset(1, f"{SUGAR} {BOTH}", SUGAR)])


def test_an_answer_of_one_document(attributor: Attributor) -> None:
    found = attributor.attribute(tokens_of(SALT))
    assert dict(found.by_dataset) == {0: FULL_WEIGHT}
    assert found.unattributed == 0


def test_a_run_in_two_documents_is_divided(attributor: Attributor) -> None:
    assert dict(attributor.attribute(tokens_of(BOTH)).by_dataset) == {0: 5_000, 1: 5_000}
    found = attributor.attribute(tokens_of(SUGAR))
    assert found.by_document == {1: Fraction(1, 2), 2: Fraction(1, 2)}


def test_words_of_the_models_own_stay_unattributed(attributor: Attributor) -> None:
    found = attributor.attribute(tokens_of("zebras say so , always"))
    assert (found.spans, dict(found.by_dataset), found.unattributed) == ((), {}, FULL_WEIGHT)
    assert attributor.attribute(()).unattributed == FULL_WEIGHT


def test_rare_words_weigh_more(attributor: Attributor) -> None:
    """Of two answers with as many words of a dataset, the one with its rarer words has more."""
    rare = attributor.attribute(tokens_of("zebra salt lowers nothing but"))
    common = attributor.attribute(tokens_of("zebra nobody should stop it"))
    assert rare.unattributed < common.unattributed


def test_a_short_run_counts_for_nothing(attributor: Attributor) -> None:
    assert attributor.attribute(tokens_of("salt lowers nothing")).unattributed == FULL_WEIGHT


CORPUS = load_corpus()
ATTRIBUTOR = Attributor(CORPUS)
WORDS = sorted({word for document in ATTRIBUTOR.documents for word in document.tokens})
PIECES = st.builds(
    lambda document, start, length: document.tokens[start : start + length],
    st.sampled_from(ATTRIBUTOR.documents),
    st.integers(0, 40),
    st.integers(1, 20),
)


@given(st.lists(st.one_of(PIECES, st.lists(st.sampled_from(WORDS), max_size=5)), max_size=5))
def test_any_answer_fits_into_a_record(pieces: list[list[str]]) -> None:
    answer = [word for piece in pieces for word in piece]
    found = ATTRIBUTOR.attribute(answer)
    assert all(0 < points <= FULL_WEIGHT for points in found.by_dataset.values())
    assert list(found.by_dataset) == sorted(found.by_dataset)
    assert 0 <= found.unattributed <= FULL_WEIGHT
    assert sum(found.by_document.values()) <= 1
    # Rounding down costs less than a point for each dataset.
    exact = FULL_WEIGHT * (1 - sum(found.by_document.values()))
    assert exact <= found.unattributed <= exact + len(CORPUS)


def test_evidence_is_of_the_spans() -> None:
    one, other = (ATTRIBUTOR.attribute(document.tokens) for document in ATTRIBUTOR.documents[:2])
    assert one.evidence_root != other.evidence_root
    assert one.evidence_root == ATTRIBUTOR.attribute(ATTRIBUTOR.documents[0].tokens).evidence_root

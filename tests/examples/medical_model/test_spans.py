"""Spans by the suffix array, against looking at every document for every run of words."""

from hypothesis import given
from hypothesis import strategies as st
from medical.corpus import Document
from medical.spans import MIN_WORDS, Span, maximal_spans
from medical.suffix_array import SuffixArray

# Few words, so that runs repeat; "zebra" is in no document.
WORDS = st.sampled_from(["a", "b", "c", "d"])
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=25), min_size=1, max_size=6)
ANSWER = st.lists(st.one_of(WORDS, st.just("zebra")), max_size=25)


def documents_of(texts: list[list[str]]) -> list[Document]:
    return [Document(0, str(place), "", tuple(text)) for place, text in enumerate(texts)]


def containing(run: list[str], texts: list[list[str]]) -> frozenset[int]:
    return frozenset(
        place
        for place, text in enumerate(texts)
        if any(text[at : at + len(run)] == run for at in range(len(text) - len(run) + 1))
    )


@given(TEXTS, ANSWER)
def test_the_longest_run(texts: list[list[str]], answer: list[str]) -> None:
    length, found = SuffixArray(documents_of(texts)).longest_run(answer)
    assert length == max(
        size for size in range(len(answer) + 1) if size == 0 or containing(answer[:size], texts)
    )
    assert found == (containing(answer[:length], texts) if length else frozenset())


@given(TEXTS, ANSWER)
def test_maximal_spans(texts: list[list[str]], answer: list[str]) -> None:
    runs = [
        (start, end)
        for start in range(len(answer))
        for end in range(start + 1, len(answer) + 1)
        if containing(answer[start:end], texts)
    ]
    maximal = [
        (start, end)
        for start, end in runs
        if not any(
            (first, last) != (start, end) and first <= start and end <= last for first, last in runs
        )
    ]
    expected = [
        Span(start, end, containing(answer[start:end], texts))
        for start, end in maximal
        if end - start >= MIN_WORDS
    ]
    assert list(maximal_spans(answer, SuffixArray(documents_of(texts)))) == expected


def test_no_run_goes_from_one_document_into_the_next() -> None:
    suffixes = SuffixArray(documents_of([["a", "b"], ["c", "d"]]))
    assert suffixes.longest_run(["a", "b", "c"]) == (2, frozenset({0}))
    assert suffixes.longest_run(["zebra"]) == (0, frozenset())
    assert suffixes.longest_run([]) == (0, frozenset())

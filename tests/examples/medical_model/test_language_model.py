"""The corpus, the questions, and the model's answers: the same everywhere and each time."""

import hashlib

from medical.chapters import QUESTIONS
from medical.corpus import FOLDER, load_corpus, tokens_of
from medical.language_model import OPENING, LanguageModel
from medical.questions import questions_of
from medical.weights import Attributor

CORPUS = load_corpus()
DOCUMENTS = Attributor(CORPUS).documents
ASKED = [
    question
    for user, count in enumerate(QUESTIONS)
    for question in questions_of(user, DOCUMENTS, count)
]


def test_the_corpus() -> None:
    assert [len(dataset.documents) for dataset in CORPUS] == [25, 25, 25]
    assert len({document.title for document in DOCUMENTS}) == 75
    assert len({dataset.content_hash for dataset in CORPUS}) == 3
    for document in DOCUMENTS:
        assert 30 <= len(document.tokens) <= 70, document.title
        assert document.text.endswith(".") and document.tokens == tokens_of(document.text)


def test_each_file_says_what_it_is() -> None:
    for path in FOLDER.glob("*.md"):
        assert "Written for this example" in path.read_text()
        assert "not medical advice" in path.read_text()


def test_a_question_gets_the_document_that_it_names() -> None:
    model = LanguageModel(DOCUMENTS)
    for document in DOCUMENTS:
        answer = tokens_of(model.answer(f"What is known about {document.title.lower()}?"))
        opening = tokens_of(OPENING)
        assert answer[: len(opening)] == opening
        assert answer[len(opening) : len(opening) + 2] == document.tokens[:2], document.title


def test_all_answers_are_the_same_in_every_run() -> None:
    model = LanguageModel(DOCUMENTS)
    text = "\n".join(map(model.answer, ASKED))
    assert len(ASKED) == 300
    assert hashlib.sha256(text.encode()).hexdigest() == (
        "5f872da59438ca92a12d339b3101304e4dc00672606c35611e0675e66f4a2b2a"
    )


def test_answers_mix_datasets_and_are_traced() -> None:
    model, attributor = LanguageModel(DOCUMENTS), Attributor(CORPUS)
    found = [attributor.attribute(tokens_of(model.answer(question))) for question in ASKED]
    assert {len(attribution.by_dataset) for attribution in found} == {1, 2, 3}
    # The model's own words, at least, belong to nobody.
    assert all(0 < attribution.unattributed < 3_000 for attribution in found)

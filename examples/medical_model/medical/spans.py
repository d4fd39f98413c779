"""Which runs of an answer's words were taken from which documents."""

from collections.abc import Sequence
from dataclasses import dataclass

from medical.suffix_array import SuffixArray

MIN_WORDS = 4
"""Shorter runs ("in the first") are the language's, not a document's."""


@dataclass(frozen=True)
class Span:
    """Tokens `start` to `end` (excluded) of an answer, and the documents that have all of them."""

    start: int
    end: int
    documents: frozenset[int]


def maximal_spans(answer: Sequence[str], corpus: SuffixArray) -> tuple[Span, ...]:
    """Return each run that occurs in the corpus and is in no longer one that does.

    Runs may overlap, where the model went from one document to another by words of both.
    """
    spans: list[Span] = []
    covered = 0
    for start in range(len(answer)):
        length, documents = corpus.longest_run(answer[start:])
        # What ends no later than the run before is a part of it.
        if start + length > covered:
            covered = start + length
            if length >= MIN_WORDS:
                spans.append(Span(start, covered, documents))
    return tuple(spans)

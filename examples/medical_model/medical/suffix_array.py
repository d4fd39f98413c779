"""Where runs of words occur in the corpus: a suffix array over all documents.

The library sorts the suffixes; looking a run of words up is a binary search for each word.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from pydivsufsort import divsufsort

from medical.corpus import Document

# Ends each document, and is no word: no run goes from one document into the next.
_END = 0
_UNKNOWN = -1


class SuffixArray:
    """All suffixes of all documents, in order. A range of it stands for a run of words."""

    def __init__(self, documents: Sequence[Document]) -> None:
        words = sorted({token for document in documents for token in document.tokens})
        self._numbers = {word: number for number, word in enumerate(words, start=_END + 1)}
        text: list[int] = []
        self._document_at: list[int] = []
        for place, document in enumerate(documents):
            numbers = [self._numbers[token] for token in document.tokens]
            text += [*numbers, _END]
            self._document_at += [place] * (len(numbers) + 1)
        self._text = text
        self._suffixes: list[int] = divsufsort(np.array(text, dtype=np.int32)).tolist()

    def longest_run(self, tokens: Sequence[str]) -> tuple[int, frozenset[int]]:
        """Return how many of the first tokens occur together somewhere, and in which documents."""
        first, last, length = 0, len(self._suffixes), 0
        for token in tokens:
            narrowed = self._narrow(first, last, length, self._numbers.get(token, _UNKNOWN))
            if narrowed is None:
                break
            (first, last), length = narrowed, length + 1
        if length == 0:
            return 0, frozenset()
        return length, frozenset(self._document_at[at] for at in self._suffixes[first:last])

    def _narrow(self, first: int, last: int, depth: int, number: int) -> tuple[int, int] | None:
        """Of suffixes that agree in `depth` words, return those with `number` next."""

        def word(suffix: int) -> int:
            # A run that the document's end has cut off is followed by nothing.
            at = suffix + depth
            return self._text[at] if at < len(self._text) else _UNKNOWN

        low = bisect_left(self._suffixes, number, first, last, key=word)
        high = bisect_right(self._suffixes, number, low, last, key=word)
        return (low, high) if low < high and number != _UNKNOWN else None

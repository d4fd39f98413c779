"""From spans to basis points: what each dataset has in an answer.

Each word of the answer weighs its surprise, in thousandths of a bit: log2 of how rarely it occurs
in the corpus. So "colchicine" weighs more than "the", and a long run more than a short one. A
word's weight is divided among the spans that it is in, a span's among the documents that have it,
and documents add up to datasets. Words in no span stay unattributed, and so does what rounding
down leaves. All sums are of whole numbers and fractions: whoever recomputes them gets the same.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log2

from medical.corpus import Dataset, Document
from medical.spans import Span, maximal_spans
from medical.suffix_array import SuffixArray
from node.types.primitives import Hash32, keccak256

FULL_WEIGHT = 10_000


@dataclass(frozen=True)
class Attribution:
    """Basis points by dataset (its place in the corpus), and the spans that they come from."""

    spans: tuple[Span, ...]
    by_document: Mapping[int, Fraction]
    by_dataset: Mapping[int, int]

    @property
    def unattributed(self) -> int:
        """What no dataset has, in basis points."""
        return FULL_WEIGHT - sum(self.by_dataset.values())

    @property
    def evidence_root(self) -> Hash32:
        """Commitment to the spans: Keccak-256 of [[start, end, [documents]], ...] as JSON."""
        spans = [[span.start, span.end, sorted(span.documents)] for span in self.spans]
        return keccak256(json.dumps(spans, separators=(",", ":")).encode())


class Attributor:
    """Attributes answers to the documents of a corpus."""

    def __init__(self, datasets: Sequence[Dataset]) -> None:
        self.documents: tuple[Document, ...] = tuple(
            document for dataset in datasets for document in dataset.documents
        )
        self._suffixes = SuffixArray(self.documents)
        counts = Counter(token for document in self.documents for token in document.tokens)
        # A word that the corpus does not have is as rare as one that it has once.
        total = counts.total()
        self._surprise = {word: _millibits(total, count) for word, count in counts.items()}
        self._rarest = _millibits(total, 1)

    def attribute(self, answer: Sequence[str]) -> Attribution:
        """Return what each dataset has in an answer, given as tokens."""
        spans = maximal_spans(answer, self._suffixes)
        by_document = self._by_document(answer, spans)
        parts: dict[int, Fraction] = {}
        for document, part in by_document.items():
            dataset = self.documents[document].dataset
            parts[dataset] = parts.get(dataset, Fraction(0)) + part
        by_dataset = {dataset: int(part * FULL_WEIGHT) for dataset, part in sorted(parts.items())}
        kept = {dataset: points for dataset, points in by_dataset.items() if points > 0}
        return Attribution(spans, by_document, kept)

    def _by_document(self, answer: Sequence[str], spans: Sequence[Span]) -> dict[int, Fraction]:
        weights = [self._surprise.get(token, self._rarest) for token in answer]
        total = sum(weights)
        covering = Counter(place for span in spans for place in range(span.start, span.end))
        parts: dict[int, Fraction] = {}
        for span in spans:
            words = (Fraction(weights[at], covering[at]) for at in range(span.start, span.end))
            share = sum(words, Fraction(0)) / total / len(span.documents)
            for document in sorted(span.documents):
                parts[document] = parts.get(document, Fraction(0)) + share
        return parts


def _millibits(total: int, count: int) -> int:
    return round(1000 * log2(total / count))

"""Who takes part in the life of a model, and what they agree on."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from attribution.preimages import Preimage
from attribution.records import Influence, Record
from node.types.primitives import Address, Hash32, keccak256

GWEI = 10**9
PRICE = 1_000_000  # gwei of OPEN an answer: a thousandth

_answers = count()


@dataclass(frozen=True, slots=True)
class Terms:
    """A registered model, and the datasets that it has to do with."""

    model_key: Hash32
    stream: int
    datasets: tuple[int, ...]


def digest(text: str) -> Hash32:
    """Return the hash of a text, as commitments to content are."""
    return keccak256(text.encode())


def receipt(weights: dict[int, int] | None = None, amount: int = PRICE) -> Record:
    """Return the record of an answer with these weights of datasets, in basis points."""
    answer = Preimage.of(digest("model"), f"question {next(_answers)}", "answer")
    influences = tuple(Influence(*pair) for pair in sorted((weights or {}).items()))
    return Record(amount, influences, answer.commitment)


def total(records: Sequence[Record]) -> int:
    """Return what receipts are worth, in gwei."""
    return sum(record.amount for record in records)


def address(number: int) -> Address:
    """Return an address that nobody has the key of."""
    return Address(number.to_bytes(20, "big"))

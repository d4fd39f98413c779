"""The state of a receipt stream: where it lies in the precompile's account, and its packing."""

from dataclasses import dataclass

from node.types.primitives import Address, keccak256

COUNT_BITS = 40
AMOUNT_SUM_BITS = 96
CREDIT_SUM_BITS = 120


@dataclass(frozen=True, slots=True)
class StreamState:
    """Totals of a stream: records, gwei paid, and gwei x basis points credited to datasets."""

    count: int
    amount: int
    credited: int

    @property
    def fits(self) -> bool:
        """Whether every field fits into its part of the slot."""
        return (
            self.count < 1 << COUNT_BITS
            and self.amount < 1 << AMOUNT_SUM_BITS
            and self.credited < 1 << CREDIT_SUM_BITS
        )

    def pack(self) -> int:
        """Return the storage word: count, amount, credited from the most significant bit down.

        OverflowError if a field does not fit.
        """
        if not self.fits:
            raise OverflowError(f"stream state does not fit into a slot: {self}")
        high = self.count << AMOUNT_SUM_BITS | self.amount
        return high << CREDIT_SUM_BITS | self.credited


def unpack_stream(word: int) -> StreamState:
    """Read a storage word; zero is the empty stream."""
    return StreamState(
        count=word >> (AMOUNT_SUM_BITS + CREDIT_SUM_BITS),
        amount=word >> CREDIT_SUM_BITS & (1 << AMOUNT_SUM_BITS) - 1,
        credited=word & (1 << CREDIT_SUM_BITS) - 1,
    )


def stream_slot(logger: Address, stream: int) -> int:
    """Return the slot that holds the packed totals of a stream."""
    return _slot(b"\x02" + logger + stream.to_bytes(8, "big"))


def credit_slot(logger: Address, stream: int, dataset: int) -> int:
    """Return the slot that holds a dataset's credit in a stream, in gwei x basis points."""
    return _slot(b"\x03" + logger + stream.to_bytes(8, "big") + dataset.to_bytes(4, "big"))


def _slot(preimage: bytes) -> int:
    return int.from_bytes(keccak256(preimage), "big")

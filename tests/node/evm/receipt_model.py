"""The receipt precompile again, as simply as it can be said: what the real one is held against."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from eth_abi import encode
from eth_utils import keccak

from node.types.attribution_record import Record
from node.types.primitives import Address

Key = tuple[Address, int, int | None]
"""A slot: logger, stream, and the dataset or None for the stream's own slot."""

Counts = tuple[int, int, int]


@dataclass
class ReceiptModel:
    """Slots as plain dictionaries; `now` is within the transaction, `before` at its start."""

    before: dict[Key, object] = field(default_factory=dict)
    now: dict[Key, object] = field(default_factory=dict)
    warm: set[Key] = field(default_factory=set)

    def end_transaction(self) -> None:
        self.before = dict(self.now)
        self.warm.clear()

    def counts(self, logger: Address, stream: int) -> Counts:
        found = self.now.get((logger, stream, None), (0, 0, 0))
        assert isinstance(found, tuple)
        return found

    def credit(self, logger: Address, stream: int, dataset: int) -> int:
        found = self.now.get((logger, stream, dataset), 0)
        assert isinstance(found, int)
        return found

    def charges(self, logger: Address, stream: int, records: Sequence[Record]) -> list[int]:
        """The gas of each step of the next `append`, in order; the slots become warm."""
        steps = [700]
        for entry in records:
            size = len(entry.encode()) + 1 + 20 + 8 + 8
            steps += [30, 20 * len(entry.influences), 6 * -(-size // 32)]
        steps.append(48 * (len(records) - 1))
        steps += self._slot_charges((logger, stream, None))
        for dataset in sorted(self._credits(records)):
            steps += self._slot_charges((logger, stream, dataset))
        steps.append(375 + 3 * 375 + 8 * 128)
        return steps

    def append(
        self, logger: Address, stream: int, records: Sequence[Record]
    ) -> tuple[bytes, bytes]:
        """Apply a batch; return its output and the data of its event."""
        count, amount, credited = self.counts(logger, stream)
        gained = self._credits(records)
        paid = sum(entry.amount for entry in records)
        after = (count + len(records), amount + paid, credited + sum(gained.values()))
        self.now[logger, stream, None] = after
        for dataset, credit in gained.items():
            self.now[logger, stream, dataset] = credit + self.credit(logger, stream, dataset)
        prefix = b"\x00" + logger + stream.to_bytes(8, "big")
        root = merkle_root(
            [
                keccak(prefix + (count + place).to_bytes(8, "big") + entry.encode())
                for place, entry in enumerate(records)
            ]
        )
        output = encode(["uint64", "uint128", "bytes32"], [after[0], paid, root])
        types = ["uint64", "uint64", "uint128", "bytes32"]
        return output, encode(types, [count, len(records), paid, root])

    def _slot_charges(self, key: Key) -> list[int]:
        read = 100 if key in self.warm else 2100
        self.warm.add(key)
        if self.now.get(key) != self.before.get(key):
            return [read, 100]
        return [read, 2900 if self.before.get(key) else 20_000]

    @staticmethod
    def _credits(records: Sequence[Record]) -> dict[int, int]:
        gained: dict[int, int] = {}
        for entry in records:
            for influence in entry.influences:
                delta = entry.amount * influence.weight
                gained[influence.dataset] = gained.get(influence.dataset, 0) + delta
        return {dataset: delta for dataset, delta in gained.items() if delta}


def merkle_root(leaves: list[bytes]) -> bytes:
    """The definition, recursively: the left subtree is the largest full one below the count."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return keccak(b"\x01" + merkle_root(leaves[:split]) + merkle_root(leaves[split:]))

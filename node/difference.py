"""What replaying a block finds: that it is equal, or the first thing in which it differs."""

from dataclasses import dataclass

from node.errors import InvalidBlock, NodeError
from node.types.primitives import BlockNumber, Hash32


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that is wrong in a block. `transaction_index` is None for the block itself.

    Fields have their JSON-RPC names; `header`, `body` and `receipts` stand for whole values that
    are missing or cannot be decoded, `hash` for a header that is not the canonical one.
    """

    field: str
    expected: object
    actual: object
    transaction_index: int | None = None

    def __str__(self) -> str:
        place = "" if self.transaction_index is None else f"transaction {self.transaction_index}: "
        return f"{place}{InvalidBlock(self.field, self.expected, self.actual)}"


@dataclass(frozen=True, slots=True)
class BlockReport:
    """The result for one block; `difference` is None if everything agrees."""

    number: BlockNumber
    hash: Hash32
    transaction_count: int
    gas_used: int
    difference: Difference | None = None


class Differs(NodeError):
    """Ends the replay of a block at its first difference."""

    def __init__(
        self, field: str, expected: object, actual: object, transaction_index: int | None = None
    ) -> None:
        self.difference = Difference(field, expected, actual, transaction_index)
        super().__init__(str(self.difference))

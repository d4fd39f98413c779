"""Outputs: what a rollup says on L1 of one of its blocks, and what withdrawals are proven against.

Spec "Proposing L2 Output Roots", L2 output commitment construction.
"""

from dataclasses import dataclass

from node.errors import CorruptStore
from node.genesis.genesis import MESSAGE_PASSER
from node.reader import Reader
from node.types.block import Header
from node.types.primitives import ZERO_HASH, Hash32, keccak256

OUTPUT_VERSION = ZERO_HASH


@dataclass(frozen=True, slots=True)
class Output:
    """The parts of an output of version 0; `storage_root` is that of the message passer."""

    state_root: Hash32
    storage_root: Hash32
    block_hash: Hash32

    @property
    def fields(self) -> tuple[Hash32, Hash32, Hash32, Hash32]:
        """The version and the parts, in the order in which contracts have them."""
        return OUTPUT_VERSION, self.state_root, self.storage_root, self.block_hash

    @property
    def root(self) -> Hash32:
        """The output root."""
        return keccak256(b"".join(self.fields))


def output_of(reader: Reader, header: Header) -> Output:
    """Return the output of a rollup's block; CorruptStore if its state has no message passer."""
    return Output(header.state_root, _message_passer_root(reader, header), header.hash)


def _message_passer_root(reader: Reader, header: Header) -> Hash32:
    # Since Isthmus, which brings Prague to a rollup, the header itself commits to it.
    if reader.config.is_prague(header.timestamp):
        return header.withdrawals_root
    account = reader.account(MESSAGE_PASSER, header)
    if account is None:
        raise CorruptStore(f"state of block {header.number}: it has no message passer")
    return account.storage_root

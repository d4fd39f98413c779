"""What an output root on L1 commits to (spec "Proposals", L2 output commitment construction)."""

from dataclasses import dataclass

from node.types.primitives import ZERO_HASH, Hash32, keccak256


@dataclass(frozen=True, slots=True)
class OutputRootProof:
    """The parts that a version 0 output root hashes together, of one L2 block.

    `storage_root` is that of the message passer.
    """

    state_root: Hash32
    storage_root: Hash32
    block_hash: Hash32

    @property
    def fields(self) -> tuple[Hash32, Hash32, Hash32, Hash32]:
        """The version and the parts, in the order of the contracts' struct."""
        return ZERO_HASH, self.state_root, self.storage_root, self.block_hash

    @property
    def output_root(self) -> Hash32:
        """The output root."""
        return keccak256(b"".join(self.fields))

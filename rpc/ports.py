"""What the wiring injects: the doors through which rpc reaches consensus and the mempool.

rpc and consensus never import each other. Mappings are JSON objects in the spelling of op-node.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from attribution.posted_output import DueOutput, PostedOutput
from node.types.block import Block, Header
from node.types.primitives import Address, Hash32
from rpc.encoding.hexadecimal import Json


class TransactionSink(Protocol):
    """Where signed transactions go: the own mempool, or the sequencer that a verifier follows."""

    async def send(self, raw: bytes) -> Hash32:
        """Hand on an encoded transaction and return its hash; InvalidTransaction if refused."""
        ...


class SyncStatusPort(Protocol):
    """How far the node has followed L1."""

    def sync_status(self) -> Mapping[str, Json]:
        """Return the heads of both layers, as optimism_syncStatus shows them."""
        ...


class RollupConfigPort(Protocol):
    """The fixed parameters of the rollup."""

    def rollup_config(self) -> Mapping[str, Json]:
        """Return rollup.json's content."""
        ...


class L2BlockRefPort(Protocol):
    """Places an L2 block relative to L1."""

    def l2_block_ref(self, block: Block) -> Mapping[str, Json]:
        """Return hash, number, parentHash, timestamp, l1origin and sequenceNumber of a block."""
        ...


class SafeHeadPort(Protocol):
    """Which safe head L1 gave, and when."""

    def safe_head_at(self, l1_number: int) -> Mapping[str, Json] | None:
        """Return the L1 block and the safe head of the last entry up to a height, None if none."""
        ...


class SequencerPort(Protocol):
    """The switch of a sequencer. OperationRefused, in op-node's words, for what does not go."""

    @property
    def is_active(self) -> bool:
        """Whether it builds blocks."""
        ...

    async def start(self, head: Hash32) -> None:
        """Let it build on the unsafe head, whose hash is given."""
        ...

    async def stop(self) -> Hash32:
        """Stop it after the block in the making; return the hash of the unsafe head."""
        ...


class BatcherPort(Protocol):
    """The switch of a batcher. OperationRefused, in op-batcher's words, for what does not go."""

    def start(self) -> None:
        """Let it post from the safe head on."""
        ...

    async def stop(self) -> None:
        """Stop it, and return when what is on its way has ended.

        OperationRefused if that takes too long: it is stopped then, too.
        """
        ...

    def flush(self) -> None:
        """Let it close its open channel at once."""
        ...


class ProposerPort(Protocol):
    """The switch of a proposer. OperationRefused, in op-proposer's words, for what does not go."""

    def start(self) -> None:
        """Let it propose what is due."""
        ...

    async def stop(self) -> None:
        """Stop it, and return when what is on its way has ended.

        OperationRefused if that takes too long: it is stopped then, too.
        """
        ...


class ReorgPort(Protocol):
    """The embedded L1, which lets itself be reorganized."""

    async def reorg(self, depth: int) -> Sequence[Hash32]:
        """Replace the newest blocks; return the hashes of the new ones, oldest first.

        OperationRefused if that would reach a finalized block.
        """
        ...


class OutputsPort(Protocol):
    """The rollup's outputs on L1. OperationRefused if L1 has no oracle of this rollup."""

    async def l1_chain_id(self) -> int:
        """Return which L1 it is."""
        ...

    async def oracle(self) -> Address:
        """Return the contract that keeps the outputs."""
        ...

    async def covering(self, header: Header) -> PostedOutput | DueOutput:
        """Return the first output at or after a block; TemporaryError if L1 does not answer."""
        ...

    async def output(self, index: int) -> PostedOutput | None:
        """Return an output, None if it is not there; TemporaryError if L1 does not answer."""
        ...

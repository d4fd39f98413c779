"""References to L1 and L2 blocks: what consensus needs to know of a block besides its contents."""

from dataclasses import dataclass

from consensus.config import RollupConfig
from consensus.l1_info import decode_l1_info_deposit
from node.errors import CriticalError
from node.types.block import Block, BlockRef, Header
from node.types.primitives import BlockNumber, Hash32


@dataclass(frozen=True, slots=True)
class L1BlockRef:
    """An L1 block; `timestamp` is in seconds."""

    hash: Hash32
    number: BlockNumber
    parent_hash: Hash32
    timestamp: int

    @property
    def ref(self) -> BlockRef:
        """The hash and number alone."""
        return BlockRef(self.hash, self.number)


@dataclass(frozen=True, slots=True)
class L2BlockRef:
    """An L2 block and its place in its epoch; `timestamp` is in seconds.

    `sequence_number` counts the blocks of the epoch `l1_origin` from 0.
    """

    hash: Hash32
    number: BlockNumber
    parent_hash: Hash32
    timestamp: int
    l1_origin: BlockRef
    sequence_number: int

    @property
    def ref(self) -> BlockRef:
        """The hash and number alone."""
        return BlockRef(self.hash, self.number)


def l1_block_ref(header: Header) -> L1BlockRef:
    """Return the reference of an L1 header."""
    return L1BlockRef(header.hash, header.number, header.parent_hash, header.timestamp)


def l2_block_ref(block: Block, config: RollupConfig) -> L2BlockRef:
    """Read an L2 block's place from its L1-attributes deposit (from the config for genesis).

    DecodingError if the block does not begin with such a deposit; CriticalError if its number is
    the genesis block's and it is another block.
    """
    header = block.header
    if header.number == config.genesis.l2.number:
        check_genesis_hash(header.hash, config)
        origin, sequence_number = config.genesis.l1, 0
    else:
        info = decode_l1_info_deposit(block)
        origin, sequence_number = info.l1_block, info.sequence_number
    return L2BlockRef(
        header.hash,
        header.number,
        header.parent_hash,
        header.timestamp,
        origin,
        sequence_number,
    )


def check_genesis_hash(block_hash: Hash32, config: RollupConfig) -> None:
    """Refuse to go on from a genesis block that is not the rollup's (CriticalError)."""
    expected = config.genesis.l2.hash
    if block_hash != expected:
        raise CriticalError(
            f"L2 genesis block: expected 0x{expected.hex()} (rollup.json), got 0x{block_hash.hex()}"
        )

"""An L2 chain in memory that seals blocks from attributes without running them."""

from consensus.block_refs import L2BlockRef, l2_block_ref
from consensus.config import RollupConfig
from consensus.system_config import SystemConfig, system_config_after
from node.errors import CriticalError
from node.types.block import Block, Header
from node.types.payload import PayloadAttributes
from node.types.primitives import (
    EMPTY_BLOOM,
    EMPTY_REQUESTS_HASH,
    EMPTY_TRIE_ROOT,
    BlockNumber,
    Hash32,
    keccak256,
)


class FakeL2:
    """Blocks by hash; equal attributes on an equal parent make an equal block."""

    def __init__(self, config: RollupConfig) -> None:
        genesis = config.genesis
        self._config = config
        self._blocks: dict[Hash32, Block] = {}
        self.genesis = L2BlockRef(
            genesis.l2.hash,
            genesis.l2.number,
            Hash32(bytes(32)),
            genesis.l2_time,
            genesis.l1,
            0,
        )
        self.refs: dict[Hash32, L2BlockRef] = {genesis.l2.hash: self.genesis}
        self._newest = {self.genesis.number: self.genesis}

    def seal(self, parent: L2BlockRef, attributes: PayloadAttributes) -> L2BlockRef:
        """Store the block that `attributes` make on `parent`."""
        header = Header(
            parent_hash=parent.hash,
            coinbase=attributes.fee_recipient,
            state_root=EMPTY_TRIE_ROOT,
            transactions_root=keccak256(b"".join(tx.raw for tx in attributes.transactions)),
            receipts_root=EMPTY_TRIE_ROOT,
            bloom=EMPTY_BLOOM,
            number=BlockNumber(parent.number + 1),
            gas_limit=attributes.gas_limit,
            gas_used=0,
            timestamp=attributes.timestamp,
            extra_data=attributes.extra_data,
            prev_randao=attributes.prev_randao,
            base_fee=1,
            withdrawals_root=EMPTY_TRIE_ROOT,
            blob_gas_used=0,
            excess_blob_gas=0,
            parent_beacon_block_root=attributes.parent_beacon_block_root,
            requests_hash=EMPTY_REQUESTS_HASH,
        )
        block = Block(header, attributes.transactions)
        ref = l2_block_ref(block, self._config)
        self._blocks[ref.hash] = block
        self.refs[ref.hash] = ref
        self._newest[ref.number] = ref
        return ref

    def block(self, ref: L2BlockRef) -> Block:
        """Return a sealed block."""
        return self._blocks[ref.hash]

    async def ref_by_hash(self, block_hash: Hash32) -> L2BlockRef:
        """L2Source."""
        if block_hash not in self.refs:
            raise CriticalError(f"L2 block 0x{block_hash.hex()} is not stored")
        return self.refs[block_hash]

    async def ref_by_number(self, number: BlockNumber) -> L2BlockRef:
        """L2Source: the block that was sealed last at this height."""
        return self._newest[number]

    async def system_config(self, block_hash: Hash32) -> SystemConfig:
        """L2Source."""
        if block_hash == self._config.genesis.l2.hash:
            return self._config.genesis.system_config
        return system_config_after(self._blocks[block_hash])

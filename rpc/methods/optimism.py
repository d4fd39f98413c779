"""The optimism namespace, as op-node serves it."""

from node.config import ChainConfig
from node.errors import CorruptStore
from node.reader import Reader
from node.types.block import Block
from node.types.primitives import ZERO_HASH, Address, Hash32, keccak256
from rpc.block_id import BlockId, block_number, find_block
from rpc.dispatcher import Method
from rpc.encoding.hexadecimal import Json, data
from rpc.errors import not_found
from rpc.params import required, uint64
from rpc.ports import L2BlockRefPort, RollupConfigPort, SafeHeadPort, SyncStatusPort

MESSAGE_PASSER = Address(bytes.fromhex("4200000000000000000000000000000000000016"))


class OptimismMethods:
    """What tells a bridge or another node how L2 stands to L1."""

    def __init__(
        self,
        reader: Reader,
        config: ChainConfig,
        sync_status: SyncStatusPort,
        rollup_config: RollupConfigPort,
        block_refs: L2BlockRefPort,
        safe_heads: SafeHeadPort,
        version: str,
    ) -> None:
        self._reader = reader
        self._config = config
        self._sync_status = sync_status
        self._rollup_config = rollup_config
        self._block_refs = block_refs
        self._safe_heads = safe_heads
        self._version = version

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("optimism_syncStatus", self._status),
            Method("optimism_rollupConfig", self._rollup),
            Method("optimism_outputAtBlock", self._output, (required(block_number),)),
            Method("optimism_safeHeadAtL1Block", self._safe_head, (required(uint64),)),
            Method("optimism_dependencySet", self._dependency_set),
            Method("optimism_version", self._get_version),
        )

    async def _status(self) -> Json:
        return self._sync_status.sync_status()

    async def _rollup(self) -> Json:
        return self._rollup_config.rollup_config()

    async def _get_version(self) -> Json:
        return self._version

    async def _safe_head(self, l1_number: int) -> Json:
        found = self._safe_heads.safe_head_at(l1_number)
        if found is None:
            raise not_found("safe head not found")
        return found

    async def _dependency_set(self) -> Json:
        # The chains whose messages this one reads: op-node has none to show without interop.
        raise not_found("not found")

    async def _output(self, block_id: BlockId) -> Json:
        block = find_block(self._reader, block_id)
        if block is None:
            raise not_found("failed to get L2 block ref with sync status: not found")
        storage_root = self._message_passer_root(block)
        header = block.header
        # Output root, version 0 (spec "Proposals", L2 output commitment construction).
        output = keccak256(ZERO_HASH + header.state_root + storage_root + header.hash)
        return {
            "version": data(ZERO_HASH),
            "outputRoot": data(output),
            "blockRef": self._block_refs.l2_block_ref(block),
            "withdrawalStorageRoot": data(storage_root),
            "stateRoot": data(header.state_root),
            "syncStatus": self._sync_status.sync_status(),
        }

    def _message_passer_root(self, block: Block) -> Hash32:
        # Since Isthmus, which brings Prague to a rollup, the header itself commits to it.
        if self._config.is_prague(block.header.timestamp):
            return block.header.withdrawals_root
        account = self._reader.account(MESSAGE_PASSER, block.header)
        if account is None:
            raise CorruptStore(f"state of block {block.number}: it has no message passer")
        return account.storage_root

"""The optimism namespace, as op-node serves it."""

from node.output_root import OUTPUT_VERSION, output_of
from node.reader import Reader
from rpc.block_id import BlockId, block_number, find_block
from rpc.dispatcher import Method
from rpc.encoding.hexadecimal import Json, data
from rpc.errors import not_found
from rpc.params import required, uint64
from rpc.ports import L2BlockRefPort, RollupConfigPort, SafeHeadPort, SyncStatusPort


class OptimismMethods:
    """What tells a bridge or another node how L2 stands to L1."""

    def __init__(
        self,
        reader: Reader,
        sync_status: SyncStatusPort,
        rollup_config: RollupConfigPort,
        block_refs: L2BlockRefPort,
        safe_heads: SafeHeadPort,
        version: str,
    ) -> None:
        self._reader = reader
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
        output = output_of(self._reader, block.header)
        return {
            "version": data(OUTPUT_VERSION),
            "outputRoot": data(output.root),
            "blockRef": self._block_refs.l2_block_ref(block),
            "withdrawalStorageRoot": data(output.storage_root),
            "stateRoot": data(output.state_root),
            "syncStatus": self._sync_status.sync_status(),
        }

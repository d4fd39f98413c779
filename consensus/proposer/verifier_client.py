"""Outputs of a verifier, read over its JSON-RPC (ours, or any op-node's)."""

from consensus.block_refs import L1BlockRef
from consensus.config import RollupConfig
from consensus.l1.json_objects import JsonObject, as_data, as_hash, as_object
from consensus.l1.json_rpc import Json, JsonRpc, RpcFault
from consensus.proposer.output_source import Progress
from node.errors import ConfigError, TemporaryError
from node.output_root import OUTPUT_VERSION, Output
from node.types.primitives import ZERO_HASH, BlockNumber


class VerifierClient:
    """An OutputSource. What it says is decoded, and its roots are recomputed.

    All failures are TemporaryError.
    """

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc

    @property
    def url(self) -> str:
        """Where the verifier is."""
        return self._rpc.url

    async def check_rollup(self, config: RollupConfig) -> None:
        """Refuse the node of another rollup; ConfigError says what differs."""
        answer = as_object(await self._rpc.call("optimism_rollupConfig"), "optimism_rollupConfig")
        genesis = as_object(answer.get("genesis"), "genesis")
        for layer, expected in (("l1", config.genesis.l1.hash), ("l2", config.genesis.l2.hash)):
            actual = as_hash(as_object(genesis.get(layer), layer).get("hash"), "hash")
            if actual != expected:
                raise ConfigError(
                    f"--l2: expected a node of the rollup with genesis.{layer}.hash "
                    f"0x{expected.hex()} (rollup.json), {self.url} has 0x{actual.hex()}"
                )

    async def progress(self) -> Progress:
        """Return how far its derivation is."""
        status = as_object(await self._rpc.call("optimism_syncStatus"), "optimism_syncStatus")
        safe, finalized = (
            _number(as_object(status.get(name), name), name) for name in ("safe_l2", "finalized_l2")
        )
        return Progress(
            _l1_block(as_object(status.get("current_l1"), "current_l1")), safe, finalized
        )

    async def output(self, number: int) -> Output | None:
        """Return the output of its canonical block at a height, None above its head."""
        try:
            answer = await self._rpc.call("optimism_outputAtBlock", hex(number))
        except RpcFault as fault:
            if "not found" in fault.message:
                return None
            raise
        fields = as_object(answer, "optimism_outputAtBlock")
        block = as_object(fields.get("blockRef"), "blockRef")
        output = Output(
            as_hash(fields.get("stateRoot"), "stateRoot"),
            as_hash(fields.get("withdrawalStorageRoot"), "withdrawalStorageRoot"),
            as_hash(block.get("hash"), "hash"),
        )
        self._check(number, block, fields, output)
        return output

    async def close(self) -> None:
        """Close the connections."""
        await self._rpc.close()

    def _check(self, number: int, block: JsonObject, fields: JsonObject, output: Output) -> None:
        actual, claimed = (
            _number(block, "blockRef"),
            as_hash(fields.get("outputRoot"), "outputRoot"),
        )
        version = as_data(fields.get("version"), "version", 32)
        if actual != number:
            raise TemporaryError(f"{self.url}: expected the output of block {number}, got {actual}")
        if version != OUTPUT_VERSION:
            raise TemporaryError(
                f"{self.url}: block {number}: expected an output of version 0, got "
                f"0x{version.hex()}"
            )
        if claimed != output.root:
            raise TemporaryError(
                f"{self.url}: block {number}: expected output root 0x{output.root.hex()} from its "
                f"parts, got 0x{claimed.hex()}"
            )


def _number(block: JsonObject, name: str) -> int:
    return _integer(block.get("number"), f"{name}.number")


def _integer(value: Json, name: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise TemporaryError(f"{name}: expected a number, got {str(value)[:40]}")


def _l1_block(block: JsonObject) -> L1BlockRef | None:
    """Read an L1 block of optimism_syncStatus, in which unknown ones are zero."""
    block_hash = as_hash(block.get("hash"), "hash")
    if block_hash == ZERO_HASH:
        return None
    return L1BlockRef(
        block_hash,
        BlockNumber(_number(block, "current_l1")),
        as_hash(block.get("parentHash"), "parentHash"),
        _integer(block.get("timestamp"), "timestamp"),
    )

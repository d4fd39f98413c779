"""What rpc shows of consensus: the adapters between two packages that do not know each other."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from attribution.posted_output import DueOutput, PostedOutput
from consensus.block_refs import L1BlockRef, L2BlockRef, l2_block_ref
from consensus.config import RollupConfig, rollup_config_to_json
from consensus.l1.json_rpc import JsonRpc, RpcFault, RpcSettings
from consensus.proposer.posted_outputs import PostedOutputs
from consensus.status import SyncStatus
from node.errors import ConfigError, InvalidTransaction, OperationRefused, TemporaryError
from node.reader import Reader
from node.safe_heads import safe_head_at
from node.types.block import Block, BlockRef, Header
from node.types.primitives import Address, Hash32
from node.types.transaction import decode_signed_transaction
from rpc.encoding.hexadecimal import Json

_NO_BLOCK: Mapping[str, Json] = {
    "hash": "0x" + bytes(32).hex(),
    "number": 0,
    "parentHash": "0x" + bytes(32).hex(),
    "timestamp": 0,
}


class StatusView:
    """optimism_syncStatus, in op-node's spelling; unknown L1 blocks are shown as zeros."""

    def __init__(self, status: Callable[[], SyncStatus]) -> None:
        self._status = status

    def sync_status(self) -> Mapping[str, Json]:
        """Return the heads of both layers."""
        status = self._status()
        l1_names = ("current_l1", "current_l1_finalized", "head_l1", "safe_l1", "finalized_l1")
        l2_names = (
            "unsafe_l2",
            "safe_l2",
            "finalized_l2",
            "pending_safe_l2",
            "cross_unsafe_l2",
            "local_safe_l2",
        )
        shown: dict[str, Json] = {name: _l1_json(getattr(status, name)) for name in l1_names}
        shown.update((name, _l2_json(getattr(status, name))) for name in l2_names)
        return shown


class ConfigView:
    """optimism_rollupConfig, and the place of blocks relative to L1."""

    def __init__(self, config: RollupConfig) -> None:
        self._config = config
        self._json: Mapping[str, Json] = rollup_config_to_json(config)  # type: ignore[assignment]

    def rollup_config(self) -> Mapping[str, Json]:
        """Return rollup.json's content."""
        return self._json

    def l2_block_ref(self, block: Block) -> Mapping[str, Json]:
        """Return a block's reference."""
        return _l2_json(l2_block_ref(block, self._config))


class SafeHeadView:
    """optimism_safeHeadAtL1Block."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def safe_head_at(self, l1_number: int) -> Mapping[str, Json] | None:
        """Return the last entry at or before an L1 block, None before the first."""
        with self._reader.snapshot() as snapshot:
            entry = safe_head_at(snapshot, l1_number)
        if entry is None:
            return None
        return {"l1Block": _id_json(entry.derived_from), "safeHead": _id_json(entry.l2_block)}


class OutputsView:
    """The outputs on L1, for proofs of receipts."""

    def __init__(self, outputs: PostedOutputs, config: RollupConfig) -> None:
        self._outputs = outputs
        self._config = config

    async def l1_chain_id(self) -> int:
        """Return which L1 the rollup stands on."""
        return self._config.l1_chain_id

    async def oracle(self) -> Address:
        """Return the contract that keeps the outputs; OperationRefused if there is none."""
        with _refusing():
            return await self._outputs.address()

    async def covering(self, header: Header) -> PostedOutput | DueOutput:
        """Return the first output at or after a block; OperationRefused if there is no oracle."""
        with _refusing():
            schedule = await self._outputs.schedule()
            index = schedule.index_for(header.number)
            posted = await self._outputs.output(index)
        if posted is not None:
            return posted
        block = schedule.block_of(index)
        distance = block - header.number
        return DueOutput(index, block, header.timestamp + distance * self._config.block_time)

    async def output(self, index: int) -> PostedOutput | None:
        """Return an output, None if it is not there; OperationRefused if there is no oracle."""
        with _refusing():
            return await self._outputs.output(index)


@contextmanager
def _refusing() -> Iterator[None]:
    """What L1 lacks is nothing that the caller got wrong."""
    try:
        yield
    except ConfigError as error:
        raise OperationRefused(f"receipts cannot be proven here: {error}") from error


class NoSequencer:
    """The switch of a node that does not sequence."""

    is_active = False

    async def start(self, head: Hash32) -> None:
        """Refuse, in op-node's words."""
        raise OperationRefused("sequencer is not enabled")

    async def stop(self) -> Hash32:
        """Refuse, in op-node's words."""
        raise OperationRefused("sequencer is not enabled")


class ForwardingSink:
    """Hands transactions on to a sequencer by RPC, and its refusals back; `close` it in the end."""

    def __init__(self, url: str) -> None:
        # Once: a repeated transaction would be refused as known, though it was taken.
        self._rpc = JsonRpc(url, RpcSettings(attempts=1))

    async def send(self, raw: bytes) -> Hash32:
        """Return the hash; InvalidTransaction with the sequencer's words if it refuses.

        TemporaryError if it does not answer: then it may have the transaction, or not.
        """
        tx = decode_signed_transaction(raw)
        try:
            await self._rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
        except RpcFault as fault:
            raise InvalidTransaction(fault.message) from fault
        except TemporaryError as error:
            raise TemporaryError(f"the sequencer cannot be reached: {error}") from error
        return tx.hash

    async def close(self) -> None:
        """Close the connection."""
        await self._rpc.close()


class NoSink:
    """A verifier without a sequencer to pass transactions on to."""

    async def send(self, raw: bytes) -> Hash32:
        """Refuse, and say what would help."""
        raise InvalidTransaction(
            "this verifier takes no transactions: start it with --sequencer URL to pass them on"
        )


def _l1_json(ref: L1BlockRef | None) -> Json:
    if ref is None:
        return dict(_NO_BLOCK)
    return {
        "hash": "0x" + ref.hash.hex(),
        "number": ref.number,
        "parentHash": "0x" + ref.parent_hash.hex(),
        "timestamp": ref.timestamp,
    }


def _l2_json(ref: L2BlockRef) -> dict[str, Json]:
    return {
        "hash": "0x" + ref.hash.hex(),
        "number": ref.number,
        "parentHash": "0x" + ref.parent_hash.hex(),
        "timestamp": ref.timestamp,
        "l1origin": _id_json(ref.l1_origin),
        "sequenceNumber": ref.sequence_number,
    }


def _id_json(ref: BlockRef) -> Json:
    return {"hash": "0x" + ref.hash.hex(), "number": ref.number}

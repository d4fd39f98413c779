"""The admin namespace: what op-node and op-batcher let an operator do. Served only when enabled."""

from collections.abc import Callable

from node.types.primitives import Hash32
from rpc.dispatcher import Handler, Method
from rpc.encoding.hexadecimal import Json, data
from rpc.params import hash32, required
from rpc.ports import BatcherPort, SequencerPort


def admin_methods(
    sequencer: SequencerPort, reset_derivation: Callable[[], None], batcher: BatcherPort | None
) -> tuple[Method, ...]:
    """Return the methods; those of op-batcher only where there is a batcher."""
    methods = (
        *_SequencerMethods(sequencer).methods(),
        Method("admin_resetDerivationPipeline", _without_answer(reset_derivation)),
    )
    return methods if batcher is None else (*methods, *_BatcherMethods(batcher).methods())


class _SequencerMethods:
    def __init__(self, sequencer: SequencerPort) -> None:
        self._sequencer = sequencer

    def methods(self) -> tuple[Method, ...]:
        return (
            Method("admin_startSequencer", self._start, (required(hash32),)),
            Method("admin_stopSequencer", self._stop),
            Method("admin_sequencerActive", self._is_active),
        )

    async def _start(self, head: Hash32) -> Json:
        await self._sequencer.start(head)
        return None

    async def _stop(self) -> Json:
        return data(await self._sequencer.stop())

    async def _is_active(self) -> Json:
        return self._sequencer.is_active


class _BatcherMethods:
    def __init__(self, batcher: BatcherPort) -> None:
        self._batcher = batcher

    def methods(self) -> tuple[Method, ...]:
        return (
            Method("admin_startBatcher", _without_answer(self._batcher.start)),
            Method("admin_stopBatcher", self._stop),
            Method("admin_flushBatcher", _without_answer(self._batcher.flush)),
        )

    async def _stop(self) -> Json:
        await self._batcher.stop()
        return None


def _without_answer(action: Callable[[], None]) -> Handler:
    async def handle() -> Json:
        action()
        return None

    return handle

"""The admin namespace: what op-node, op-batcher and op-proposer let an operator do.

Served only when enabled.
"""

from collections.abc import Callable

from node.types.primitives import Hash32
from rpc.dispatcher import Handler, Method
from rpc.encoding.hexadecimal import Json, data
from rpc.params import hash32, required
from rpc.ports import BatcherPort, ProposerPort, SequencerPort


def admin_methods(
    sequencer: SequencerPort,
    reset_derivation: Callable[[], None],
    batcher: BatcherPort | None,
    proposer: ProposerPort | None = None,
) -> tuple[Method, ...]:
    """Return the methods; those of op-batcher and op-proposer only where there is such a part."""
    return (
        *_SequencerMethods(sequencer).methods(),
        Method("admin_resetDerivationPipeline", _without_answer(reset_derivation)),
        *(() if batcher is None else _BatcherMethods(batcher).methods()),
        *(() if proposer is None else _ProposerMethods(proposer).methods()),
    )


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


class _ProposerMethods:
    def __init__(self, proposer: ProposerPort) -> None:
        self._proposer = proposer

    def methods(self) -> tuple[Method, ...]:
        return (
            Method("admin_startProposer", _without_answer(self._proposer.start)),
            Method("admin_stopProposer", self._stop),
        )

    async def _stop(self) -> Json:
        await self._proposer.stop()
        return None


def _without_answer(action: Callable[[], None]) -> Handler:
    async def handle() -> Json:
        action()
        return None

    return handle

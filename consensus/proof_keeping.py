"""Telling a node that prunes which blocks have outputs on L1: so it keeps what proves receipts."""

import asyncio
import logging

from consensus.engine_gate import EngineGate
from consensus.proposer.posted_outputs import PostedOutputs
from node.clock import Clock
from node.errors import ConfigError, TemporaryError
from node.output_schedule import OutputSchedule

_log = logging.getLogger(__name__)

_RETRY_S = 2.0


async def keep_proofs(outputs: PostedOutputs, gate: EngineGate, clock: Clock) -> None:
    """Ask L1 until it answers, tell the engine, which prunes from then on, and wait for the end."""
    schedule = await _schedule(outputs, clock)
    await gate.run(lambda engine: engine.keep_proofs(schedule))
    await asyncio.Event().wait()


async def _schedule(outputs: PostedOutputs, clock: Clock) -> OutputSchedule | None:
    is_told = False
    while True:
        try:
            return await outputs.schedule()
        except TemporaryError as error:
            if not is_told:
                _log.warning("nothing is pruned until L1 says which blocks have outputs: %s", error)
            is_told = True
        except ConfigError as error:
            _log.warning("receipts of pruned blocks cannot be proven: %s", error)
            return None
        await clock.sleep_until(clock.now() + _RETRY_S)

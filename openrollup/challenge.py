"""`openrollup challenge`: the outputs on L1 against those of a verifier; wrong ones are deleted."""

import logging
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from consensus.config import read_rollup_config
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc, RpcSettings
from consensus.l1.tx_sender import TxSender
from consensus.proposer.challenger import Challenger, Deleted, Judgement, WrongOutput
from consensus.proposer.verifier_client import VerifierClient
from node.clock import Clock, SystemClock
from node.errors import TemporaryError
from openrollup.datadir import read_key
from openrollup.l1_check import check_l1, probe_l1

_log = logging.getLogger(__name__)

_POLL_INTERVAL_S = 2.0


@dataclass(frozen=True, slots=True)
class ChallengeOptions:
    """`l2_url` is a verifier, whose own derivation is believed. With `watch` there is no end.

    Without a key nothing is deleted, and wrong outputs are told of only.
    """

    rollup: Path
    l1_url: str
    l2_url: str
    json: bool
    key_file: Path | None = None
    l1_rate_limit: int | None = None
    watch: bool = False
    allow_non_finalized: bool = False
    poll_interval_s: float = _POLL_INTERVAL_S


async def run_challenge(options: ChallengeOptions) -> int:
    """Return 0 if all outputs on L1 are right, 1 if one was wrong, whether it is deleted or not."""
    config = read_rollup_config(options.rollup)
    key = None if options.key_file is None else read_key(options.key_file)
    async with AsyncExitStack() as stack:
        rpc = JsonRpc(options.l1_url, RpcSettings(max_per_s=options.l1_rate_limit))
        stack.push_async_callback(rpc.close)
        l1, clock = L1Client(rpc), SystemClock()
        await check_l1(l1, await probe_l1(options.l1_url), config)
        verifier = VerifierClient(JsonRpc(options.l2_url))
        stack.push_async_callback(verifier.close)
        await verifier.check_rollup(config)
        challenger = Challenger(
            config,
            l1,
            verifier,
            None if key is None else TxSender(l1, key, config.l1_chain_id, clock),
            allows_non_finalized=options.allow_non_finalized,
        )
        await challenger.check()
        if options.watch:
            _say(options, f"watching the outputs on {options.l1_url}", "started")
        return await _Challenge(challenger, options, clock).run()


class _Challenge:
    """Judges, waits, judges again, and tells."""

    def __init__(self, challenger: Challenger, options: ChallengeOptions, clock: Clock) -> None:
        self._challenger = challenger
        self._options = options
        self._clock = clock
        self._wanted: int | None = None
        self._is_waiting = self._is_failing = False
        self._told: WrongOutput | None = None

    async def run(self) -> int:
        """Return once the outputs that were there at first are judged, or never if we watch."""
        while True:
            try:
                code = await self._step()
            except TemporaryError as error:
                # An outage is told once: the attempts after the first differ in nothing.
                level = logging.DEBUG if self._is_failing else logging.WARNING
                _log.log(level, "trying again until it works: %s", error)
                self._is_failing = True
            else:
                if code is not None:
                    return code
                if self._is_failing:
                    _log.info("going on")
                self._is_failing = False
            await self._clock.sleep_until(self._clock.now() + self._options.poll_interval_s)

    async def _step(self) -> int | None:
        """Judge, and delete what is wrong; return the exit code if that was all."""
        judgement = await self._challenger.judge()
        self._note_waiting(judgement)
        if judgement.wrong is not None:
            is_deleted = await self._handle(judgement.wrong)
            return None if is_deleted and self._options.watch else 1
        wanted = judgement.count if self._wanted is None else min(self._wanted, judgement.count)
        self._wanted = wanted
        if self._options.watch or judgement.right < wanted:
            return None
        self._say(_summary(judgement), "right", outputs=judgement.right)
        return 0

    async def _handle(self, wrong: WrongOutput) -> bool:
        """Delete a wrong output and tell; return whether it is gone."""
        if wrong != self._told:
            self._tell_wrong(wrong)
        outcome = await self._challenger.delete(wrong)
        if isinstance(outcome, Deleted):
            self._told = None
            self._tell_deleted(outcome)
            return True
        index = wrong.proposed.index
        text = f"output {index} is not deleted: {outcome.reason}"
        self._say(text, "notDeleted", index=index, reason=outcome.reason)
        return False

    def _tell_wrong(self, wrong: WrongOutput) -> None:
        self._told = wrong
        self._say(
            wrong.reason,
            "wrong",
            index=wrong.proposed.index,
            block=wrong.proposed.block,
            proposed="0x" + wrong.proposed.root.hex(),
            expected="0x" + wrong.expected.hex(),
        )

    def _tell_deleted(self, deleted: Deleted) -> None:
        which = f"output {deleted.first} is"
        if deleted.last > deleted.first:
            which = f"outputs {deleted.first} to {deleted.last} are"
        transaction = "0x" + deleted.transaction.hex()
        self._say(
            f"{which} deleted, by {transaction} in L1 block {deleted.block.number}",
            "deleted",
            first=deleted.first,
            last=deleted.last,
            block=deleted.block.number,
            transaction=transaction,
        )

    def _note_waiting(self, judgement: Judgement) -> None:
        """Say once that something is to be waited for."""
        if judgement.waiting is not None and not self._is_waiting:
            _log.info("waiting: %s", judgement.waiting)
        self._is_waiting = judgement.waiting is not None

    def _say(self, text: str, event: str, **fields: Any) -> None:
        _say(self._options, text, event, **fields)


def _say(options: ChallengeOptions, text: str, event: str, **fields: Any) -> None:
    if options.json:
        text = orjson.dumps({"event": event, **fields}).decode()
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _summary(judgement: Judgement) -> str:
    last = judgement.last_right
    if last is None:
        return "there are no outputs on L1 yet"
    return f"all outputs on L1 are right: {judgement.right}, the last one of block {last.block}"

"""Proposing outputs to L1 as they become due: what a verifier derived from this L1, no other."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from consensus.block_refs import L1BlockRef
from consensus.config import RollupConfig
from consensus.l1.tx_sender import TransactionRequest, TxSender
from consensus.proposer.l1_agreement import Waiting, agreement
from consensus.proposer.oracle import OracleL1, OracleTerms, OutputOracle, ProposedOutput
from consensus.proposer.oracle_check import check_proposer, check_terms, find_oracle
from consensus.proposer.output_source import OutputSource, Progress
from node.clock import Clock
from node.errors import OperationRefused, TemporaryError
from node.output_root import Output
from node.types.primitives import checksum_address

_log = logging.getLogger(__name__)

# The oracle asks for the hash of the block that an output was derived from, which L1's contracts
# know of the last 256 blocks; half of them are left for the transaction to get into one.
_MAX_L1_LAG = 128


@dataclass(frozen=True, slots=True)
class ProposerSettings:
    """Finalized blocks alone are proposed unless it `allows_non_finalized`: then safe ones, too.

    Times are in seconds. What it waits for is told after `patience_s`; a stop waits
    `stop_patience_s` for L1. At most `max_at_once` outputs are on their way at a time. It warns
    when its funds are good for fewer than `low_funds_proposals`.
    """

    allows_non_finalized: bool = False
    poll_interval_s: float = 6.0
    retry_s: float = 12.0
    patience_s: float = 30.0
    stop_patience_s: float = 20.0
    max_at_once: int = 8
    low_funds_proposals: int = 20


@dataclass(frozen=True, slots=True)
class NothingDue:
    """No block that may be proposed has reached the oracle's interval."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The oracle holds an output that the verifier contradicts: nothing may follow on that."""

    reason: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """The L2 blocks whose outputs are on L1 now."""

    blocks: tuple[int, ...]


Outcome: TypeAlias = NothingDue | Waiting | Disagreement | Proposed


@dataclass(frozen=True, slots=True)
class _Due:
    number: int
    output: Output


class Proposer:
    """Keeps nothing but what the oracle says: a restart, or a proposal that L1 lost, is no case.

    `outputs` comes from derivation, of this node or of another one. Its only write is `sender`'s.
    """

    def __init__(
        self,
        config: RollupConfig,
        l1: OracleL1,
        outputs: OutputSource,
        sender: TxSender,
        clock: Clock,
        settings: ProposerSettings | None = None,
    ) -> None:
        self._config = config
        self._l1 = l1
        self._outputs = outputs
        self._sender = sender
        self._clock = clock
        self._settings = settings or ProposerSettings()
        self._oracle: tuple[OutputOracle, OracleTerms] | None = None
        self._proposed_block: int | None = None
        self._turn = asyncio.Lock()
        self._running = asyncio.Event()
        self._running.set()
        self._told: type[Waiting] | type[Disagreement] | None = None
        self._waiting_since: float | None = None
        self._is_failing = False
        self._is_low_on_funds = False

    @property
    def is_running(self) -> bool:
        """Whether it proposes; it does until it is stopped."""
        return self._running.is_set()

    @property
    def proposed_block(self) -> int | None:
        """The newest L2 block with an output on L1, as of the last look; None before the first."""
        return self._proposed_block

    def start(self) -> None:
        """Propose again; OperationRefused if it does already."""
        if self.is_running:
            raise OperationRefused("proposer is already running")
        self._running.set()
        _log.info("proposer started")

    async def stop(self) -> None:
        """Propose nothing new, and return when what is on its way is on L1, or has failed.

        OperationRefused if it was stopped before, or if L1 takes too long: it is stopped then, too,
        but what is on its way may still get there.
        """
        if not self.is_running:
            raise OperationRefused("proposer is not running")
        self._running.clear()
        patience_s = self._settings.stop_patience_s
        turn = asyncio.ensure_future(self._turn.acquire())
        end = asyncio.ensure_future(self._clock.sleep_until(self._clock.now() + patience_s))
        try:
            await asyncio.wait({turn, end}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            end.cancel()
            if turn.done():
                self._turn.release()
            turn.cancel()
        _log.info("proposer stopped")
        if not turn.done():
            raise OperationRefused(
                f"proposer is stopped, but L1 has not taken its last proposal within "
                f"{patience_s:g} s: it may still be included"
            )

    async def run(self) -> None:
        """Propose until cancelled; ConfigError if the oracle is not ours to propose to."""
        while True:
            await self._running.wait()
            pause_s = self._settings.poll_interval_s
            try:
                async with self._turn:
                    if self.is_running:
                        self._tell(await self.step())
            except TemporaryError as error:
                # An outage is told once: the attempts after the first differ in nothing.
                level = logging.DEBUG if self._is_failing else logging.WARNING
                _log.log(level, "proposer: trying again until it works: %s", error)
                self._is_failing = True
                pause_s = self._settings.retry_s
            await self._clock.sleep_until(self._clock.now() + pause_s)

    async def check(self) -> None:
        """Find the rollup's oracle and see that it takes outputs from our key.

        ConfigError if not; TemporaryError if L1 does not answer.
        """
        await self._checked_oracle()

    async def step(self) -> Outcome:
        """Look at both layers, and propose what is due; return once it is on L1.

        TemporaryError if L1 or the verifier does not answer, or L1 did not take a proposal.
        """
        oracle, terms = await self._checked_oracle()
        progress = await self._outputs.progress()
        latest, first = await oracle.latest(), await oracle.next_block()
        self._proposed_block = terms.starting_block if latest is None else latest.block
        head = progress.safe if self._settings.allows_non_finalized else progress.finalized
        doubt = None if latest is None else await self._doubt(latest, head)
        due = await self._due(range(first, head + 1, terms.submission_interval))
        if doubt is None and not due:
            return NothingDue()
        return await self._propose_on_same_l1(oracle, doubt, due, progress)

    async def _checked_oracle(self) -> tuple[OutputOracle, OracleTerms]:
        if self._oracle is None:
            oracle = await find_oracle(self._l1, self._config)
            terms = await check_terms(oracle, self._config)
            check_proposer(terms, self._sender.address)
            self._oracle = oracle, terms
            _log.info(
                "proposing outputs to %s, every %d blocks, as %s",
                checksum_address(oracle.address),
                terms.submission_interval,
                checksum_address(self._sender.address),
            )
        return self._oracle

    async def _doubt(self, latest: ProposedOutput, head: int) -> str | None:
        """Return in what the verifier contradicts the newest output, None if it does not."""
        if latest.block > head:
            return None
        own = await self._outputs.output(latest.block)
        if own is None or own.root == latest.root:
            return None
        return (
            f"output {latest.index} on L1, of block {latest.block}, is 0x{latest.root.hex()}, the "
            f"verifier has 0x{own.root.hex()}: nothing is proposed until the challenger has "
            "deleted it, or the verifier agrees"
        )

    async def _due(self, numbers: range) -> list[_Due]:
        due = []
        for number in numbers[: self._settings.max_at_once]:
            output = await self._outputs.output(number)
            if output is None:
                break  # the chain was taken back under our hands
            due.append(_Due(number, output))
        return due

    async def _propose_on_same_l1(
        self, oracle: OutputOracle, doubt: str | None, due: Sequence[_Due], progress: Progress
    ) -> Outcome:
        """Act on what was read, if the verifier has it from the L1 that we talk to."""
        agreed = await agreement(self._l1, progress)
        if isinstance(agreed, Waiting):
            return agreed
        if doubt is not None:
            return Disagreement(doubt)
        current, l1_head = agreed.derived_from, agreed.head
        if l1_head.number - current.number > _MAX_L1_LAG:
            return Waiting(
                f"the verifier has read L1 to block {current.number} only, L1 is at "
                f"{l1_head.number}"
            )
        past = [one for one in due if self._time_of(one.number) < l1_head.timestamp]
        if not past:
            return NothingDue()  # L2 may be ahead of L1's clock, which the oracle looks at
        return await self._propose(oracle, past, current)

    def _time_of(self, number: int) -> int:
        genesis = self._config.genesis
        return genesis.l2_time + (number - genesis.l2.number) * self._config.block_time

    async def _propose(
        self, oracle: OutputOracle, due: Sequence[_Due], derived_from: L1BlockRef
    ) -> Proposed:
        first = due[0]
        gas = await oracle.proposal_gas(self._sender.address, first.number, first.output)
        requests = [
            TransactionRequest(
                oracle.address, oracle.proposal(one.number, one.output, derived_from), gas
            )
            for one in due
        ]
        await self._check_funds(requests[0])
        await self._send_all(due, requests)
        return Proposed(tuple(one.number for one in due))

    async def _send_all(self, due: Sequence[_Due], requests: Sequence[TransactionRequest]) -> None:
        # The sender hands out nonces in the order in which these tasks start, which is this one.
        sends = [asyncio.create_task(self._sender.send(request)) for request in requests]
        try:
            inclusions = await asyncio.gather(*sends)
        finally:
            for send in sends:
                send.cancel()
        for one, inclusion in zip(due, inclusions, strict=True):
            if inclusion.status != 1:
                raise TemporaryError(
                    f"the proposal of block {one.number} reverted in L1 block "
                    f"{inclusion.block.number}: L1 or the oracle has changed"
                )
            _log.info(
                "proposed output 0x%s of block %d in L1 block %d",
                one.output.root.hex(),
                one.number,
                inclusion.block.number,
            )
            self._proposed_block = one.number

    async def _check_funds(self, request: TransactionRequest) -> None:
        """Say once that the account runs dry, while there is time to do something about it."""
        left = await self._sender.affordable(request)
        is_low = left < self._settings.low_funds_proposals
        if is_low and not self._is_low_on_funds:
            _log.warning(
                "%s can pay for about %d more proposals on L1: send it some ether",
                checksum_address(self._sender.address),
                left,
            )
        self._is_low_on_funds = is_low

    def _tell(self, outcome: Outcome) -> None:
        """Say once that it cannot go on, and why; and that it does again."""
        if self._is_failing:
            _log.info("proposer: goes on")
        self._is_failing = False
        if isinstance(outcome, Waiting):
            self._tell_of_waiting(outcome)
            return
        self._waiting_since = None
        if isinstance(outcome, Disagreement):
            if self._told is not Disagreement:
                _log.error("proposer stands still: %s", outcome.reason)
            self._told = Disagreement
            return
        if self._told is not None:
            _log.info("proposer goes on")
        self._told = None

    def _tell_of_waiting(self, outcome: Waiting) -> None:
        """Say once what it waits for, if that takes longer than a start or a reorg of L1."""
        now = self._clock.now()
        if self._waiting_since is None:
            self._waiting_since = now
        if self._told is not Waiting and now - self._waiting_since >= self._settings.patience_s:
            _log.warning("proposer waits: %s", outcome.reason)
            self._told = Waiting

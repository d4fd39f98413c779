"""Carrying out a plan on L1, from wherever the last attempt stopped."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from consensus.block_refs import L1BlockRef
from consensus.deploy.on_l1 import is_done
from consensus.deploy.plan import Creation, Plan, Step
from consensus.deploy.record import DeploymentRecord, RollupStart, write_record
from consensus.l1.client import L1Client
from consensus.l1.source import L1NotFound
from consensus.l1.tx_sender import TxSender
from node.errors import ConfigError, CriticalError
from node.types.primitives import checksum_address


class Deployment:
    """A deployment that has begun. `report` is told how many steps are done, of how many.

    The nonces of a plan are fixed, and L1 takes each once: whatever is sent twice is there once.
    """

    def __init__(
        self,
        l1: L1Client,
        sender: TxSender,
        plan: Plan,
        record: DeploymentRecord,
        path: Path | None,
        report: Callable[[int, int], None],
    ) -> None:
        self._l1 = l1
        self._sender = sender
        self._plan = plan
        self._record = record
        self._path = path
        self._report = report
        self._done = 0

    async def run(self, begin: Callable[[], Awaitable[L1BlockRef]]) -> RollupStart:
        """Do what is not done yet; return after which L1 block the rollup begins.

        `begin` is asked for that block as soon as the contracts are there that come before it.
        ConfigError if the key was used for something else meanwhile; CriticalError if a
        transaction fails; InsufficientL1Funds.
        """
        self._report(0, self._plan.size)
        await self._carry_out(self._plan.foundation())
        if await self._l1.nonce(self._plan.deployer) <= self._plan.oracle_nonce:
            self._note_start(await begin())
        if not self._record.starts:
            raise self._used_elsewhere(self._plan.oracle(0))
        await self._carry_out([self._plan.oracle(self._record.starts[-1].timestamp)])
        return await self._start_on_l1()

    def _note_start(self, block: L1BlockRef) -> None:
        start = RollupStart(block.ref, block.timestamp)
        self._record = replace(self._record, starts=(*self._record.starts, start))
        if self._path is not None:
            write_record(self._path, self._record)

    async def _carry_out(self, steps: Sequence[Step]) -> None:
        """Send all that L1 does not have at once, in the order of their nonces."""
        nonce = await self._l1.nonce(self._plan.deployer)
        doing = [
            asyncio.ensure_future(self._check(step) if step.nonce < nonce else self._send(step))
            for step in steps
        ]
        try:
            await asyncio.gather(*doing)
        finally:
            for task in doing:
                task.cancel()
            await asyncio.wait(doing)

    async def _send(self, step: Step) -> None:
        inclusion = await self._sender.send_at(step.nonce, step.request())
        if inclusion is None:  # an attempt that was interrupted may have sent it
            await self._check(step)
            return
        if inclusion.status != 1:
            raise CriticalError(
                f"{step.name}: transaction 0x{inclusion.hash.hex()} failed on L1, and its nonce is "
                "gone: deploy again, into another folder"
            )
        self._advance()

    async def _check(self, step: Step) -> None:
        """Refuse to go on if the step's nonce was used for something else."""
        attempts: list[Step] = [step]
        if step.nonce == self._plan.oracle_nonce:
            attempts = [self._plan.oracle(start.timestamp) for start in self._record.starts]
        for attempt in attempts:
            if await is_done(self._l1, attempt):
                self._advance()
                return
        raise self._used_elsewhere(step)

    def _used_elsewhere(self, step: Step) -> ConfigError:
        place = f" (at {checksum_address(step.address)})" if isinstance(step, Creation) else ""
        return ConfigError(
            f"{step.name}{place}: {checksum_address(self._plan.deployer)} used nonce {step.nonce} "
            "for something else meanwhile, so that this deployment cannot go on: deploy again, "
            "into another folder, and let nobody else use the key until that is done"
        )

    def _advance(self) -> None:
        self._done += 1
        self._report(self._done, self._plan.size)

    async def _start_on_l1(self) -> RollupStart:
        """Return the start that the oracle on L1 was created for, if L1 still has that block."""
        starts = self._record.starts
        for start in reversed(starts):
            oracle = self._plan.oracle(start.timestamp)
            is_its = len(starts) == 1 or await is_done(self._l1, oracle)
            if is_its and await self._is_canonical(start):
                return start
        raise CriticalError(
            "L1 has replaced the block after which the rollup was to begin: deploy again, into "
            "another folder"
        )

    async def _is_canonical(self, start: RollupStart) -> bool:
        try:
            return (await self._l1.block_ref_by_number(start.l1.number)).ref == start.l1
        except L1NotFound:
            return False

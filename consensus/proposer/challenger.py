"""Comparing the outputs on L1 with a verifier's, and deleting what is wrong."""

import logging
from dataclasses import dataclass

from consensus.config import RollupConfig
from consensus.l1.tx_sender import InsufficientL1Funds, TransactionRefused, TxSender
from consensus.proposer.l1_agreement import Agreement, Waiting, agreement
from consensus.proposer.oracle import (
    OracleL1,
    OracleRefuses,
    OracleTerms,
    OutputOracle,
    ProposedOutput,
)
from consensus.proposer.oracle_check import check_challenger, check_terms, find_oracle
from consensus.proposer.output_source import OutputSource
from node.types.block import BlockRef
from node.types.primitives import Hash32

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WrongOutput:
    """An output on L1 and the root that its block has. `is_final`: too late to delete it."""

    proposed: ProposedOutput
    expected: Hash32
    is_final: bool

    @property
    def reason(self) -> str:
        """What is wrong, for whoever has to explain it."""
        proposed = self.proposed
        return (
            f"output {proposed.index} on L1, of block {proposed.block}, is "
            f"0x{proposed.root.hex()}, the verifier has 0x{self.expected.hex()}"
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """The first `right` of `count` outputs are right. Then comes `wrong`, if anything is.

    `waiting` says what the others wait for, None if there are none.
    """

    count: int
    right: int
    last_right: ProposedOutput | None
    wrong: WrongOutput | None
    waiting: str | None


@dataclass(frozen=True, slots=True)
class Deleted:
    """The outputs from `first` to `last` are gone, by a transaction in `block` of L1."""

    first: int
    last: int
    block: BlockRef
    transaction: Hash32


@dataclass(frozen=True, slots=True)
class NotDeleted:
    """A wrong output is still there, for this reason."""

    reason: str


class Challenger:
    """Judges finalized blocks alone unless it `allows_non_finalized`: then safe ones, too.

    Without a `sender` it can only tell. It judges nothing that the verifier has not derived yet, or
    has derived from another fork of L1.
    """

    def __init__(
        self,
        config: RollupConfig,
        l1: OracleL1,
        outputs: OutputSource,
        sender: TxSender | None,
        *,
        allows_non_finalized: bool = False,
    ) -> None:
        self._config = config
        self._l1 = l1
        self._outputs = outputs
        self._sender = sender
        self._allows_non_finalized = allows_non_finalized
        self._oracle: tuple[OutputOracle, OracleTerms] | None = None
        self._right: list[ProposedOutput] = []

    async def check(self) -> OracleTerms:
        """Find the rollup's oracle; ConfigError if our key may not delete its outputs."""
        return (await self._checked_oracle())[1]

    async def judge(self) -> Judgement:
        """Compare all outputs that have not been compared before, up to the first wrong one.

        TemporaryError if L1 or the verifier does not answer.
        """
        oracle, terms = await self._checked_oracle()
        progress = await self._outputs.progress()
        head = progress.safe if self._allows_non_finalized else progress.finalized
        count = await oracle.count()
        await self._forget_replaced(oracle, count)
        right, wrong = list(self._right), None
        waiting: str | None = None
        for index in range(len(right), count):
            proposed = await oracle.output(index)
            if proposed.block > head:
                waiting = self._too_new(proposed, head)
                break
            own = await self._outputs.output(proposed.block)
            if own is None:
                waiting = f"the verifier has no block {proposed.block} any more"
                break
            if own.root != proposed.root:
                wrong = proposed, own.root
                break
            right.append(proposed)
        # Asked last: what was read before is a function of this L1, or it counts for nothing.
        agreed = await agreement(self._l1, progress)
        if isinstance(agreed, Waiting):
            return self._judgement(count, None, agreed.reason)
        self._right = right
        if wrong is None:
            return self._judgement(count, None, waiting)
        return self._judgement(count, _wrong(*wrong, terms, agreed), None)

    async def delete(self, wrong: WrongOutput) -> Deleted | NotDeleted:
        """Delete a wrong output and all after it; TemporaryError if L1 does not answer."""
        oracle, _ = await self._checked_oracle()
        if self._sender is None:
            return NotDeleted("no key was given to delete it with")
        if wrong.is_final:
            return NotDeleted("it is final: the oracle deletes it no more")
        index, last = wrong.proposed.index, await oracle.count() - 1
        try:
            request = await oracle.deletion(self._sender.address, index)
            inclusion = await self._sender.send(request)
        except (OracleRefuses, InsufficientL1Funds, TransactionRefused) as refusal:
            return NotDeleted(str(refusal))
        if inclusion.status != 1:
            return NotDeleted(
                f"the transaction 0x{inclusion.hash.hex()} reverted in L1 block "
                f"{inclusion.block.number}"
            )
        return Deleted(index, last, inclusion.block, inclusion.hash)

    async def _checked_oracle(self) -> tuple[OutputOracle, OracleTerms]:
        if self._oracle is None:
            oracle = await find_oracle(self._l1, self._config)
            terms = await check_terms(oracle, self._config)
            if self._sender is not None:
                check_challenger(terms, self._sender.address)
            self._oracle = oracle, terms
        return self._oracle

    async def _forget_replaced(self, oracle: OutputOracle, count: int) -> None:
        """Outputs change only from the end: by deletion, or by a reorg of L1."""
        del self._right[count:]
        while self._right and await oracle.output(len(self._right) - 1) != self._right[-1]:
            self._right.pop()

    def _too_new(self, proposed: ProposedOutput, head: int) -> str:
        kind = "safe" if self._allows_non_finalized else "finalized"
        return (
            f"output {proposed.index} is of block {proposed.block}, the verifier's {kind} head is "
            f"{head}"
        )

    def _judgement(self, count: int, wrong: WrongOutput | None, waiting: str | None) -> Judgement:
        last = self._right[-1] if self._right else None
        return Judgement(count, len(self._right), last, wrong, waiting)


def _wrong(
    proposed: ProposedOutput, expected: Hash32, terms: OracleTerms, agreed: Agreement
) -> WrongOutput:
    is_final = agreed.head.timestamp > proposed.timestamp + terms.finalization_period_s
    return WrongOutput(proposed, expected, is_final)

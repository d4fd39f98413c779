"""A rollup on the fake L1 whose batcher, portal and system config write anything at all.

Derivation must take all of it: from what a batcher writes no error leaves the pipeline, from L1's
events none but the critical one that a malformed deposit stops the node with. What is derived is
the same for whoever reads it later, block by block at its time.
"""

import random
from collections import Counter
from collections.abc import Sequence

from consensus.config import RollupConfig
from consensus.derivation.derived_attributes import DerivedAttributes
from consensus.l1.deposit_logs import DEPOSIT_TOPIC, derive_deposits
from node.errors import CriticalError
from node.types.receipt import Log
from tests.consensus.actors import Sequencer, Verifier
from tests.consensus.fuzz.batcher_data import BatcherData
from tests.consensus.fuzz.l1_events import config_event, deposit_event
from tests.consensus.rollup import rollup_config, with_logs
from tests.fakes.l1_source import FakeL1, Included

INPUTS_PER_BLOCK = 24
BLOCKS = 30


class JudgingVerifier(Verifier):
    """Its engine takes no transactions but those that the sequencer made."""

    def __init__(self, config: RollupConfig, l1: FakeL1, known: set[bytes]) -> None:
        super().__init__(config, l1)
        self._known = known

    def _is_refused(self, derived: DerivedAttributes) -> bool:
        raws = [tx.raw for tx in derived.attributes.transactions if tx.raw[0] != 0x7E]
        return not self._known.issuperset(raws)


class Arena:
    """One rollup from its genesis on, everything drawn from one seed."""

    def __init__(self, seed: int, foreign: Sequence[bytes] = ()) -> None:
        self._choice = random.Random(seed)
        self._foreign = foreign
        self._l1 = FakeL1(block_time=self._choice.choice((2, 12, 12)))
        self._config = rollup_config(
            self._l1,
            seq_window_size=self._choice.choice((3, 10, 200)),
            jovian=self._choice.random() < 0.5,
        )
        self._known: set[bytes] = set()
        self._sequencer = Sequencer(self._config, self._l1)
        self._verifier = JudgingVerifier(self._config, self._l1, self._known)
        self.inputs = 0
        self.outcomes: Counter[str] = Counter()

    async def run(self) -> None:
        """Go on until the rollup has had its blocks, or a malformed deposit has stopped it."""
        try:
            for _ in range(BLOCKS):
                self._l1.mine(*await self._batcher_data(), *self._events())
                await self._verifier.derive()
        except CriticalError as error:
            self._check_critical(error)
            self.outcomes["stopped by a deposit"] += 1
            return
        await self._check_derived()

    async def _batcher_data(self) -> list[Included]:
        """Return transactions of the next blocks on the safe head: spoilt ones, then a good one."""
        sequencer, choice = self._sequencer, self._choice
        sequencer.l2, sequencer.head = self._verifier.l2, self._verifier.safe_head
        sequencer.batches.clear()
        batches = await sequencer.build_many(choice.randrange(1, 6))
        self._known.update(raw for batch in batches for raw in batch.transactions)
        source = BatcherData(choice, self._l1, batches, sequencer.span, foreign=self._foreign)
        included = []
        for _ in range(INPUTS_PER_BLOCK):
            included += source.spoilt()
        self.inputs += INPUTS_PER_BLOCK
        return included + (source.good() if choice.random() < 0.8 else [])

    def _events(self) -> list[Included]:
        logs: list[Log] = []
        if self._choice.random() < 0.4:
            count = self._choice.randrange(1, 4)
            logs += [config_event(self._choice) for _ in range(count)]
        if self._choice.random() < 0.3:
            logs.append(deposit_event(self._choice, is_spoilt=self._choice.random() < 0.1))
        self.inputs += len(logs)
        return [with_logs(*logs, status=int(self._choice.random() < 0.95))] if logs else []

    def _check_critical(self, error: CriticalError) -> None:
        assert str(error).startswith("deposit in L1 block 0x"), error
        receipts = [r for ref in self._l1._canonical for r in self._l1._receipts[ref.hash]]
        topics = {log.topics[:1] for r in receipts if r.status for log in r.logs}
        assert (DEPOSIT_TOPIC,) in topics, "there was no deposit"

    def _check_deposits(self, block: DerivedAttributes) -> None:
        receipts = self._l1._receipts[block.epoch.hash]
        expected = derive_deposits(block.epoch.hash, receipts, self._config.deposit_contract)
        count = len(expected)
        assert block.attributes.transactions[1 : 1 + count] == expected
        self.outcomes["deposits"] += count

    async def _check_derived(self) -> None:
        derived = self._verifier.derived
        self.outcomes["derived blocks"] += len(derived)
        self.outcomes["with transactions"] += sum(not d.is_deposits_only for d in derived)
        start, step = self._config.genesis.l2_time, self._config.block_time
        times = [d.attributes.timestamp for d in derived]
        assert times == [start + step * n for n in range(1, len(times) + 1)]
        for block in derived:
            assert block.epoch == self._l1.at(block.epoch.number).ref
            assert block.epoch.number < block.derived_from.number
            if block.attributes.transactions[0].data[12:20] == bytes(8):  # the first of its epoch
                self._check_deposits(block)
        late = JudgingVerifier(self._config, self._l1, self._known)
        await late.derive()
        assert late.derived == derived

"""A rollup on a real L1 in virtual time, with a proposer and a challenger that tests step."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc, RpcSettings
from consensus.l1.tx_sender import SenderSettings, TransactionRequest, TxSender
from consensus.proposer.challenger import Challenger
from consensus.proposer.oracle import OutputOracle
from consensus.proposer.oracle_check import find_oracle
from consensus.proposer.output_source import OutputSource, OwnOutputs, Progress
from consensus.proposer.proposer import Outcome, Proposer, ProposerSettings
from node.clock import Clock
from node.genesis.dev_accounts import OPERATOR_ACCOUNTS, DevAccount
from node.output_root import Output
from node.types.primitives import Address, BlockNumber, Hash32
from node.types.transaction import Transaction
from openrollup.testing.image import found
from openrollup.testing.nodes import Nodes, Ports, open_nodes
from openrollup.testing.options import DevnetOptions
from openrollup.testing.stepper import Stepper
from tests.consensus.passing_time import JumpingClock

T = TypeVar("T")

SAFE = ProposerSettings(allows_non_finalized=True)
WRONG = Output(Hash32(b"\x01" * 32), Hash32(b"\x02" * 32), Hash32(b"\x03" * 32))
# Senders look again and again, as fast as L1 answers, and leave fees alone.
_SENDING = SenderSettings(resend_after_s=1e9)


@dataclass
class Scene:
    """The nodes, and the operator's accounts as the oracle knows them."""

    nodes: Nodes
    stepper: Stepper
    oracle: OutputOracle
    proposer_account: DevAccount
    challenger_account: DevAccount
    interval: int
    finalization_period_s: int

    @classmethod
    async def open(cls, nodes: Nodes) -> "Scene":
        stepper = Stepper(nodes)
        await stepper.settle()
        l1 = L1Client(JsonRpc(nodes.l1.url))
        oracle = await find_oracle(l1, nodes.rollup.config)
        terms = await oracle.terms()
        return cls(
            nodes,
            stepper,
            oracle,
            _account(terms.proposer),
            _account(terms.challenger),
            terms.submission_interval,
            terms.finalization_period_s,
        )

    @property
    def l1(self) -> L1Client:
        client: L1Client = self.oracle._l1  # type: ignore[assignment]
        return client

    async def close(self) -> None:
        await self.l1.close()

    def sender(self, account: DevAccount, l1: L1Client | None = None) -> TxSender:
        chain_id = self.nodes.rollup.config.l1_chain_id
        return TxSender(l1 or self.l1, account.private_key, chain_id, JumpingClock(), _SENDING)

    def own_outputs(self) -> OwnOutputs:
        """The verifier's."""
        verifier = self.nodes.verifier
        return OwnOutputs(verifier.node.reader, verifier.driver.current_l1)

    def proposer(
        self,
        settings: ProposerSettings = SAFE,
        outputs: OutputSource | None = None,
        account: DevAccount | None = None,
        l1: L1Client | None = None,
        clock: Clock | None = None,
    ) -> Proposer:
        return Proposer(
            self.nodes.rollup.config,
            l1 or self.l1,
            outputs or self.own_outputs(),
            self.sender(account or self.proposer_account, l1),
            clock or JumpingClock(),
            settings,
        )

    def challenger(
        self, outputs: OutputSource | None = None, *, has_key: bool = True, safe: bool = True
    ) -> Challenger:
        return Challenger(
            self.nodes.rollup.config,
            self.l1,
            outputs or self.own_outputs(),
            self.sender(self.challenger_account) if has_key else None,
            allows_non_finalized=safe,
        )

    async def make_safe(self, blocks: int) -> None:
        """Build L2 blocks, let both nodes derive them from L1, and L1's clock pass them."""
        for _ in range(blocks):
            await self.stepper.mine()
        await self.stepper.derive()
        await self.stepper.advance_l1()

    async def step(
        self, proposer: Proposer, on_arrival: Callable[[], Awaitable[Any]] | None = None
    ) -> Outcome:
        """Step the proposer; L1 makes a block whenever it sends something."""
        return await self.mining(proposer.step(), on_arrival)

    async def mining(
        self, work: Coroutine[Any, Any, T], on_arrival: Callable[[], Awaitable[Any]] | None = None
    ) -> T:
        """Await work that sends to L1, which makes a block of each thing that arrives."""
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()

        def wake(_: Transaction) -> None:
            loop.call_soon_threadsafe(arrived.set)

        unsubscribe = self.nodes.l1.node.mempool.subscribe(wake)
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                arrival = asyncio.ensure_future(arrived.wait())
                await asyncio.wait({task, arrival}, return_when=asyncio.FIRST_COMPLETED)
                arrival.cancel()
                if arrived.is_set():
                    arrived.clear()
                    await (on_arrival or self.stepper.advance_l1)()
            return task.result()
        finally:
            unsubscribe()

    async def propose_by_hand(self, number: int, output: Output) -> None:
        """Propose with the proposer's key whatever it is, in the next L1 block."""
        head = await self.l1.block_ref_by_label("latest")
        data = self.oracle.proposal(number, output, head)
        sender = self.sender(self.proposer_account)
        request = TransactionRequest(self.oracle.address, data, 300_000)
        inclusion = await self.mining(sender.send(request))
        assert inclusion.status == 1

    def output(self, number: int) -> Output:
        """Return what the sequencer has, read anew."""
        reader = self.nodes.sequencer.node.reader
        header = reader.header_by_number(BlockNumber(number))
        assert header is not None
        return Output(header.state_root, header.withdrawals_root, header.hash)

    async def proposed(self) -> list[tuple[int, Hash32]]:
        """Return the blocks and roots in the oracle."""
        outputs = [await self.oracle.output(i) for i in range(await self.oracle.count())]
        return [(output.block, output.root) for output in outputs]


@asynccontextmanager
async def new_scene(directory: Path) -> AsyncIterator[Scene]:
    """A rollup of its own; `directory` must not be there yet."""
    async with open_nodes(
        await found(DevnetOptions(), directory), Ports(), DevnetOptions()
    ) as nodes:
        scene = await Scene.open(nodes)
        yield scene
        await scene.close()


class FakeOutputs:
    """A verifier that says what a test wants; what it does not contradict is another one's."""

    def __init__(self, progress: Progress, outputs: dict[int, Output]) -> None:
        self.now = progress
        self.outputs = outputs

    async def progress(self) -> Progress:
        return self.now

    async def output(self, number: int) -> Output | None:
        return self.outputs.get(number)


def unreachable() -> L1Client:
    """An L1 that does not answer."""
    return L1Client(JsonRpc("http://127.0.0.1:1", RpcSettings(attempts=1)))


def _account(address: Address) -> DevAccount:
    return next(account for account in OPERATOR_ACCOUNTS if account.address == address)

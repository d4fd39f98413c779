"""Somebody at a terminal, beside a network that runs."""

import json
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from consensus.bridge.chain import Chain
from consensus.l1.json_rpc import JsonRpc
from consensus.l1.tx_sender import TransactionRequest, TxSender
from consensus.proposer.proposer import Proposer
from node.clock import Clock
from node.errors import NodeError
from node.genesis import DevAccount, dev_accounts
from node.types.primitives import Address, Hash32, hex_hash
from openrollup.bridge.deposit import DepositOptions, run_deposit
from openrollup.bridge.finalize import run_finalize
from openrollup.bridge.prove import run_prove
from openrollup.bridge.status import run_status
from openrollup.bridge.step import StepOptions
from openrollup.bridge.withdraw import WithdrawOptions, run_withdraw
from tests.openrollup.network import Running

USER, SECOND, THIRD = dev_accounts()[3:6]
Said = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Desk:
    """Each command as its options in JSON mode, and what it printed with its exit code."""

    net: Running
    clock: Clock
    folder: Path
    output: pytest.CaptureFixture[str]

    @property
    def l1_url(self) -> str:
        return self.net.l1.url

    @property
    def l2_url(self) -> str:
        return self.net.network.sequencer.url

    @property
    def portal(self) -> Address:
        return self.net.network.rollup.contracts.optimism_portal

    @property
    def token(self) -> Address:
        return self.net.network.rollup.contracts.open_token

    @property
    def oracle(self) -> Address:
        return self.net.network.rollup.contracts.l2_output_oracle

    @property
    def proposer(self) -> Proposer:
        network = self.net.network
        found = network.verifier.proposer or network.sequencer.proposer
        assert found is not None
        return found

    def key_file(self, private_key: bytes) -> Path:
        path = self.folder / private_key.hex()[:8]
        path.write_text(private_key.hex())
        return path

    def deposit_options(self, amount: int, account: DevAccount = USER) -> DepositOptions:
        return DepositOptions(
            l1_url=self.l1_url,
            l2_url=self.l2_url,
            addresses=None,
            portal=self.portal,
            key_file=self.key_file(account.private_key),
            amount=amount,
            to=None,
            data=b"",
            gas_limit=None,
            json=True,
        )

    def withdraw_options(self, amount: int, account: DevAccount = USER) -> WithdrawOptions:
        return WithdrawOptions(
            l2_url=self.l2_url,
            key_file=self.key_file(account.private_key),
            amount=amount,
            to=None,
            data=b"",
            gas_limit=100_000,
            json=True,
        )

    def step_options(self, tx: str | Hash32, account: DevAccount = USER) -> StepOptions:
        return StepOptions(
            l1_url=self.l1_url,
            l2_url=self.l2_url,
            addresses=None,
            portal=self.portal,
            tx=hex_hash(tx) if isinstance(tx, str) else tx,
            index=None,
            json=True,
            key_file=self.key_file(account.private_key),
            wait=True,
        )

    async def deposit(self, options: DepositOptions) -> Said:
        return await self.said(run_deposit(options, self.clock))

    async def withdraw(self, options: WithdrawOptions) -> Said:
        return await self.said(run_withdraw(options, self.clock))

    async def prove(self, options: StepOptions) -> Said:
        return await self.said(run_prove(options, self.clock))

    async def finalize(self, options: StepOptions) -> Said:
        return await self.said(run_finalize(options, self.clock))

    async def status(self, options: StepOptions) -> Said:
        return await self.said(run_status(options))

    async def said(self, command: Coroutine[Any, Any, int]) -> Said:
        """Run a command; return its one object of JSON, or its lines, and its exit code."""
        code = await command
        text = self.output.readouterr().out
        try:
            told = json.loads(text)
        except ValueError:
            told = {"lines": text.splitlines()}
        return {"code": code, **told}

    async def refusal(self, command: Coroutine[Any, Any, Any]) -> str:
        """Return what a command says that cannot do its work: one line."""
        with pytest.raises(NodeError) as raised:
            await command
        assert "\n" not in str(raised.value)
        return f"{type(raised.value).__name__}: {raised.value}"

    async def next_l1_block(self) -> None:
        height = self.net.l1.node.reader.heads().unsafe.number
        await self.net.until(lambda: self.net.l1.node.reader.heads().unsafe.number > height)

    async def ask_l1(self, to: Address, signature: str, types: str, *arguments: Any) -> Any:
        l1 = await Chain.open(JsonRpc(self.l1_url))
        try:
            return await l1.read(to, signature, types, *arguments)
        finally:
            await l1.close()

    async def send(self, url: str, key: bytes, to: Address, data: bytes, value: int = 0) -> Hash32:
        """Send a transaction that succeeds, and return its hash."""
        chain = await Chain.open(JsonRpc(url))
        try:
            sender = TxSender(chain.client, key, chain.chain_id, self.clock)
            sent = await sender.send(TransactionRequest(to, data, 500_000, value))
            assert sent.status == 1
            return sent.hash
        finally:
            await chain.close()

    async def open_on_l1(self, address: Address) -> int:
        found: int = await self.ask_l1(self.token, "balanceOf(address)", "(uint256)", address)
        return found

"""OPEN over random lives of a whole rollup: deposits, withdrawals, failures, reorgs of L1.

After each step, on both chains as they are then: what the portal holds is the genesis allocation,
and all deposits, without the finalized withdrawals; and what L2 has is backed by it to the unit.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import pytest
from web3 import Web3

from consensus.bridge.chain import Chain
from consensus.bridge.deposits import approve_call, deposit_call
from consensus.bridge.portal import (
    WITHDRAWAL_FINALIZED_TOPIC,
    Portal,
    finalize_call,
    prove_call,
)
from consensus.bridge.proving import find_proof
from consensus.bridge.status import Stage, withdrawal_status
from consensus.bridge.withdrawal import Withdrawal, withdrawals_of
from consensus.l1.contract_call import encode_call
from consensus.l1.deposit_logs import derive_deposits
from consensus.l1.json_rpc import JsonRpc
from node.genesis.dev_accounts import PROPOSER_ACCOUNT
from node.genesis.genesis import MESSAGE_PASSER
from node.output_root import output_of
from node.reader import Reader
from node.state.view import decode_account
from node.storage.schema import Table
from node.types.deposit import DepositTransaction
from node.types.primitives import (
    Address,
    BlockNumber,
    Hash32,
    checksum_address,
    hex_address,
    keccak256,
)
from node.types.receipt import Log
from node.types.transaction import sign_dynamic_fee
from openrollup.testing import Devnet

T = TypeVar("T")
_GAS = 1_500_000
_BURNT_TOPIC = keccak256(b"WithdrawerBalanceBurnt(uint256)")


@dataclass
class Life:
    """A rollup, and what has been tried with it. Every step leaves it as users would find it."""

    devnet: Devnet
    random: random.Random
    begun: dict[Hash32, Withdrawal] = field(default_factory=dict)
    """Withdrawals by their hashes, those that a reorg has taken back included."""

    def __post_init__(self) -> None:
        contracts = self.devnet._network.nodes.rollup.contracts
        self.contracts = contracts
        self.on_l1, self.on_l2 = self.devnet.accounts[2], self.devnet.accounts[3]
        self.send_l1(contracts.open_token, approve_call(contracts.optimism_portal, 2**256 - 1))
        self.devnet.advance_l1(4)  # what comes from now on may be reorganised
        self.at_first = self.locked()

    # Steps

    def deposit(self) -> None:
        """Sometimes of nothing, sometimes to do what fails on L2."""
        amount = self.random.choice((0, 1, self.random.randrange(10**18)))
        to, data = self.stranger(), self.random.randbytes(self.random.choice((0, 30)))
        if self.random.random() < 0.3:
            to, data = MESSAGE_PASSER, b"\xff" * 4
        gas = 21_000 + 40 * len(data) + self.random.randrange(30_000)
        self.send_l1(self.contracts.optimism_portal, deposit_call(to, amount, gas, data))
        self.devnet.advance_l1()

    def withdraw(self) -> None:
        """To anybody, or to a contract that will refuse the call."""
        target = self.random.choice((self.stranger(), self.contracts.system_config))
        data = self.random.randbytes(self.random.choice((0, 4)))
        call = encode_call("initiateWithdrawal(address,uint256,bytes)", target, 30_000, data)
        self.send_l2(MESSAGE_PASSER, call, self.random.choice((0, self.random.randrange(10**18))))
        self.devnet.mine()

    def burn(self) -> None:
        self.send_l2(MESSAGE_PASSER, encode_call("burn()"), 0)
        self.devnet.mine()

    def go_on(self) -> None:
        self.devnet.mine(self.random.randrange(1, 8))
        self.devnet.derive()

    def propose(self) -> None:
        """Claim the next output, of a safe block, if L1 does not change until then."""
        number = asyncio.run(self.at_l1(self.next_output))
        reader = self.devnet.verifier.reader
        if reader.heads().safe.number < number:
            self.devnet.mine(10)
            self.devnet.derive()
        header = reader.header_by_number(BlockNumber(number))
        assert header is not None
        head = self.devnet.l1.heads.unsafe
        root = output_of(reader, header).root
        signature = "proposeL2Output(bytes32,uint256,bytes32,uint256)"
        call = encode_call(signature, root, number, head.hash, head.number)
        self.send_raw(self.contracts.l2_output_oracle, call)
        self.devnet.advance_l1()

    def prove(self) -> None:
        self.prove_each(self.some())

    def prove_each(self, withdrawals: list[tuple[Withdrawal, int]]) -> None:
        for withdrawal, block in withdrawals:
            data = asyncio.run(self.at_l1(partial(self.proof, withdrawal, block)))
            if data is not None:
                self.send_l1(self.contracts.optimism_portal, data)
        self.devnet.advance_l1()

    def finalize(self) -> None:
        """At any time, and again and again: most attempts are reverted."""
        self.finalize_each(self.some())

    def finalize_each(self, withdrawals: list[tuple[Withdrawal, int]]) -> None:
        for withdrawal, _ in withdrawals:
            self.send_l1(self.contracts.optimism_portal, finalize_call(withdrawal))
        self.devnet.advance_l1()

    def let_time_pass(self) -> None:
        self.devnet.mine(3)
        self.devnet.advance_l1(self.random.choice((1, 12)))

    def see_through(self) -> None:
        """Finalize all that was begun, and what reorgs have put back into the pool."""
        self.go_on()
        held = self.held()
        last = max((block for _, block in held), default=0)
        while asyncio.run(self.at_l1(self.next_output)) <= last + 10:
            self.propose()
        self.prove_each(held)
        self.devnet.advance_l1(12)  # each is a second after its parent at least
        self.finalize_each(held)

    def reorg(self) -> None:
        heads = self.devnet.l1.heads
        most = min(3, heads.unsafe.number - heads.finalized.number)
        self.devnet.reorg_l1(self.random.randint(1, most))

    # What has to hold

    def check(self) -> None:
        """Compare what is locked, minted, paid and owned."""
        minted = sum(deposit.mint for deposit in self.deposits_on_l1())
        paid = self.paid()
        locked = self.locked()
        assert locked == self.at_first + minted - sum(self.begun[key].value for key in paid)

        reader = self.devnet.l2.reader
        arrived, sent, burnt = 0, [], 0
        for logs, transactions in self.blocks(reader):
            arrived += sum(tx.mint for tx in transactions if isinstance(tx, DepositTransaction))
            sent += withdrawals_of(logs)
            burnt += sum(
                int.from_bytes(log.topics[1]) for log in logs if log.topics[0] == _BURNT_TOPIC
            )
        assert {item.hash for item in sent} >= paid, "nothing was paid that L2 has not sent"
        owned, in_passer = self.owned()
        assert owned == self.at_first + arrived - burnt
        on_their_way = sum(item.value for item in sent if item.hash not in paid)
        assert locked == owned - in_passer + on_their_way + (minted - arrived)
        assert in_passer == sum(item.value for item in sent) - burnt

    def locked(self) -> int:
        async def read(portal: Portal) -> int:
            balance: int = await portal.l1.read(
                portal.token, "balanceOf(address)", "(uint256)", portal.address
            )
            return balance

        return asyncio.run(self.at_l1(read))

    def deposits_on_l1(self) -> list[DepositTransaction]:
        reader, portal = self.devnet.l1.reader, self.contracts.optimism_portal
        found: list[DepositTransaction] = []
        for number in range(1, reader.heads().unsafe.number + 1):
            block = self.devnet.l1.block(number)
            found += derive_deposits(block.hash, self.devnet.l1.receipts(block), portal)
        return found

    def paid(self) -> set[Hash32]:
        portal = self.contracts.optimism_portal
        finalized = [
            log.topics[1]
            for logs, _ in self.blocks(self.devnet.l1.reader)
            for log in logs
            if log.address == portal and log.topics[0] == WITHDRAWAL_FINALIZED_TOPIC
        ]
        assert len(set(finalized)) == len(finalized), "none is paid twice"
        return set(finalized)

    def owned(self) -> tuple[int, int]:
        """Return what all accounts of L2 have together, and what the message passer has of it."""
        database = self.devnet._network.nodes.sequencer.node.database
        with database.read() as snapshot:
            balances = {
                key: decode_account(raw).balance for key, raw in snapshot.items(Table.ACCOUNTS)
            }
        return sum(balances.values()), balances.get(MESSAGE_PASSER, 0)

    def blocks(self, reader: Reader) -> list[tuple[list[Log], tuple[Any, ...]]]:
        """Return the logs and the transactions of each block."""
        found = []
        for number in range(1, reader.heads().unsafe.number + 1):
            block = reader.block_by_number(BlockNumber(number))
            assert block is not None
            receipts = reader.receipts(block.hash) or ()
            found.append(([log for r in receipts for log in r.logs], block.transactions))
        return found

    # How

    def held(self) -> list[tuple[Withdrawal, int]]:
        """Return the withdrawals that L2 has now, with their blocks."""
        held = [
            (withdrawal, number)
            for number, (logs, _) in enumerate(self.blocks(self.devnet.l2.reader), 1)
            for withdrawal in withdrawals_of(logs)
        ]
        self.begun |= {withdrawal.hash: withdrawal for withdrawal, _ in held}
        return held

    def some(self) -> list[tuple[Withdrawal, int]]:
        """Return a few of them, one twice, perhaps."""
        held = self.held()
        return self.random.choices(held, k=self.random.randint(1, 4)) if held else []

    async def proof(self, withdrawal: Withdrawal, block: int, portal: Portal) -> bytes | None:
        held = await portal.snapshot(withdrawal, block)
        if withdrawal_status(held).stage is not Stage.READY_TO_PROVE or held.covering is None:
            return None
        l2 = await Chain.open(JsonRpc(self.devnet.l2.url))
        try:
            index, proof = await find_proof(l2, withdrawal, [held.covering])
            return prove_call(withdrawal, index, proof)
        finally:
            await l2.close()

    async def next_output(self, portal: Portal) -> int:
        number: int = await portal.l1.read(portal.oracle, "nextBlockNumber()", "(uint256)")
        return number

    async def at_l1(self, work: Callable[[Portal], Awaitable[T]]) -> T:
        l1 = await Chain.open(JsonRpc(self.devnet.l1.url))
        contracts = self.contracts
        try:
            return await work(
                Portal(
                    l1, contracts.optimism_portal, contracts.open_token, contracts.l2_output_oracle
                )
            )
        finally:
            await l1.close()

    def send_l1(self, to: Address, data: bytes) -> None:
        request: Any = {"from": self.on_l1.address, "to": to, "data": data, "gas": _GAS}
        self.devnet.l1.w3.eth.send_transaction(request)

    def send_l2(self, to: Address, data: bytes, value: int) -> None:
        request: Any = {"from": self.on_l2.address, "to": to, "data": data, "gas": _GAS}
        self.devnet.w3.eth.send_transaction(request | {"value": value})

    def send_raw(self, to: Address, data: bytes) -> None:
        """As the proposer, which is no user."""
        eth = self.devnet.l1.w3.eth
        name = Web3.to_checksum_address(checksum_address(PROPOSER_ACCOUNT.address))
        signed = sign_dynamic_fee(
            PROPOSER_ACCOUNT.private_key,
            chain_id=eth.chain_id,
            nonce=eth.get_transaction_count(name, "pending"),
            max_priority_fee_per_gas=10**9,
            max_fee_per_gas=10**11,
            gas=_GAS,
            to=to,
            data=data,
        )
        eth.send_raw_transaction(signed.raw)

    def stranger(self) -> Address:
        return hex_address(self.random.randbytes(20).hex())


STEPS: tuple[tuple[Callable[[Life], None], int], ...] = (
    (Life.deposit, 4),
    (Life.withdraw, 6),
    (Life.burn, 1),
    (Life.go_on, 2),
    (Life.propose, 6),
    (Life.prove, 6),
    (Life.finalize, 6),
    (Life.let_time_pass, 4),
    (Life.reorg, 2),
)


@pytest.mark.parametrize("seed", range(3))
def test_open_is_conserved(devnet: Devnet, seed: int) -> None:
    life = Life(devnet, random.Random(seed))
    assert life.owned() == (life.at_first, 0)
    deck = [step for step, count in STEPS for _ in range(count)]
    life.random.shuffle(deck)
    for step in deck:
        step(life)
        life.check()
    life.see_through()
    life.check()
    assert life.paid() == {withdrawal.hash for withdrawal, _ in life.held()}
    assert life.deposits_on_l1()
    devnet.derive()
    assert devnet.verifier.heads.safe == devnet.l2.heads.unsafe

"""L1 and L2 side by side: deposits and withdrawals cross as they do in a real rollup."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from consensus.bridge.withdrawal import MESSAGE_PASSER, Withdrawal, withdrawals_of
from consensus.l1.deposit_logs import DEPOSIT_TOPIC, parse_deposit
from node.genesis.predeploys import (
    L2_CROSS_DOMAIN_MESSENGER_ADDRESS,
    L2_STANDARD_BRIDGE_ADDRESS,
    MINTABLE_ERC20_FACTORY_ADDRESS,
)
from node.output_root import output_of
from node.types.block import Header
from node.types.deposit import DepositTransaction
from node.types.primitives import Address, BlockNumber, Hash32, keccak256
from node.types.receipt import Log, Receipt
from tests.contracts.conftest import (
    ALICE,
    FINALIZATION_PERIOD,
    OWNER,
    PROPOSER,
    SUPPLY,
    L1Contracts,
    deploy_portal,
)
from tests.contracts.local_chain import Contract, LocalChain, Outcome, address_text
from tests.contracts.rollup import L2Contract, Rollup


@dataclass(slots=True)
class TwoChains:
    """A rollup's contracts on both sides, and what carries their messages."""

    l1: LocalChain
    contracts: L1Contracts
    l1_messenger: Contract
    l1_bridge: Contract
    l2: Rollup
    l2_messenger: L2Contract
    l2_bridge: L2Contract
    factory: L2Contract

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator["TwoChains"]:
        """Both chains with everything deployed; Alice has the OPEN of L1."""
        l1 = LocalChain()
        l1.fund(ALICE, 10**20)
        token = Contract.deploy(l1, "OpenToken", address_text(ALICE), SUPPLY, sender=OWNER)
        contracts = deploy_portal(l1, token)
        portal = address_text(contracts.portal.address)
        messenger = Contract.deploy(l1, "L1CrossDomainMessenger", portal, sender=OWNER)
        address = address_text(messenger.address)
        bridge = Contract.deploy(l1, "L1StandardBridge", address, sender=OWNER)
        with Rollup.opened(messenger.address, bridge.address) as l2:
            yield cls(
                l1,
                contracts,
                messenger,
                bridge,
                l2,
                L2Contract(l2, "L2CrossDomainMessenger", L2_CROSS_DOMAIN_MESSENGER_ADDRESS),
                L2Contract(l2, "L2StandardBridge", L2_STANDARD_BRIDGE_ADDRESS),
                L2Contract(l2, "OptimismMintableERC20Factory", MINTABLE_ERC20_FACTORY_ADDRESS),
            )

    def deposits_of(self, outcome: Outcome) -> tuple[DepositTransaction, ...]:
        """What derivation reads out of an L1 transaction that is alone in its block."""
        self.l1.block_number += 1
        block_hash = keccak256(self.l1.block_number.to_bytes(32, "big"))
        portal = self.contracts.portal.address
        return tuple(
            parse_deposit(block_hash, index, _node_log(log.address, log.topics, log.data))
            for index, log in enumerate(outcome.logs)
            if log.address == portal and log.topics[0] == DEPOSIT_TOPIC
        )

    def carry_down(self, outcome: Outcome) -> Receipt:
        """Execute on L2 the one deposit that an L1 transaction has made."""
        (receipt,) = self.l2.include(*self.deposits_of(outcome))
        return receipt

    def carry_up(self, receipt: Receipt) -> Outcome:
        """Prove and finalize on L1 the one withdrawal that an L2 transaction has begun."""
        withdrawal = self.prove(receipt)
        self.l1.timestamp += FINALIZATION_PERIOD + 1
        return self.finalize(withdrawal)

    def finalize(self, withdrawal: Withdrawal, gas: int = 30_000_000) -> Outcome:
        """Finalize what is proven and old enough."""
        portal = self.contracts.portal
        fields = _with_text(withdrawal)
        return portal.send("finalizeWithdrawalTransaction", fields, sender=PROPOSER, gas=gas)

    def prove(self, receipt: Receipt) -> Withdrawal:
        """Propose an output after the transaction's block and prove its one withdrawal there."""
        assert receipt.status == 1
        (withdrawal,) = withdrawals_of(receipt.logs)
        header = self._propose_beyond(self.l2.chain.head().number)
        reader = self.l2.chain.reader
        proof = reader.proof(MESSAGE_PASSER, (withdrawal.slot,), header)
        index = self.contracts.oracle.read("getL2OutputIndexAfter", header.number)
        self.contracts.portal.send(
            "proveWithdrawalTransaction",
            _with_text(withdrawal),
            index,
            output_of(reader, header).fields,
            proof.storage[0].proof,
            sender=PROPOSER,
        )
        return withdrawal

    def _propose_beyond(self, number: int) -> Header:
        """Propose what is due until an output covers that block; return its block."""
        while True:
            header = self._propose()
            if header.number >= number:
                return header

    def _propose(self) -> Header:
        oracle = self.contracts.oracle
        due = oracle.read("nextBlockNumber")
        while self.l2.chain.head().number < due:
            self.l2.chain.extend()
        header = self.l2.chain.reader.header_by_number(BlockNumber(due))
        assert header is not None
        self.l1.timestamp = max(self.l1.timestamp, oracle.read("computeL2Timestamp", due) + 1)
        proposal = (output_of(self.l2.chain.reader, header).root, due, bytes(32), 0)
        oracle.send("proposeL2Output", *proposal, sender=PROPOSER)
        return header


def _with_text(withdrawal: Withdrawal) -> tuple[object, ...]:
    nonce, sender, target, value, gas_limit, data = withdrawal.fields
    return nonce, address_text(sender), address_text(target), value, gas_limit, data


def _node_log(address: bytes, topics: tuple[bytes, ...], data: bytes) -> Log:
    return Log(Address(address), tuple(map(Hash32, topics)), data)

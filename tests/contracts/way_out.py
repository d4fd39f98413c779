"""The L1 side of withdrawals in tests: outputs, proofs and payments on the local chain."""

from dataclasses import dataclass
from typing import Any

from consensus.bridge.withdrawal import Withdrawal
from node.output_root import Output
from tests.contracts.conftest import ALICE, FINALIZATION_PERIOD, PROPOSER, L1Contracts
from tests.contracts.local_chain import Contract, LocalChain, Outcome, address_text
from tests.contracts.withdrawing import Proof, WithdrawingChain

ESTIMATOR = b"\0" * 19 + b"\x01"


@dataclass(frozen=True, slots=True)
class WayOut:
    """The portal with its oracle and an L2 whose withdrawals it can be shown."""

    l1: L1Contracts
    l2: WithdrawingChain

    @property
    def chain(self) -> LocalChain:
        return self.l1.portal.chain

    @property
    def portal(self) -> Contract:
        return self.l1.portal

    @property
    def oracle(self) -> Contract:
        return self.l1.oracle

    def wait(self, seconds: int) -> None:
        self.chain.timestamp += seconds

    def wait_until_final(self) -> None:
        """Until whatever has happened by now is final, to the second."""
        self.wait(FINALIZATION_PERIOD + 1)

    def propose(self, root: bytes) -> int:
        """Propose a root for the block that is due, and return its index."""
        index = self.oracle.read("nextOutputIndex")
        number = self.oracle.read("nextBlockNumber")
        due = self.oracle.read("computeL2Timestamp", number) + 1
        self.chain.timestamp = max(self.chain.timestamp, due)
        self.oracle.send("proposeL2Output", root, number, bytes(32), 0, sender=PROPOSER)
        return int(index)

    def lock(self, amount: int) -> None:
        """Have OPEN in the portal, as from deposits."""
        self.l1.token.send("transfer", address_text(self.portal.address), amount, sender=ALICE)

    def locked(self) -> int:
        return self.open_of(self.portal.address)

    def open_of(self, owner: bytes) -> int:
        return int(self.l1.token.read("balanceOf", address_text(owner)))

    def prove(
        self,
        withdrawal: Withdrawal,
        index: int,
        proof: Proof,
        *,
        output: Output | None = None,
        nodes: tuple[bytes, ...] | None = None,
        sender: bytes = ALICE,
    ) -> Outcome:
        """Prove with this proof, parts of it replaced by others."""
        arguments = (
            fields(withdrawal),
            index,
            (output or proof.output).fields,
            proof.nodes if nodes is None else nodes,
        )
        return self.portal.send("proveWithdrawalTransaction", *arguments, sender=sender)

    def proven(self, withdrawal: Withdrawal) -> int:
        """Propose the newest block's output, prove the withdrawal there; return the index."""
        proof = self.l2.proof(withdrawal)
        index = self.propose(proof.output.root)
        self.prove(withdrawal, index, proof)
        return index

    def finalize(self, withdrawal: Withdrawal, *, sender: bytes = ALICE, **options: Any) -> Outcome:
        return self.portal.send(
            "finalizeWithdrawalTransaction", fields(withdrawal), sender=sender, **options
        )

    def finalized_with(self, outcome: Outcome) -> bool:
        """The success that an outcome's one WithdrawalFinalized tells of."""
        (log,) = self.portal.events(outcome, "WithdrawalFinalized")
        return bool(int.from_bytes(log.data, "big"))


def fields(withdrawal: Withdrawal) -> tuple[object, ...]:
    """The struct, with addresses as eth-abi takes them."""
    nonce, sender, target, value, gas_limit, data = withdrawal.fields
    return nonce, address_text(sender), address_text(target), value, gas_limit, data

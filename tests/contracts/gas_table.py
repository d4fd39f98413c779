"""Gas of what users and operators of a rollup send to L1, from real blocks of our own L1.

`python -m tests.contracts.gas_table` prints it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_utils.abi import get_abi_input_types

from attribution.verifier_call import encode_verify
from consensus.bridge.withdrawal import Withdrawal
from node.artifacts import load_artifact
from node.genesis import l1_dev_genesis
from node.types.primitives import Address, create_address
from node.types.transaction import sign_dynamic_fee
from tests.contracts.local_chain import address_text, encode_call
from tests.contracts.proven_receipts import open_proven_receipts
from tests.contracts.way_out import fields
from tests.contracts.withdrawing import STAGES, TARGET, WithdrawingChain, open_withdrawing
from tests.node.chains import ALICE, BOB, Chain, open_chain

OPEN = 10**18
_PERIOD_S = 10
_GAS = 3_000_000
_FEE_RECEIVER = Address(b"\x0f" * 20)


@dataclass(slots=True)
class GasL1:
    """An L1 with the rollup's contracts; all that is sent comes from one account."""

    chain: Chain
    token: Address
    portal: Address
    oracle: Address

    @classmethod
    def deployed(cls, chain: Chain) -> "GasL1":
        sender = address_text(ALICE.address)
        token, config, portal, oracle = (create_address(ALICE.address, n) for n in range(4))
        texts = [address_text(address) for address in (token, portal, oracle)]
        nobody = address_text(_FEE_RECEIVER)
        l1 = cls(chain, token, portal, oracle)
        l1._create("OpenToken", sender, 10**27)
        settings = (sender, nobody, 0, 0, 30_000_000, nobody, nobody, *texts, nobody, nobody)
        l1._create("SystemConfig", *settings)
        l1._create("OptimismPortal", texts[0], address_text(config), texts[2])
        start = chain.head().timestamp
        l1._create("L2OutputOracle", 1, 1, 0, start, sender, sender, _PERIOD_S)
        return l1

    def send(self, contract: str, to: Address, function: str, *arguments: Any) -> int:
        """Make a block of one call and return the gas that it has used."""
        data = encode_call(contract, function, *arguments)
        return self._include(to, data)

    def _create(self, name: str, *arguments: Any) -> None:
        abi = load_artifact(name).abi
        constructor: Any = next(item for item in abi if item["type"] == "constructor")
        types = get_abi_input_types(constructor)
        self._include(None, load_artifact(name).bytecode + encode(types, arguments), _GAS * 3)

    def _include(self, to: Address | None, data: bytes, gas: int = _GAS) -> int:
        account = self.chain.reader.account(ALICE.address, self.chain.head())
        assert account is not None
        tx = sign_dynamic_fee(
            ALICE.private_key,
            chain_id=self.chain.reader.config.chain_id,
            nonce=account.nonce,
            max_priority_fee_per_gas=0,
            max_fee_per_gas=10**12,
            gas=gas,
            to=to,
            data=data,
        )
        (receipt,) = self.chain.extend(tx).receipts
        assert receipt.status == 1
        return receipt.cumulative_gas_used


def gas_table() -> dict[str, int]:
    """Gas by what is done."""
    genesis = l1_dev_genesis(timestamp=1_700_000_000)
    with open_chain(genesis=genesis) as chain, open_withdrawing() as l2:
        l1 = GasL1.deployed(chain)
        return _deposits(l1) | _withdrawals(l1, l2) | _receipts()


def _deposits(l1: GasL1) -> dict[str, int]:
    l1.send("OpenToken", l1.token, "approve", address_text(l1.portal), 2**256 - 1)
    to = address_text(BOB.address)

    def plain(gas: int, data: bytes = b"") -> int:
        arguments = (to, 0, gas, False, data)
        return l1.send("OptimismPortal", l1.portal, "depositTransaction", *arguments)

    def tokens(gas: int, data: bytes = b"") -> int:
        arguments = (to, OPEN, OPEN, gas, False, data)
        return l1.send("OptimismPortal", l1.portal, "depositERC20Transaction", *arguments)

    first = tokens(21_000)
    table = {
        "depositTransaction, 21,000 L2 gas": plain(21_000),
        "depositTransaction, 100,000 L2 gas": plain(100_000),
        "depositTransaction, 1,000 bytes": plain(100_000, b"\x11" * 1000),
        "depositERC20Transaction, the portal's first": first,
        "depositERC20Transaction, 21,000 L2 gas": tokens(21_000),
        "depositERC20Transaction, 100,000 L2 gas": tokens(100_000),
    }
    l1.send("OpenToken", l1.token, "transfer", address_text(l1.portal), 10**24)
    return table


def _withdrawals(l1: GasL1, l2: WithdrawingChain) -> dict[str, int]:
    table: dict[str, int] = {}
    few, many = l2.stages[2], l2.stages[STAGES[-1]]
    for name, header in (("the first", few), ("later", many)):
        root = l2.proof(l2.sent[0], header).output.root
        number = 1 if header is few else 2
        head = l1.chain.head()
        arguments = (root, number, head.hash, head.number)
        table[f"proposeL2Output, {name}"] = _propose(l1, *arguments)

    def prove(withdrawal: Withdrawal, index: int) -> int:
        proof = l2.proof(withdrawal, (few, many)[index])
        arguments = (fields(withdrawal), index, proof.output.fields, proof.nodes)
        return l1.send("OptimismPortal", l1.portal, "proveWithdrawalTransaction", *arguments)

    paid = _first(l2, lambda w: w.value > 0 and not w.data)
    called = _first(l2, lambda w: w.value > 0 and len(w.data) == 4 and w.gas_limit < 10**6)
    nodes = len(l2.proof(l2.sent[1], few).nodes), len(l2.proof(paid, many).nodes)
    table[f"proveWithdrawalTransaction, {nodes[0]} nodes"] = prove(l2.sent[1], 0)
    table[f"proveWithdrawalTransaction, {nodes[1]} nodes"] = prove(paid, 1)
    prove(called, 1)
    for _ in range(_PERIOD_S + 1):
        l1.chain.extend()
    for name, withdrawal in (("no data", paid), ("4 bytes for no code", called)):
        gas = l1.send(
            "OptimismPortal", l1.portal, "finalizeWithdrawalTransaction", fields(withdrawal)
        )
        table[f"finalizeWithdrawalTransaction, {name}"] = gas
    _propose(l1, b"\x01" * 32, 3, bytes(32), 0)
    table["deleteL2Outputs"] = l1.send("L2OutputOracle", l1.oracle, "deleteL2Outputs", 2)
    return table


def _receipts() -> dict[str, int]:
    """Receipts of batches of 100."""
    with open_proven_receipts() as receipts:
        proofs = {"in the output's block": receipts.same_block(), "one step": receipts.one_hop()}
        return {
            f"AttributionVerifier.verify, {name}": receipts.include(
                receipts.verifier, encode_verify(proof)
            )
            for name, proof in proofs.items()
        }


def _propose(l1: GasL1, *arguments: Any) -> int:
    return l1.send("L2OutputOracle", l1.oracle, "proposeL2Output", *arguments)


def _first(l2: WithdrawingChain, fits: Callable[[Withdrawal], bool]) -> Withdrawal:
    return next(w for w in l2.sent[2:] if fits(w) and w.target != TARGET)


if __name__ == "__main__":
    for what, gas in gas_table().items():
        print(f"{what:<50} {gas:>9,}")

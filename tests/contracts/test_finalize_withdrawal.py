"""Finalizing withdrawals: when, how often, who is paid and called, and with how much gas."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.bridge.withdrawal import Withdrawal
from node.types.primitives import Address
from tests.contracts.conftest import (
    ALICE,
    CHALLENGER,
    FINALIZATION_PERIOD,
    OWNER,
    SUPPLY,
    L1Contracts,
    deploy_portal,
)
from tests.contracts.local_chain import (
    Contract,
    LocalChain,
    Outcome,
    OutOfGas,
    Reverted,
    address_text,
)
from tests.contracts.way_out import ESTIMATOR, WayOut, fields
from tests.contracts.withdrawing import TARGET, USER, Order, open_withdrawing

OPEN = 10**18
NO_L2_SENDER = "0x000000000000000000000000000000000000dead"


@pytest.fixture
def way_out(l1: L1Contracts) -> Iterator[WayOut]:
    with open_withdrawing(genesis_only=True) as l2:
        way_out = WayOut(l1, l2)
        way_out.lock(100 * OPEN)
        yield way_out


@pytest.fixture
def target(chain: LocalChain) -> Contract:
    return Contract.deploy(chain, "WithdrawalTarget", sender=OWNER)


def final(way_out: WayOut, order: Order) -> Withdrawal:
    """A withdrawal that only needs to be finalized."""
    (withdrawal,) = way_out.l2.withdraw(order)
    way_out.proven(withdrawal)
    way_out.wait_until_final()
    return withdrawal


def calling(target: Contract, function: str, *arguments: object, **more: int) -> Order:
    """An order that calls a function of the target."""
    data = target.calldata(function, *arguments)
    return Order(USER, Address(target.address), data=data, **more)


def test_value_is_paid_in_open(way_out: WayOut) -> None:
    withdrawal = final(way_out, Order(USER, TARGET, 7 * OPEN))
    outcome = way_out.finalize(withdrawal)
    assert way_out.finalized_with(outcome) is True
    assert (way_out.open_of(TARGET), way_out.locked()) == (7 * OPEN, 93 * OPEN)
    assert way_out.portal.read("finalizedWithdrawals", withdrawal.hash) is True
    assert way_out.chain.balance(TARGET) == 0


def test_anybody_may_finalize(way_out: WayOut) -> None:
    withdrawal = final(way_out, Order(USER, TARGET, OPEN))
    way_out.finalize(withdrawal, sender=b"\x99" * 20)
    assert way_out.open_of(TARGET) == OPEN


def test_the_target_is_paid_and_then_called(way_out: WayOut, target: Contract) -> None:
    portal = address_text(way_out.portal.address)
    assert way_out.portal.read("l2Sender") == NO_L2_SENDER
    withdrawal = final(way_out, calling(target, "note", portal, value=3 * OPEN, gas_limit=200_000))
    assert way_out.finalized_with(way_out.finalize(withdrawal)) is True
    assert target.read("l2Sender") == address_text(USER)
    assert target.read("tokens") == 3 * OPEN
    assert way_out.portal.read("l2Sender") == NO_L2_SENDER


def test_a_target_without_code_may_get_data(way_out: WayOut) -> None:
    withdrawal = final(way_out, Order(USER, TARGET, OPEN, 30_000, b"hello"))
    assert way_out.finalized_with(way_out.finalize(withdrawal)) is True
    assert way_out.open_of(TARGET) == OPEN


@pytest.mark.parametrize("function", ["fail", "burn"])
def test_a_call_that_fails_ends_the_withdrawal(
    way_out: WayOut, target: Contract, function: str
) -> None:
    """The payment stands; there is no second call."""
    withdrawal = final(way_out, calling(target, function, value=OPEN, gas_limit=50_000))
    # Just enough to be let through: what burns all it gets still leaves enough to finish.
    outcome = way_out.finalize(withdrawal, gas=260_000)
    assert way_out.finalized_with(outcome) is False
    assert way_out.open_of(target.address) == OPEN
    assert way_out.portal.read("l2Sender") == NO_L2_SENDER
    with pytest.raises(Reverted, match="AlreadyFinalized"):
        way_out.finalize(withdrawal)


def test_a_long_answer_costs_the_relayer_nothing(way_out: WayOut, target: Contract) -> None:
    withdrawals = [final(way_out, calling(target, "flood", gas_limit=400_000)) for _ in range(2)]
    outcome = way_out.finalize(withdrawals[0])
    assert way_out.finalized_with(outcome) is True
    # The callee pays for its memory: 9,375 words, and their square.
    assert outcome.gas_used < 300_000


def test_too_early(way_out: WayOut) -> None:
    (withdrawal,) = way_out.l2.withdraw(Order(USER, TARGET, OPEN))
    proof = way_out.l2.proof(withdrawal)
    index = way_out.propose(proof.output.root)
    way_out.wait(1000)  # the output is older than the proof
    way_out.prove(withdrawal, index, proof)
    final_after = way_out.chain.timestamp + FINALIZATION_PERIOD
    for _ in range(2):
        with pytest.raises(Reverted, match="ProofNotFinal") as refusal:
            way_out.finalize(withdrawal)
        assert refusal.value.arguments == (final_after,)
        way_out.chain.timestamp = final_after
    way_out.wait(1)
    way_out.finalize(withdrawal)


def test_an_output_becomes_final(way_out: WayOut) -> None:
    index = way_out.propose(b"\x01" * 32)
    way_out.wait(FINALIZATION_PERIOD)
    assert way_out.portal.read("isOutputFinalized", index) is False
    way_out.wait(1)
    assert way_out.portal.read("isOutputFinalized", index) is True
    with pytest.raises(Reverted, match="OutputNotFound"):
        way_out.portal.read("isOutputFinalized", index + 1)


def test_not_proven(way_out: WayOut) -> None:
    (withdrawal,) = way_out.l2.withdraw(Order(USER, TARGET, OPEN))
    way_out.wait_until_final()
    with pytest.raises(Reverted, match="NotProven") as refusal:
        way_out.finalize(withdrawal)
    assert refusal.value.arguments == (withdrawal.hash,)


def test_a_proof_is_for_one_withdrawal_only(way_out: WayOut) -> None:
    withdrawal = final(way_out, Order(USER, TARGET, OPEN))
    for change in (
        {"value": 2 * OPEN},
        {"target": Address(ALICE)},
        {"sender": Address(ALICE)},
        {"nonce": withdrawal.nonce + 1},
        {"gas_limit": 1},
        {"data": b"\x00"},
    ):
        with pytest.raises(Reverted, match="NotProven"):
            way_out.finalize(replace(withdrawal, **change))  # type: ignore[arg-type]


def test_twice(way_out: WayOut) -> None:
    withdrawal = final(way_out, Order(USER, TARGET, OPEN))
    way_out.finalize(withdrawal)
    with pytest.raises(Reverted, match="AlreadyFinalized") as refusal:
        way_out.finalize(withdrawal)
    assert refusal.value.arguments == (withdrawal.hash,)
    assert way_out.open_of(TARGET) == OPEN


def test_a_finalized_one_cannot_be_proven_again(way_out: WayOut) -> None:
    withdrawal = final(way_out, Order(USER, TARGET, OPEN))
    way_out.finalize(withdrawal)
    proof = way_out.l2.proof(withdrawal)
    index = way_out.propose(proof.output.root)
    with pytest.raises(Reverted, match="AlreadyFinalized"):
        way_out.prove(withdrawal, index, proof)


def test_the_proven_output_was_deleted(way_out: WayOut) -> None:
    (withdrawal,) = way_out.l2.withdraw(Order(USER, TARGET, OPEN))
    index = way_out.proven(withdrawal)
    way_out.oracle.send("deleteL2Outputs", index, sender=CHALLENGER)
    way_out.wait_until_final()
    with pytest.raises(Reverted, match="OutputNotFound") as refusal:
        way_out.finalize(withdrawal)
    assert refusal.value.arguments == (0, 0)
    way_out.propose(b"\x01" * 32)
    way_out.wait_until_final()
    with pytest.raises(Reverted, match="OutputChanged") as refusal:
        way_out.finalize(withdrawal)
    assert refusal.value.arguments == (way_out.l2.proof(withdrawal).output.root, b"\x01" * 32)
    way_out.proven(withdrawal)
    with pytest.raises(Reverted, match="ProofNotFinal"):
        way_out.finalize(withdrawal)
    way_out.wait_until_final()
    way_out.finalize(withdrawal)


def test_the_proven_output_was_proposed_again(way_out: WayOut) -> None:
    """The same root at the same place: the proof stands, the output has to become final."""
    (withdrawal,) = way_out.l2.withdraw(Order(USER, TARGET, OPEN))
    index = way_out.proven(withdrawal)
    way_out.wait(FINALIZATION_PERIOD)
    way_out.oracle.send("deleteL2Outputs", index, sender=CHALLENGER)
    way_out.propose(way_out.l2.proof(withdrawal).output.root)
    way_out.wait(1)
    with pytest.raises(Reverted, match="OutputNotFinal") as refusal:
        way_out.finalize(withdrawal)
    assert refusal.value.arguments == (way_out.chain.timestamp - 1 + FINALIZATION_PERIOD,)
    way_out.wait(FINALIZATION_PERIOD)
    way_out.finalize(withdrawal)


def test_paused(way_out: WayOut) -> None:
    withdrawal = final(way_out, Order(USER, TARGET, OPEN))
    way_out.portal.send("pause", sender=OWNER)
    with pytest.raises(Reverted, match="WithdrawalsPaused"):
        way_out.finalize(withdrawal)
    # A deposit is no withdrawal: nobody can keep transactions from L2.
    arguments = (address_text(TARGET), 0, 100_000, False, b"")
    way_out.portal.send("depositTransaction", *arguments, sender=ALICE)
    way_out.portal.send("unpause", sender=OWNER)
    way_out.finalize(withdrawal)


def test_reentrancy(way_out: WayOut, target: Contract) -> None:
    """Neither the withdrawal that is under way nor another one."""
    other = final(way_out, Order(USER, TARGET, OPEN))
    outer = final(way_out, calling(target, "callPrepared", value=OPEN, gas_limit=500_000))
    for inner in (outer, other):
        data = way_out.portal.calldata("finalizeWithdrawalTransaction", fields(inner))
        target.send("prepare", address_text(way_out.portal.address), data, sender=ALICE)
        if inner is other:
            outer = final(way_out, calling(target, "callPrepared", value=OPEN, gas_limit=500_000))
        assert way_out.finalized_with(way_out.finalize(outer)) is True
        assert target.read("success") is False
        assert target.read("result") == keccak(text="Reentered()")[:4]
    assert way_out.open_of(target.address) == 2 * OPEN
    assert way_out.open_of(TARGET) == 0
    way_out.finalize(other)


def test_a_target_may_deposit_and_prove(way_out: WayOut, target: Contract) -> None:
    portal = address_text(way_out.portal.address)
    arguments = (address_text(TARGET), 0, 100_000, False, b"")
    data = way_out.portal.calldata("depositTransaction", *arguments)
    target.send("prepare", portal, data, sender=ALICE)
    withdrawal = final(way_out, calling(target, "callPrepared", gas_limit=500_000))
    outcome = way_out.finalize(withdrawal)
    (deposit,) = way_out.portal.events(outcome, "TransactionDeposited")
    aliased = int.from_bytes(target.address, "big") + 0x1111000000000000000000000000000000001111
    assert int.from_bytes(deposit.topics[1], "big") == aliased % 2**160


def test_two_in_one_transaction(way_out: WayOut, target: Contract) -> None:
    """The second is not taken for one inside the first; each is called in its sender's name."""
    portal = address_text(way_out.portal.address)
    plain = final(way_out, Order(USER, TARGET, OPEN, 30_000, b"\x01"))
    noting = final(way_out, calling(target, "note", portal, gas_limit=200_000))
    calls = [
        way_out.portal.calldata("finalizeWithdrawalTransaction", fields(withdrawal))
        for withdrawal in (plain, noting)
    ]
    target.send("callAll", portal, calls, sender=ALICE)
    assert target.read("l2Sender") == address_text(USER)
    assert way_out.portal.read("finalizedWithdrawals", noting.hash) is True


def test_the_sender_is_forgotten_in_the_same_transaction(way_out: WayOut, target: Contract) -> None:
    portal = address_text(way_out.portal.address)
    plain = final(way_out, Order(USER, TARGET, 0, 30_000, b"\x01"))
    data = way_out.portal.calldata("finalizeWithdrawalTransaction", fields(plain))
    target.send("prepare", portal, data, sender=ALICE)
    calls = [target.calldata("callPrepared"), target.calldata("note", portal)]
    target.send("callAll", address_text(target.address), calls, sender=ALICE)
    assert target.read("success") is True
    assert target.read("l2Sender") == NO_L2_SENDER


def test_more_than_is_locked(way_out: WayOut) -> None:
    """Cannot come from an honest L2. Nothing happens, and it may be tried again."""
    withdrawal = final(way_out, Order(USER, TARGET, 100 * OPEN + 1))
    with pytest.raises(Reverted, match="ERC20InsufficientBalance"):
        way_out.finalize(withdrawal)
    assert way_out.portal.read("finalizedWithdrawals", withdrawal.hash) is False
    way_out.lock(1)
    way_out.finalize(withdrawal)
    assert way_out.locked() == 0


def test_no_owner_takes_no_payment(way_out: WayOut) -> None:
    """OPEN refuses the zero address: what was sent there on L2 stays locked."""
    withdrawal = final(way_out, Order(USER, Address(bytes(20)), OPEN))
    with pytest.raises(Reverted, match="ERC20InvalidReceiver"):
        way_out.finalize(withdrawal)
    assert way_out.locked() == 100 * OPEN


def test_an_estimate_at_which_the_call_fails_is_none(way_out: WayOut, target: Contract) -> None:
    withdrawal = final(way_out, calling(target, "fail", gas_limit=50_000))
    with pytest.raises(Reverted, match="GasEstimationFailed"):
        way_out.finalize(withdrawal, origin=ESTIMATOR)
    assert way_out.finalized_with(way_out.finalize(withdrawal)) is False


def test_a_gas_limit_that_no_transaction_has(way_out: WayOut) -> None:
    withdrawal = final(way_out, Order(USER, TARGET, 0, 2**256 - 1, b"\x01"))
    with pytest.raises(Reverted, match="NotEnoughGas") as refusal:
        way_out.finalize(withdrawal)
    assert refusal.value.arguments[1] == 2**256 - 1
    # Without data nobody is called, and nothing has to be promised.
    way_out.finalize(final(way_out, Order(USER, TARGET, 0, 2**256 - 1)))


@pytest.mark.parametrize("limit", [200_000, 1_000_000, 20_000_000])
@pytest.mark.parametrize("delegated", [False, True])
def test_the_least_gas_that_is_let_through(
    way_out: WayOut, target: Contract, limit: int, delegated: bool
) -> None:
    """Even then the target gets what it was promised, an account that delegates, too."""
    callee = target
    if delegated:
        callee = Contract(way_out.chain, target.name, b"\x77" * 20)
        way_out.chain.state.set_code(callee.address, b"\xef\x01\x00" + target.address)
        way_out.chain.state.lock_changes()
    portal = address_text(way_out.portal.address)
    withdrawal = final(way_out, calling(callee, "note", portal, gas_limit=limit))
    outcome = _with_least_gas(way_out, withdrawal)
    assert way_out.finalized_with(outcome) is True
    # Until `note` looks, the function has been found and its argument read.
    assert way_out.chain.storage(callee.address, 0) >= limit - 500


@pytest.mark.parametrize("limit", [0, 30_000, 1_000_000])
def test_the_least_gas_for_a_target_that_burns_all(
    way_out: WayOut, target: Contract, limit: int
) -> None:
    """What is let through can be finished, whatever the target does."""
    withdrawal = final(way_out, calling(target, "burn", gas_limit=limit))
    assert way_out.finalized_with(_with_least_gas(way_out, withdrawal)) is False


def _with_least_gas(way_out: WayOut, withdrawal: Withdrawal) -> Outcome:
    """Finalize with more and more gas, until the portal lets it through for the first time."""
    gas = 30_000
    while True:
        try:
            return way_out.finalize(withdrawal, gas=gas)
        except OutOfGas:
            assert gas < 100_000, "let through, and then out of gas"
            gas += 1_000
        except Reverted as refusal:
            assert refusal.name == "NotEnoughGas"
            available, promised = refusal.arguments
            # What is available is told a little later than it was looked at: not all at once.
            gas += max((promised - available) // 2, 100 if available == 0 else 1)


@settings(max_examples=15, deadline=None)
@given(
    limit=st.integers(min_value=0, max_value=2_000_000),
    spare=st.integers(min_value=-60_000, max_value=300_000),
)
def test_a_relayer_cannot_starve_the_target(limit: int, spare: int) -> None:
    """With whatever gas: the target gets what it was promised, or nothing happens."""
    chain = LocalChain()
    token = Contract.deploy(chain, "OpenToken", address_text(ALICE), SUPPLY, sender=OWNER)
    target = Contract.deploy(chain, "WithdrawalTarget", sender=OWNER)
    with open_withdrawing(genesis_only=True) as l2:
        way_out = WayOut(deploy_portal(chain, token), l2)
        portal = address_text(way_out.portal.address)
        withdrawal = final(way_out, calling(target, "note", portal, gas_limit=limit))
        try:
            outcome = way_out.finalize(withdrawal, gas=limit + limit // 63 + 100_000 + spare)
        except (Reverted, OutOfGas) as refusal:
            assert isinstance(refusal, OutOfGas) or refusal.name == "NotEnoughGas"
            assert way_out.portal.read("finalizedWithdrawals", withdrawal.hash) is False
            return
        assert way_out.portal.read("finalizedWithdrawals", withdrawal.hash) is True
        if way_out.finalized_with(outcome):
            # Until `note` looks, the function has been found and its argument read.
            assert target.read("gasGiven") >= limit - 500
        else:
            assert limit < 150_000  # too little for what `note` does

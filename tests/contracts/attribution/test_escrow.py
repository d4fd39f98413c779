"""Deposits, and withdrawals that no voucher can be outrun by."""

import pytest

from attribution.hub_events import Deposited, WithdrawalRequested, Withdrawn
from node.types.primitives import Address
from tests.contracts.attribution.hub_machine import GWEI, HUB, HubMachine, receipt
from tests.contracts.attribution.scene import ANNA, BERT, CARL, Scene
from tests.contracts.local_chain import Reverted, address_text, encode_call

DAY = 86_400
DELAY, WINDOW = 7 * DAY, DAY
NOBODY = Address(bytes(20))
PAYEE = Address(b"\xcc" * 20)


def request(scene: Scene, gwei: int) -> None:
    scene.machine.hub("requestWithdrawal", scene.model_key, gwei, sender=ANNA.address)


def withdraw(scene: Scene) -> int:
    """Execute Anna's withdrawal and return the gwei that she gets."""
    before = scene.machine.balance(ANNA.address)
    outcome = scene.machine.hub("withdraw", scene.model_key, sender=ANNA.address)
    gwei: int = outcome.one(Withdrawn).amount_gwei
    assert scene.machine.balance(ANNA.address) == before + gwei * GWEI
    return gwei


def test_genesis_sets_the_periods(machine: HubMachine) -> None:
    assert machine.ask("withdrawalDelay") == DELAY
    assert machine.ask("withdrawalWindow") == WINDOW


def test_deposits_add_up(scene: Scene) -> None:
    machine, key = scene.machine, scene.model_key
    outcome = machine.hub("deposit", key, NOBODY, sender=ANNA.address, value=3 * GWEI)
    assert outcome.events == (Deposited(key, ANNA.address, ANNA.address, 3),)
    outcome = machine.hub("deposit", key, ANNA.address, sender=ANNA.address, value=4 * GWEI)
    assert outcome.events == (Deposited(key, ANNA.address, ANNA.address, 4),)
    expected = (7, 0, 0, 0, address_text(ANNA.address))
    assert machine.ask("escrow", ANNA.address, key) == expected
    assert machine.balance(HUB) == 7 * GWEI


def test_an_escrow_that_nobody_has(scene: Scene) -> None:
    empty = (0, 0, 0, 0, address_text(NOBODY))
    assert scene.machine.ask("escrow", ANNA.address, scene.model_key) == empty
    assert scene.machine.ask("escrow", ANNA.address, bytes(32)) == empty


@pytest.mark.parametrize("wei", [1, GWEI - 1, GWEI + 1])
def test_deposits_are_whole_gwei(scene: Scene, wei: int) -> None:
    with pytest.raises(Reverted) as caught:
        scene.machine.hub("deposit", scene.model_key, NOBODY, sender=ANNA.address, value=wei)
    assert (caught.value.name, caught.value.arguments) == ("NotWholeGwei", (wei,))
    assert scene.machine.balance(HUB) == 0


def test_what_a_payer_ever_deposits_fits_into_a_voucher(scene: Scene) -> None:
    scene.deposit(ANNA.address, 2**64 - 2)
    scene.log(receipt(10))
    scene.settle([], ANNA.voucher(scene.model_key, 10))
    scene.deposit(ANNA.address, 1)
    with pytest.raises(Reverted) as caught:
        scene.deposit(ANNA.address, 1)
    assert (caught.value.name, caught.value.arguments) == ("AmountTooLarge", (1,))
    with pytest.raises(Reverted, match="AmountTooLarge"):
        scene.deposit(BERT.address, 2**64)


def test_the_first_deposit_fixes_the_signer(scene: Scene) -> None:
    scene.deposit(ANNA.address, 1, CARL.address)
    scene.deposit(ANNA.address, 1)
    scene.deposit(ANNA.address, 1, CARL.address)
    for signer in (ANNA.address, BERT.address):
        with pytest.raises(Reverted) as caught:
            scene.deposit(ANNA.address, 1, signer)
        expected = ("SignerFixed", (address_text(CARL.address),))
        assert (caught.value.name, caught.value.arguments) == expected
    scene.deposit(BERT.address, 1)
    with pytest.raises(Reverted) as caught:
        scene.deposit(BERT.address, 1, CARL.address)
    assert caught.value.arguments == (address_text(BERT.address),)


def test_a_withdrawal_takes_its_time(scene: Scene) -> None:
    scene.deposit(ANNA.address, 10)
    key, machine, now = scene.model_key, scene.machine, scene.machine.now
    outcome = machine.hub("requestWithdrawal", key, 4, sender=ANNA.address)
    assert outcome.events == (WithdrawalRequested(key, ANNA.address, 4),)
    expected = (10, 0, 4, now, address_text(ANNA.address))
    assert machine.ask("escrow", ANNA.address, key) == expected
    machine.sleep(DELAY - 1)
    with pytest.raises(Reverted) as caught:
        withdraw(scene)
    assert (caught.value.name, caught.value.arguments) == ("WithdrawalTooEarly", (now + DELAY,))
    machine.sleep(1)
    assert withdraw(scene) == 4
    assert machine.ask("escrow", ANNA.address, key)[:4] == (6, 0, 0, 0)
    with pytest.raises(Reverted, match="NoWithdrawal"):
        withdraw(scene)


def test_a_withdrawal_lapses(scene: Scene) -> None:
    scene.deposit(ANNA.address, 10)
    now = scene.machine.now
    request(scene, 4)
    scene.machine.sleep(DELAY + WINDOW)
    kept = scene.machine.snapshot()
    assert withdraw(scene) == 4
    scene.machine.restore(kept)
    scene.machine.sleep(1)
    with pytest.raises(Reverted) as caught:
        withdraw(scene)
    expected = ("WithdrawalLapsed", (now + DELAY + WINDOW,))
    assert (caught.value.name, caught.value.arguments) == expected
    request(scene, 4)
    scene.machine.sleep(DELAY)
    assert withdraw(scene) == 4


def test_a_new_request_replaces_the_old_one_and_waits_again(scene: Scene) -> None:
    scene.deposit(ANNA.address, 10)
    request(scene, 4)
    scene.machine.sleep(DELAY)
    request(scene, 10)
    with pytest.raises(Reverted, match="WithdrawalTooEarly"):
        withdraw(scene)
    scene.machine.sleep(DELAY)
    assert withdraw(scene) == 10


def test_a_request_is_taken_back(scene: Scene) -> None:
    scene.deposit(ANNA.address, 10)
    request(scene, 4)
    request(scene, 0)
    scene.machine.sleep(DELAY)
    for attempt in (lambda: withdraw(scene), lambda: request(scene, 0)):
        with pytest.raises(Reverted, match="NoWithdrawal"):
            attempt()


def test_a_request_of_more_than_there_is(scene: Scene) -> None:
    scene.deposit(ANNA.address, 10)
    for gwei in (11, 2**64 - 1):
        with pytest.raises(Reverted) as caught:
            request(scene, gwei)
        assert (caught.value.name, caught.value.arguments) == ("EscrowTooSmall", (10,))


def test_vouchers_go_before_a_withdrawal(scene: Scene) -> None:
    scene.deposit(ANNA.address, 10)
    scene.log(receipt(100))
    request(scene, 8)
    scene.settle([], ANNA.voucher(scene.model_key, 5))
    scene.machine.sleep(DELAY)
    assert withdraw(scene) == 5
    assert scene.balance(ANNA.address) == 0


def test_what_was_not_requested_stays_chargeable(scene: Scene) -> None:
    """Up to balance less request a voucher is good, whenever the withdrawal is executed."""
    scene.deposit(ANNA.address, 10)
    scene.log(receipt(100))
    request(scene, 7)
    accepted = ANNA.voucher(scene.model_key, 3)
    scene.machine.sleep(DELAY)
    assert withdraw(scene) == 7
    scene.settle([], accepted)
    assert (scene.balance(ANNA.address), scene.spent(ANNA.address)) == (0, 3)


def test_an_empty_escrow_withdraws_nothing(scene: Scene) -> None:
    scene.deposit(ANNA.address, 10)
    scene.log(receipt(10))
    request(scene, 10)
    scene.settle([], ANNA.voucher(scene.model_key, 10))
    scene.machine.sleep(DELAY)
    assert withdraw(scene) == 0


def test_escrows_are_apart(scene: Scene) -> None:
    """Nobody withdraws what another has, nor what he has himself for another model."""
    scene.deposit(ANNA.address, 10)
    request(scene, 10)
    scene.machine.sleep(DELAY)
    with pytest.raises(Reverted, match="NoWithdrawal"):
        scene.machine.hub("withdraw", scene.model_key, sender=BERT.address)
    with pytest.raises(Reverted, match="NoWithdrawal"):
        scene.machine.hub("withdraw", bytes(32), sender=ANNA.address)


def test_a_payer_that_refuses_money_keeps_its_escrow(scene: Scene) -> None:
    machine, key = scene.machine, scene.model_key
    machine.place_payee(PAYEE)
    machine.through(PAYEE, "deposit", key, CARL.address, value=10 * GWEI)
    machine.through(PAYEE, "requestWithdrawal", key, 10)
    machine.transact(PAYEE, PAYEE, _set_refuses(True))
    machine.sleep(DELAY)
    with pytest.raises(Reverted) as caught:
        machine.through(PAYEE, "withdraw", key)
    assert (caught.value.name, caught.value.arguments) == ("PaymentFailed", (address_text(PAYEE),))
    assert scene.balance(PAYEE) == 10
    machine.transact(PAYEE, PAYEE, _set_refuses(False))
    machine.through(PAYEE, "withdraw", key)
    assert machine.balance(PAYEE) == 10 * GWEI


def test_a_withdrawal_that_comes_back_for_more(scene: Scene) -> None:
    machine, key = scene.machine, scene.model_key
    scene.deposit(ANNA.address, 100)
    machine.place_payee(PAYEE)
    machine.through(PAYEE, "deposit", key, CARL.address, value=10 * GWEI)
    machine.through(PAYEE, "requestWithdrawal", key, 10)
    machine.transact(PAYEE, PAYEE, _prepare("withdraw", key))
    machine.sleep(DELAY)
    machine.through(PAYEE, "withdraw", key)
    assert machine.balance(PAYEE) == 10 * GWEI
    assert machine.balance(HUB) == 100 * GWEI


def _set_refuses(refuses: bool) -> bytes:
    return encode_call("Payee", "setRefuses", refuses)


def _prepare(function: str, *arguments: object) -> bytes:
    inner = encode_call("AttributionHub", function, *arguments)
    return encode_call("Payee", "prepare", HUB, inner)

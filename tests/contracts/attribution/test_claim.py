"""Pull payments: what one payee does is no other's affair."""

import pytest

from attribution.hub_events import Claimed
from node.types.primitives import Address
from tests.contracts.attribution.hub_machine import GWEI, HUB, HubMachine, receipt
from tests.contracts.attribution.scene import ANNA, OWNER, OWNER_PAYOUT, PAYOUTS, STRANGER, Scene
from tests.contracts.local_chain import Reverted, address_text, encode_call

PAYEE = Address(b"\xcc" * 20)


def pay(scene: Scene, gwei: int, payout: Address = OWNER_PAYOUT) -> None:
    """Let the owner's payout earn so much, and another dataset's owner the same."""
    scene.machine.hub("setModelPayout", scene.model_key, payout, sender=OWNER)
    if scene.machine.ask("escrow", ANNA.address, scene.model_key)[0] == 0:
        scene.deposit(ANNA.address, 10_000)
    scene.log(receipt(gwei))
    total = scene.spent(ANNA.address) + gwei
    scene.settle([], ANNA.voucher(scene.model_key, total))


def test_an_account_claims_what_it_is_owed(scene: Scene) -> None:
    pay(scene, 10)
    outcome = scene.machine.hub("claim", sender=OWNER_PAYOUT)
    assert outcome.events == (Claimed(OWNER_PAYOUT, OWNER_PAYOUT, 10 * GWEI),)
    assert scene.machine.balance(OWNER_PAYOUT) == 10 * GWEI
    assert scene.owed(OWNER_PAYOUT) == 0
    pay(scene, 7)
    assert scene.machine.ask("earnings", OWNER_PAYOUT) == (17 * GWEI, 10 * GWEI)
    assert scene.owed(OWNER_PAYOUT) == 7 * GWEI


def test_a_claim_goes_where_the_account_wants(scene: Scene) -> None:
    pay(scene, 10)
    outcome = scene.machine.hub("claimTo", STRANGER, sender=OWNER_PAYOUT)
    assert outcome.events == (Claimed(OWNER_PAYOUT, STRANGER, 10 * GWEI),)
    assert scene.machine.balance(STRANGER) == 10 * GWEI


@pytest.mark.parametrize("to", [bytes(20), HUB])
def test_a_claim_does_not_go_where_it_is_lost(scene: Scene, to: bytes) -> None:
    pay(scene, 10)
    with pytest.raises(Reverted) as caught:
        scene.machine.hub("claimTo", to, sender=OWNER_PAYOUT)
    assert (caught.value.name, caught.value.arguments) == ("BadPayout", (address_text(to),))


def test_nobody_claims_what_another_is_owed(scene: Scene) -> None:
    pay(scene, 10)
    for sender in (STRANGER, OWNER, PAYOUTS[0]):
        for call in (("claim",), ("claimTo", sender)):
            with pytest.raises(Reverted, match="NothingOwed"):
                scene.machine.hub(*call, sender=sender)


def test_nothing_is_claimed_twice(scene: Scene) -> None:
    pay(scene, 10)
    scene.machine.hub("claim", sender=OWNER_PAYOUT)
    with pytest.raises(Reverted, match="NothingOwed"):
        scene.machine.hub("claim", sender=OWNER_PAYOUT)


def test_a_claim_from_inside_of_a_claim(scene: Scene) -> None:
    machine = scene.machine
    machine.place_payee(PAYEE)
    pay(scene, 10, PAYEE)
    pay(scene, 90)
    inner = encode_call("AttributionHub", "claim")
    machine.transact(STRANGER, PAYEE, encode_call("Payee", "prepare", HUB, inner))
    machine.through(PAYEE, "claim")
    assert machine.balance(PAYEE) == 10 * GWEI
    assert machine.balance(HUB) == 9_990 * GWEI
    assert scene.owed(OWNER_PAYOUT) == 90 * GWEI


def test_a_settlement_from_inside_of_a_claim(scene: Scene) -> None:
    """What is settled meanwhile is claimed the next time."""
    machine = scene.machine
    machine.place_payee(PAYEE)
    pay(scene, 10, PAYEE)
    scene.log(receipt(5))
    voucher = ANNA.voucher(scene.model_key, 15).argument()
    logger = bytes.fromhex(machine.ask("model", scene.model_key)[5][2:])
    inner = encode_call("AttributionHub", "settle", scene.model_key, logger, [], [voucher])
    machine.transact(STRANGER, PAYEE, encode_call("Payee", "prepare", HUB, inner))
    machine.through(PAYEE, "claim")
    assert machine.balance(PAYEE) == 10 * GWEI
    assert scene.owed(PAYEE) == 5 * GWEI
    machine.through(PAYEE, "claim")
    assert machine.balance(PAYEE) == 15 * GWEI


def test_a_payee_that_refuses_locks_only_its_own(scene: Scene) -> None:
    machine = scene.machine
    machine.place_payee(PAYEE)
    machine.transact(STRANGER, PAYEE, encode_call("Payee", "setRefuses", True))
    pay(scene, 10, PAYEE)
    pay(scene, 20)
    with pytest.raises(Reverted) as caught:
        machine.through(PAYEE, "claim")
    assert (caught.value.name, caught.value.arguments) == ("PaymentFailed", (address_text(PAYEE),))
    assert scene.owed(PAYEE) == 10 * GWEI
    machine.hub("claim", sender=OWNER_PAYOUT)
    machine.through(PAYEE, "claimTo", STRANGER)
    assert machine.balance(STRANGER) == 10 * GWEI


def test_money_forced_upon_the_hub_belongs_to_nobody(scene: Scene) -> None:
    pay(scene, 10)
    scene.machine.fund(HUB, 5)
    scene.machine.hub("claim", sender=OWNER_PAYOUT)
    assert scene.machine.balance(HUB) == (10_000 - 10) * GWEI + 5


def test_what_an_account_earns_over_several_models(machine: HubMachine) -> None:
    scene = Scene.made(machine)
    terms = (0, 10_000, OWNER_PAYOUT, [])
    logger = Address(b"\x13" * 20)
    key = machine.hub(
        "registerModel", bytes(32), "", bytes(32), logger, *terms, sender=OWNER
    ).output
    other = Scene(machine, key, int.from_bytes(key[:8], "big"))  # type: ignore[arg-type]
    pay(scene, 10)
    other.deposit(ANNA.address, 10)
    other.log(receipt(5), logger=logger)
    other.settle([], ANNA.voucher(key, 5), logger=logger)
    assert scene.owed(OWNER_PAYOUT) == 15 * GWEI

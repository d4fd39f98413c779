"""Calls that are damaged, cut short or starved: they do what was signed, or nothing."""

from random import Random

import pytest

from attribution.hub_events import Settled, VoucherCharged, decode_hub_event
from node.artifacts import load_artifact
from node.evm.interpreter import Outcome
from node.types.primitives import keccak256
from tests.contracts.attribution.hub_machine import GAS, GWEI, HUB, HubMachine, receipt
from tests.contracts.attribution.scene import ANNA, BERT, PAYOUTS, STRANGER, Scene


@pytest.fixture
def settlement(scene: Scene) -> bytes:
    """Calldata of a settlement of Anna's 40 gwei and Bert's 30, which has not been sent."""
    for payer in (ANNA, BERT):
        scene.deposit(payer.address, 100)
    scene.log(receipt(60, (1, 5000)), receipt(40, (2, 5000)))
    vouchers = [ANNA.voucher(scene.model_key, 40), BERT.voucher(scene.model_key, 30)]
    before = scene.machine.snapshot()
    data = scene.settle([1, 2], *vouchers).data
    scene.machine.restore(before)
    return data


def try_out(machine: HubMachine, data: bytes, gas: int = GAS) -> Outcome:
    """Run a call of the Hub and undo it."""
    checkpoint = machine.world.record()
    outcome = machine.call(data, sender=STRANGER, to=HUB, gas=gas)
    machine.world.discard(checkpoint)
    return outcome


def test_a_settlement_with_any_byte_changed(scene: Scene, settlement: bytes) -> None:
    """It charges what was signed, wholly and with every dataset paid, or it is refused."""
    for place in range(len(settlement)):
        for flip in (0x01, 0x80):
            data = bytearray(settlement)
            data[place] ^= flip
            outcome = try_out(scene.machine, bytes(data))
            if not outcome.success:
                assert outcome.error == "execution reverted"
                continue
            events = [decode_hub_event(log) for log in outcome.logs if log.address == HUB]
            charged = [event for event in events if isinstance(event, VoucherCharged)]
            assert {(event.payer, event.amount_gwei) for event in charged} <= {
                (ANNA.address, 40),
                (BERT.address, 30),
            }
            for event in events:
                if isinstance(event, Settled):
                    assert event.charged_gwei == sum(item.amount_gwei for item in charged)
                    # The owner has 40 %, and 60 % of the half that no dataset is credited with.
                    assert event.owner_wei == event.charged_gwei * GWEI * 7 // 10


def test_a_settlement_that_is_cut_short(scene: Scene, settlement: bytes) -> None:
    for length in range(len(settlement)):
        assert not try_out(scene.machine, settlement[:length]).success


def test_a_settlement_without_enough_gas(scene: Scene, settlement: bytes) -> None:
    """No amount of gas lets a part of it through: a voucher left out, a dataset not paid."""
    enough = try_out(scene.machine, settlement)
    needed = GAS - enough.gas_left
    random = Random(7)
    for gas in [needed - 1, *(random.randrange(needed) for _ in range(150))]:
        outcome = try_out(scene.machine, settlement, gas)
        assert not outcome.success or outcome.logs == enough.logs
    assert any(PAYOUTS[0] in topic for log in enough.logs for topic in log.topics)


def test_noise(scene: Scene) -> None:
    """Every function with arguments of noise: money stays where it is."""
    scene.deposit(ANNA.address, 100)
    scene.log(receipt(100))
    random = Random(11)
    items = [item for item in load_artifact("AttributionHub").abi if item["type"] == "function"]
    for item in items:
        kinds = ",".join(_kind(entry) for entry in item["inputs"])
        selector = keccak256(f"{item['name']}({kinds})".encode())[:4]
        for _ in range(12):
            words = [_word(random) for _ in range(random.randrange(12))]
            scene.machine.transact(STRANGER, HUB, selector + b"".join(words))
    assert scene.balance(ANNA.address) == 100
    assert scene.machine.balance(HUB) == 100 * GWEI


def _word(random: Random) -> bytes:
    value = random.choice([0, 1, 32, 64, 96, 160, 2**64 - 1, 2**255, random.getrandbits(256)])
    return value.to_bytes(32, "big")


def _kind(entry: dict[str, object]) -> str:
    """The ABI's name of an argument's type, tuples spelled out."""
    parts = entry.get("components")
    if not isinstance(parts, list):
        return str(entry["type"])
    return f"({','.join(map(_kind, parts))})" + str(entry["type"]).removeprefix("tuple")

"""What a settlement charges and whom it pays."""

import pytest

from attribution.hub_events import DatasetPaid, Settled, SkipReason, VoucherCharged, VoucherSkipped
from tests.contracts.attribution.hub_machine import GWEI, HUB, HubMachine, receipt
from tests.contracts.attribution.scene import (
    ANNA,
    BERT,
    CARL,
    LOGGER,
    OWNER,
    OWNER_PAYOUT,
    PAYOUTS,
    STRANGER,
    Scene,
)
from tests.contracts.local_chain import Reverted

SHARE = 6000 * 10
"""Wei that a dataset gets for a unit of credit: gwei x basis points, of which it has 60 %."""


def test_owner_and_datasets_share_what_payers_pay(scene: Scene) -> None:
    scene.deposit(ANNA.address, 700)
    scene.deposit(BERT.address, 500)
    scene.log(receipt(600, (1, 5000), (2, 2500)), receipt(400, (2, 10_000)))
    vouchers = [ANNA.voucher(scene.model_key, 600), BERT.voucher(scene.model_key, 400)]
    outcome = scene.settle([1, 2], *vouchers)
    assert int.from_bytes(outcome.output, "big") == 1000
    # The owner has 40 %, and the datasets' 60 % of what no dataset is credited with.
    dataset_1, dataset_2 = 300 * 6 * GWEI // 10, 550 * 6 * GWEI // 10
    owner = 400 * GWEI + 150 * 6 * GWEI // 10
    assert [scene.owed(payout) for payout in PAYOUTS] == [dataset_1, dataset_2, 0]
    assert scene.owed(OWNER_PAYOUT) == owner
    assert (scene.balance(ANNA.address), scene.balance(BERT.address)) == (100, 100)
    assert (scene.spent(ANNA.address), scene.spent(BERT.address)) == (600, 400)
    assert scene.machine.balance(HUB) == 1200 * GWEI
    key = scene.model_key
    assert outcome.events == (
        VoucherCharged(key, ANNA.address, 600, 600),
        VoucherCharged(key, BERT.address, 400, 400),
        DatasetPaid(key, 1, PAYOUTS[0], 3_000_000, dataset_1),
        DatasetPaid(key, 2, PAYOUTS[1], 5_500_000, dataset_2),
        Settled(key, LOGGER, 1000, 1000, OWNER_PAYOUT, owner),
    )
    assert scene.machine.ask("unsettled", key, LOGGER) == (0, 0)


def test_declared_datasets_share_what_no_dataset_is_credited_with(machine: HubMachine) -> None:
    scene = Scene.made(machine, owner_bps=0, declared=[1, 2, 3])
    scene.deposit(ANNA.address, 100)
    scene.log(receipt(10, (1, 5000), (77, 4000)))
    outcome = scene.settle([1, 77], ANNA.voucher(scene.model_key, 10))
    rest = 5 * GWEI // 3
    assert [scene.owed(payout) for payout in PAYOUTS] == [5 * GWEI + rest, rest, rest]
    assert scene.owed(OWNER_PAYOUT) == 5 * GWEI - 3 * rest == 2
    paid = [(event.dataset, event.credit) for event in outcome.all(DatasetPaid)]
    assert paid == [(1, 50_000), (1, 0), (2, 0), (3, 0)]


@pytest.mark.parametrize(
    ("owner_bps", "declared", "influences", "owner_wei"),
    [
        (10_000, [1], [(1, 10_000)], 10 * GWEI),
        (10_000, [], [], 10 * GWEI),
        (0, [], [], 10 * GWEI),
        (0, [], [(1, 10_000)], 0),
        (0, [2], [], 0),
        (0, [2], [(1, 9999)], 0),
        (1, [2], [(1, 9999)], 10 * GWEI // 10_000),
        (9999, [], [(1, 1)], 10 * GWEI - 10 * 10),
    ],
)
def test_the_owners_part(
    machine: HubMachine,
    owner_bps: int,
    declared: list[int],
    influences: list[tuple[int, int]],
    owner_wei: int,
) -> None:
    scene = Scene.made(machine, owner_bps=owner_bps, declared=declared)
    scene.deposit(ANNA.address, 10)
    scene.log(receipt(10, *influences))
    outcome = scene.settle(
        [dataset for dataset, _ in influences], ANNA.voucher(scene.model_key, 10)
    )
    assert outcome.one(Settled).owner_wei == owner_wei == scene.owed(OWNER_PAYOUT)
    assert sum(map(scene.owed, PAYOUTS)) == 10 * GWEI - owner_wei


def test_one_account_can_be_paid_as_everything(machine: HubMachine) -> None:
    scene = Scene.made(machine, declared=[1, 2])
    for dataset in (1, 2, 3):
        payer_owner = machine.ask("dataset", dataset)[0]
        machine.hub("setDatasetPayout", dataset, ANNA.address, sender=_bytes(payer_owner))
    machine.hub("setModelPayout", scene.model_key, ANNA.address, sender=OWNER)
    scene.deposit(ANNA.address, 10)
    scene.log(receipt(10, (1, 3333), (3, 3333)))
    scene.settle([1, 3], ANNA.voucher(scene.model_key, 10))
    assert scene.owed(ANNA.address) == 10 * GWEI


def test_a_change_of_payout_is_for_what_is_settled_later(scene: Scene) -> None:
    scene.deposit(ANNA.address, 20)
    scene.log(receipt(20, (1, 10_000)))
    scene.settle([1], ANNA.voucher(scene.model_key, 10))
    author = scene.machine.ask("dataset", 1)[0]
    scene.machine.hub("setDatasetPayout", 1, STRANGER, sender=_bytes(author))
    scene.machine.hub("setModelPayout", scene.model_key, STRANGER, sender=OWNER)
    scene.settle([1], ANNA.voucher(scene.model_key, 20))
    assert scene.owed(PAYOUTS[0]) == 6 * GWEI
    assert scene.owed(OWNER_PAYOUT) == 4 * GWEI
    assert scene.owed(STRANGER) == 10 * GWEI


def test_no_payout_without_receipts(scene: Scene) -> None:
    scene.deposit(ANNA.address, 100)
    with pytest.raises(Reverted, match="NothingCharged"):
        scene.settle([], ANNA.voucher(scene.model_key, 1))
    scene.log(receipt(50))
    with pytest.raises(Reverted, match="NothingCharged"):
        scene.settle([], ANNA.voucher(scene.model_key, 51))
    scene.settle([], ANNA.voucher(scene.model_key, 50))
    with pytest.raises(Reverted, match="NothingCharged"):
        scene.settle([], ANNA.voucher(scene.model_key, 51))


def test_each_voucher_is_charged_wholly_or_not_at_all(scene: Scene) -> None:
    """The receipts suffice for the first and the third: the second does not get what is left."""
    for payer in (ANNA, BERT, CARL):
        scene.deposit(payer.address, 100)
    scene.log(receipt(50))
    amounts = {ANNA: 30, BERT: 21, CARL: 20}
    vouchers = [payer.voucher(scene.model_key, amount) for payer, amount in amounts.items()]
    outcome = scene.settle([], *vouchers)
    assert outcome.one(VoucherSkipped) == VoucherSkipped(1, SkipReason.RECEIPTS_MISSING)
    assert [scene.spent(payer.address) for payer in amounts] == [30, 0, 20]


@pytest.mark.parametrize("datasets", [[], [1], [1, 3], [2, 3], [1, 4294967295]])
def test_datasets_cannot_be_left_out(scene: Scene, datasets: list[int]) -> None:
    scene.deposit(ANNA.address, 100)
    scene.log(receipt(10, (1, 1), (2, 2)))
    covered = sum({1: 10, 2: 20}.get(dataset, 0) for dataset in datasets)
    with pytest.raises(Reverted) as caught:
        scene.settle(datasets, ANNA.voucher(scene.model_key, 1))
    assert (caught.value.name, caught.value.arguments) == ("DatasetsIncomplete", (covered, 30))


@pytest.mark.parametrize(("datasets", "index"), [([1, 1, 2], 1), ([2, 1], 1), ([1, 2, 2], 2)])
def test_datasets_come_once_and_in_order(scene: Scene, datasets: list[int], index: int) -> None:
    scene.deposit(ANNA.address, 100)
    scene.log(receipt(10, (1, 1), (2, 2)))
    with pytest.raises(Reverted) as caught:
        scene.settle(datasets, ANNA.voucher(scene.model_key, 1))
    assert (caught.value.name, caught.value.arguments) == ("DatasetsNotAscending", (index,))


def test_datasets_without_credit_may_be_named(scene: Scene) -> None:
    scene.deposit(ANNA.address, 100)
    scene.log(receipt(10, (2, 1)))
    outcome = scene.settle([0, 1, 2, 3, 4, 2**32 - 1], ANNA.voucher(scene.model_key, 10))
    assert [event.dataset for event in outcome.all(DatasetPaid)] == [2]


def test_dust_settlements_rob_nobody(machine: HubMachine) -> None:
    """A dataset has less than a unit of credit for each gwei: in the end it has all of it."""
    scene = Scene.made(machine, owner_bps=0)
    scene.deposit(ANNA.address, 1000)
    scene.log(receipt(1, (1, 100), (3, 9)), receipt(99), receipt(100, (2, 9999)))
    for cumulative in range(1, 201):
        scene.settle([1, 2, 3], ANNA.voucher(scene.model_key, cumulative))
    assert [scene.owed(payout) for payout in PAYOUTS] == [100 * 10**5, 999_900 * 10**5, 9 * 10**5]
    assert machine.ask("unsettled", scene.model_key, LOGGER) == (0, 0)


def test_receipts_that_nobody_pays_for_yet_keep_their_share(scene: Scene) -> None:
    scene.deposit(ANNA.address, 100)
    scene.log(receipt(10, (1, 10_000)), receipt(10))
    scene.settle([1], ANNA.voucher(scene.model_key, 10))
    assert scene.owed(PAYOUTS[0]) == 50_000 * SHARE
    assert scene.machine.ask("unsettledCredit", scene.model_key, LOGGER, 1) == 50_000
    assert scene.machine.ask("streamState", scene.model_key, LOGGER)[1:3] == (10, 50_000)


def test_a_dataset_that_is_registered_late_is_paid_from_then_on(scene: Scene) -> None:
    scene.deposit(ANNA.address, 100)
    scene.log(receipt(20, (4, 10_000)))
    scene.settle([4], ANNA.voucher(scene.model_key, 10))
    assert scene.owed(OWNER_PAYOUT) == 10 * GWEI
    scene.machine.hub("registerDataset", bytes(32), "", STRANGER, sender=STRANGER)
    scene.settle([4], ANNA.voucher(scene.model_key, 20))
    assert scene.owed(STRANGER) == 6 * GWEI


def test_the_largest_amounts(machine: HubMachine) -> None:
    """Receipts of 2^96-1 gwei, and escrows that together exceed 64 bits."""
    scene = Scene.made(machine, owner_bps=0)
    largest = 2**64 - 1
    for payer in (ANNA, BERT):
        scene.deposit(payer.address, largest)
    scene.log(*[receipt(largest, (1, 9999), (2, 1))] * 4)
    vouchers = [payer.voucher(scene.model_key, largest) for payer in (ANNA, BERT)]
    outcome = scene.settle([1, 2], *vouchers)
    assert outcome.one(VoucherSkipped).reason is SkipReason.RECEIPTS_MISSING
    assert outcome.one(Settled).unsettled_gwei == 4 * largest
    scene.settle([1, 2], vouchers[1])
    assert sum(map(scene.owed, PAYOUTS)) == 2 * largest * GWEI
    assert scene.owed(PAYOUTS[0]) == 2 * largest * 9999 * 10**5


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])

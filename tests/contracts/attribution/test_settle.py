"""What a settlement charges and whom it pays."""

import pytest

from attribution.hub_events import DatasetPaid, Settled, VoucherCharged
from tests.contracts.attribution.hub_machine import GWEI, HUB, HubMachine, receipt
from tests.contracts.attribution.scene import (
    ANNA,
    BERT,
    LOGGER,
    OWNER,
    OWNER_PAYOUT,
    PAYOUTS,
    STRANGER,
    Scene,
)
from tests.contracts.local_chain import Reverted


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

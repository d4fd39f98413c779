"""Settlements: which vouchers and datasets are taken, of which logger's receipts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from attribution.calldata import encode_append
from attribution.client import AttributionClient
from attribution.client.exchange import Operation, Request, Send
from attribution.client.hub_views import StreamStatus, stream_of
from attribution.client.receipt_log import send_batch
from attribution.client.settling import Settlement, settle
from attribution.refusals import (
    DatasetsIncomplete,
    DatasetsNotAscending,
    Expired,
    LoggerAlreadyAppointed,
    LoggerNotFresh,
    NoLogger,
    NothingCharged,
    NotOwner,
    ReceiptsMissing,
    WrongLogger,
    WrongSigner,
)
from attribution.vouchers import SignedVoucher
from node.artifacts import load_artifact
from node.errors import InvalidInput
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Hash32, checksum_address, hex_address
from openrollup.testing import Devnet
from tests.attribution.client.scene import PRICE, digest, receipt

FAR = 2**40

pytestmark = pytest.mark.devnet(automine=True)


@dataclass(frozen=True, slots=True)
class Scene:
    """An owner, two loggers, three payers with money for ten answers each, and three datasets."""

    owner: AttributionClient
    loggers: list[AttributionClient]
    payers: list[AttributionClient]
    key: Hash32

    def voucher(self, payer: int, answers: int, expiry: int = FAR) -> SignedVoucher:
        return self.payers[payer].sign_voucher(self.key, answers * PRICE, expiry)

    def log(self, *weights: dict[int, int], logger: int = 0) -> None:
        self.loggers[logger].append(self.key, [receipt(each) for each in weights])

    def forged(self, payer: int, answers: int) -> SignedVoucher:
        return self.owner.sign_voucher(
            self.key, answers * PRICE, FAR, payer=self.payers[payer].address
        )


@pytest.fixture
def scene(devnet: Devnet) -> Scene:
    clients = [
        AttributionClient(devnet.w3, account, sleep=lambda _: devnet.derive())
        for account in devnet.accounts[1:7]
    ]
    owner, loggers, payers = clients[0], clients[1:3], clients[3:]
    for number in range(2):
        owner.register_dataset(digest(f"{number}"), "")
    owner.register_dataset(digest("3"), "", wait_until_safe=True)
    key = owner.register_model(
        digest("model"), "", price_gwei=PRICE, owner_bps=1_000, logger=loggers[0].address
    ).model_key
    for payer in payers:
        payer.deposit(key, 10 * PRICE)
    return Scene(owner, loggers, payers, key)


def test_small_vouchers_come_first_and_the_rest_is_told(scene: Scene) -> None:
    scene.log({1: 5_000}, {2: 5_000}, {1: 1, 3: 2}, {})
    vouchers = [scene.voucher(0, 3), scene.voucher(1, 2), scene.voucher(2, 1)]
    done = scene.owner.settle(scene.key, vouchers)
    assert [entry.amount_gwei for entry in done.charged] == [PRICE, 2 * PRICE]
    ((skipped),) = done.skipped
    assert isinstance(skipped.refusal, ReceiptsMissing)
    assert done.skipped_on_chain == ()
    assert done.charged_gwei == 3 * PRICE
    assert scene.owner.unsettled(scene.key, scene.loggers[0].address).amount_gwei == PRICE
    assert {paid.dataset for paid in done.datasets} == {1, 2, 3}
    with pytest.raises(NothingCharged, match=r"NothingNew: .*; .*ReceiptsMissing: "):
        scene.owner.settle(scene.key, vouchers[:2])


def test_a_forged_voucher_does_not_hide_a_good_one(scene: Scene) -> None:
    scene.log({}, {})
    old = scene.voucher(0, 1)
    done = scene.owner.settle(scene.key, [scene.forged(0, 9), old, scene.voucher(0, 2), old])
    assert done.charged_gwei == 2 * PRICE
    assert [type(entry.refusal) for entry in done.skipped] == [WrongSigner]


def test_vouchers_that_are_all_bad(scene: Scene) -> None:
    scene.log({})
    with pytest.raises(Expired):
        scene.owner.settle(scene.key, [scene.voucher(0, 1, expiry=5)])
    with pytest.raises(NothingCharged):
        scene.owner.settle(scene.key, [])
    other = scene.payers[0].sign_voucher(digest("other"), PRICE, FAR)
    with pytest.raises(InvalidInput, match="expected model"):
        scene.owner.settle(scene.key, [other])


def test_a_retired_logger_is_still_paid(scene: Scene) -> None:
    first, second = (logger.address for logger in scene.loggers)
    scene.log({1: 5_000, 2: 1}, {2: 10_000})
    with pytest.raises(NotOwner):
        scene.loggers[0].appoint_logger(scene.key, second)
    scene.owner.appoint_logger(scene.key, second)
    with pytest.raises(WrongLogger):
        scene.log({})
    scene.log({3: 10_000}, logger=1)
    assert scene.owner.logger_state(scene.key, first).status is StreamStatus.RETIRED

    done = scene.owner.settle(scene.key, [scene.voucher(0, 2)], logger=first)
    assert {paid.dataset for paid in done.datasets} == {1, 2}
    with pytest.raises(ReceiptsMissing):
        scene.owner.settle(scene.key, [scene.voucher(0, 3)], logger=first)
    done = scene.owner.settle(scene.key, [scene.voucher(0, 3)])
    assert {paid.dataset for paid in done.datasets} == {3}

    with pytest.raises(LoggerAlreadyAppointed):
        scene.owner.appoint_logger(scene.key, first)
    scene.owner.abandon_logger(scene.key)
    assert scene.owner.model(scene.key).logger is None
    with pytest.raises(NoLogger):
        scene.owner.settle(scene.key, [scene.voucher(0, 4)])
    with pytest.raises(NoLogger):
        scene.owner.appoint_logger(scene.key, None)


def test_a_logger_that_has_written_before(scene: Scene) -> None:
    writer = scene.payers[0]

    def write() -> Operation[object]:
        return (yield send_batch(stream_of(scene.key), 0, (receipt(),)))

    writer.carry_out(write())
    with pytest.raises(LoggerNotFresh) as raised:
        scene.owner.appoint_logger(scene.key, writer.address)
    assert (raised.value.logger, raised.value.receipts) == (writer.address, 1)


def test_datasets_that_are_given(scene: Scene) -> None:
    scene.log({1: 1, 2: 1})
    vouchers = [scene.voucher(0, 1)]
    with pytest.raises(DatasetsIncomplete):
        scene.owner.settle(scene.key, vouchers, datasets=[1])
    with pytest.raises(DatasetsNotAscending):
        scene.owner.settle(scene.key, vouchers, datasets=[2, 1])
    done = scene.owner.settle(scene.key, vouchers, datasets=[1, 2, 3])
    assert {paid.dataset for paid in done.datasets} == {1, 2}


def test_receipts_that_come_meanwhile(scene: Scene) -> None:
    scene.log({1: 1})
    logger, stream = scene.loggers[0].address, stream_of(scene.key)
    operation = settle(scene.owner.party, scene.key, [scene.voucher(0, 1)])

    def disturbed() -> Operation[Settlement]:
        step: Callable[[], Request] = partial(next, operation)
        while True:
            try:
                request = step()
            except StopIteration as ended:
                found: Settlement = ended.value
                return found
            if isinstance(request, Send) and scene.owner.head(logger, stream).count == 1:
                scene.log({2: 1})
            try:
                step = partial(operation.send, (yield request))
            except DatasetsIncomplete as refused:
                step = partial(operation.throw, refused)

    done = scene.owner.carry_out(disturbed())
    assert (done.unsettled_gwei, len(done.datasets)) == (2 * PRICE, 2)


def test_receipts_that_a_contract_writes(scene: Scene, devnet: Devnet) -> None:
    """They cannot be read from the call: the datasets have to be named."""
    contract = devnet.deploy(load_artifact("Caller"))
    logger = hex_address(contract.address)
    scene.owner.appoint_logger(scene.key, logger)
    data = encode_append(stream_of(scene.key), 0, [receipt({1: 4_000})])
    precompile = checksum_address(ATTRIBUTION_ADDRESS)
    devnet.w3.eth.wait_for_transaction_receipt(contract.functions.call(precompile, data).transact())
    vouchers = [scene.voucher(0, 1)]
    with pytest.raises(DatasetsIncomplete, match="appended by a contract"):
        scene.owner.settle(scene.key, vouchers)
    done = scene.owner.settle(scene.key, vouchers, datasets=[1])
    assert [paid.dataset for paid in done.datasets] == [1]

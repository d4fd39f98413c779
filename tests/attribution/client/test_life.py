"""The whole life of a model at a node, by the blocking client and by the asynchronous one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3

from attribution.client import AsyncAttributionClient, AttributionClient, ReceiptLog
from attribution.client.hub_views import Model, StreamStatus
from attribution.voucher_book import VoucherBook
from node.types.primitives import Address
from openrollup.testing import Devnet
from tests.attribution.client.scene import GWEI, PRICE, digest, receipt

PAYOUT = Address(b"\x33" * 20)

pytestmark = pytest.mark.devnet(automine=True)


def clients(devnet: Devnet, *numbers: int) -> Iterator[AttributionClient]:
    for number in numbers:
        yield AttributionClient(devnet.w3, devnet.accounts[number], sleep=lambda _: devnet.derive())


def test_a_model_from_registration_to_claim(devnet: Devnet) -> None:
    owner, logger, payer = clients(devnet, 1, 2, 3)
    now = int(devnet.time)

    dataset = owner.register_dataset(digest("d1"), "ipfs://d1", wait_until_safe=True).id
    other = owner.register_dataset(digest("d2"), "ipfs://d2", b"\x22" * 20).id
    assert owner.dataset(dataset).content_hash == digest("d1")
    owner.wait_until_safe(devnet.l2.block().number)
    registered = owner.register_model(
        digest("model"),
        "ipfs://model",
        price_gwei=PRICE,
        owner_bps=4_000,
        logger=logger.address,
        payout=PAYOUT,
        declared_datasets=[dataset],
    )
    key = registered.model_key
    assert owner.model(key) == Model(
        owner.address, PRICE, 4_000, PAYOUT, logger.address, (dataset,)
    )
    owner.record_training(key, dataset, digest("run"))

    payer.deposit(key, 100 * PRICE)
    escrow = payer.escrow_of(payer.address, key)
    assert (escrow.balance_gwei, escrow.signer) == (100 * PRICE, payer.address)
    book = VoucherBook(key, payer.party.chain_id, least_validity_s=3_600)
    book.accept(payer.sign_voucher(key, 10 * PRICE, now + 10_000), escrow, now)
    log = ReceiptLog(key, logger.address)
    for weights in ({dataset: 5_000, other: 2_500}, {dataset: 10_000}, {}, {other: 1}):
        book.serve(payer.address, PRICE)
        log.add(receipt(weights))
    (appended,) = logger.flush(log)
    assert (log.waiting, log.unsafe) == (0, 4)
    assert logger.head(logger.address, registered.stream).count == 4
    assert appended.gas_used < 200_000

    voucher = payer.sign_voucher(key, 4 * PRICE, now + 10_000)
    assert payer.check_voucher(voucher) == 4 * PRICE
    settled = owner.settle(key, [voucher])
    assert settled.charged_gwei == settled.unsettled_gwei == 4 * PRICE
    assert {paid.dataset for paid in settled.datasets} == {dataset, other}
    shares = sum(paid.amount_wei for paid in settled.datasets)
    assert shares + settled.owner_wei == 4 * PRICE * GWEI
    assert owner.owed(PAYOUT) == settled.owner_wei
    claimed = owner.claim()
    paid = sum(p.amount_wei for p in settled.datasets if p.payout == owner.address)
    assert claimed.amount_wei == paid
    assert owner.owed(owner.address) == 0

    devnet.derive()
    logger.flush(log)
    assert (log.waiting, log.unsafe) == (0, 0)


@asynccontextmanager
async def async_clients(
    devnet: Devnet, *numbers: int
) -> AsyncIterator[list[AsyncAttributionClient]]:
    w3: AsyncWeb3[Any] = AsyncWeb3(AsyncHTTPProvider(devnet.l2.url))

    async def pause(_: float) -> None:
        await asyncio.to_thread(devnet.derive)

    try:
        yield [
            AsyncAttributionClient(w3, devnet.accounts[number], sleep=pause, pause_s=0.01)
            for number in numbers
        ]
    finally:
        await w3.provider.disconnect()


async def test_the_same_with_asyncio(devnet: Devnet) -> None:
    async with async_clients(devnet, 1, 2, 3) as (owner, logger, payer):
        now = int(devnet.time)
        registered = await owner.register_dataset(digest("d"), "ipfs://d", wait_until_safe=True)
        dataset = registered.id
        model = await owner.register_model(
            digest("model"), "ipfs://m", price_gwei=PRICE, owner_bps=0, logger=logger.address
        )
        key = model.model_key
        await payer.deposit(key, 10 * PRICE, payer.address)
        log = ReceiptLog(key, logger.address)
        log.add(receipt({dataset: 10_000}))
        assert len(await logger.flush(log)) == 1
        voucher = await payer.sign_voucher(key, PRICE, now + 10_000)
        assert await payer.check_voucher(voucher, 60) == PRICE
        assert await owner.unpaid_datasets(key, logger.address) == (dataset,)
        settled = await owner.settle(key, [voucher])
        assert (settled.owner_wei, settled.datasets[0].amount_wei) == (0, PRICE * GWEI)
        assert (await owner.claim(b"\x44" * 20)).amount_wei == PRICE * GWEI
        assert devnet.l2.balance(b"\x44" * 20) == PRICE * GWEI

        await owner.appoint_logger(key, None)
        state = await owner.logger_state(key, logger.address)
        assert (state.status, state.settled_gwei) == (StreamStatus.RETIRED, PRICE)
        await payer.request_withdrawal(key)
        assert (await payer.escrow_of(payer.address, key)).free_gwei == 0

"""A running network whose L1 is reorganized under it, while transactions and deposits flow."""

import asyncio
import random
from contextlib import suppress

import pytest

from consensus.batcher.data_availability import DataAvailability
from consensus.l1.json_rpc import RpcFault
from node.reader import Reader
from node.types.primitives import BlockNumber
from node.types.transaction import Transaction
from tests.openrollup.network import FRIEND, Running, ask, hash_at, running

ETHER = 10**18
DEEPEST = 8


class Traffic:
    """Payments on L2 and deposits from L1, until it is stopped."""

    def __init__(self, net: Running) -> None:
        self._net = net
        self.payments: list[Transaction] = []
        self.deposited = 0
        self._task = asyncio.ensure_future(self._flow())

    async def stop(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _flow(self) -> None:
        contracts, l1 = self._net.network.rollup.contracts, self._net.l1.node.reader
        while True:
            payment = self._net.payment(len(self.payments), value=1)
            self._net.pool.add_transaction(payment)
            self.payments.append(payment)
            if len(self.payments) % 5 == 0:
                self._net.deposit(contracts, nonce=2 * self.deposited, amount=ETHER)
                self.deposited += 1
            seen = (self._net.l2.heads().unsafe.number, l1.heads().unsafe.number)
            await self._net.until(
                lambda seen=seen: (
                    seen != (self._net.l2.heads().unsafe.number, l1.heads().unsafe.number)
                )
            )


@pytest.mark.parametrize("da", DataAvailability)
async def test_the_rollup_survives_reorgs_of_any_depth(
    da: DataAvailability, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(l1_block_time_s=2, l1_finalized_distance=DEEPEST + 2, da=da) as net:
        traffic = Traffic(net)
        l1 = net.l1.node.reader
        depths = list(range(1, DEEPEST + 1))
        random.Random(7).shuffle(depths)
        for depth in depths:
            await until_replaceable(net, depth)
            head = l1.heads().unsafe.number
            replaced = [hash_at(l1, number) for number in range(head - depth + 1, head + 1)]
            hashes = await ask(net.l1.url, "dev_reorgL1", depth)
            assert isinstance(hashes, list)
            assert len(hashes) == depth
            assert not {f"0x{block_hash.hex()}" for block_hash in replaced if block_hash} & set(
                map(str, hashes)
            )
            reached = l1.heads().unsafe.number + 2
            await net.until(lambda reached=reached: l1.heads().unsafe.number >= reached)
        await traffic.stop()
        await net.until(lambda: all(net.l2.transaction(tx.hash) for tx in traffic.payments))
        total = len(traffic.payments) + traffic.deposited * ETHER
        await net.until(lambda: net.balance(FRIEND) == total)
        verifier = net.network.verifier.node.reader
        last = net.l2.heads().unsafe.number
        await net.until(lambda: both_safe(net, last))
        for number in range(last + 1):
            assert hash_at(verifier, number) == hash_at(net.l2, number), number
    assert "starting again from the safe head" in caplog.text


async def test_a_reorg_below_what_is_final_is_refused() -> None:
    async with running() as net:
        await until_replaceable(net, 4)
        for depth in (0, 5, 1000, "0x5"):
            with pytest.raises(RpcFault, match=r"depth: expected 1 to 4") as caught:
                await ask(net.l1.url, "dev_reorgL1", depth)
            assert caught.value.code == -32000
        for wrong in (None, "x", -1, [1]):
            with pytest.raises(RpcFault) as caught:
                await ask(net.l1.url, "dev_reorgL1", wrong)
            assert caught.value.code == -32602


async def test_the_rollups_first_l1_block_cannot_be_replaced() -> None:
    async with running(l1_block_time_s=3600) as net:
        with pytest.raises(RpcFault, match="depth: expected 1 to 0"):
            await ask(net.l1.url, "dev_reorgL1", 1)
        first = net.network.rollup.config.genesis.l1
        finalized = net.l1.node.reader.heads().finalized
        assert finalized.number == first.number + 1  # which holds the output oracle
        assert hash_at(net.l1.node.reader, first.number) == first.hash


async def test_only_the_embedded_l1_can_be_reorganized() -> None:
    async with running(automine=True) as net:
        for url in (net.network.sequencer.url, net.network.verifier.url):
            with pytest.raises(RpcFault, match="does not exist"):
                await ask(url, "dev_reorgL1", 1)


async def until_replaceable(net: Running, depth: int) -> None:
    def is_replaceable() -> bool:
        heads = net.l1.node.reader.heads()
        return heads.unsafe.number - heads.finalized.number >= depth

    await net.until(is_replaceable)


def both_safe(net: Running, number: int) -> bool:
    readers: tuple[Reader, ...] = (net.l2, net.network.verifier.node.reader)
    return all(reader.heads().safe.number >= BlockNumber(number) for reader in readers)

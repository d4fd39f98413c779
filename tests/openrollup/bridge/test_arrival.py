"""Waiting for a deposit while L1 changes under it."""

import pytest

from consensus.bridge.chain import Chain, Inclusion, PlacedLog
from consensus.bridge.deposits import deposits_of
from consensus.bridge.portal import Portal
from consensus.l1.json_rpc import JsonRpc
from node.errors import OperationRefused
from node.genesis import genesis_block, l1_dev_genesis
from node.types.block import BlockRef, Header
from node.types.primitives import Address, BlockNumber, Hash32
from openrollup.bridge.deposit import arrival
from tests.consensus.rollup import PORTAL, deposit_log
from tests.openrollup.bridge.test_waiting import Leaping

SENT = Hash32(b"\x05" * 32)
USER = Address(b"\x01" * 20)
HEADER = genesis_block(l1_dev_genesis(timestamp=1_700_000_000)).block.header


def on_l1(block: int, *, is_success: bool = True) -> Inclusion:
    log = deposit_log(sender=USER, to=USER, mint=5, value=5)
    logs = (PlacedLog(0, log),) if is_success else ()
    return Inclusion(BlockRef(Hash32(bytes([block]) * 32), BlockNumber(block)), is_success, 1, logs)


class Scripted(Chain):
    """A chain that says where transactions are, as it was told."""

    def __init__(self, *answers: Inclusion | None) -> None:
        super().__init__(JsonRpc("http://chain"), 900)
        self._answers = iter(answers)
        self.asked: list[Hash32] = []

    async def inclusion(self, transaction: Hash32) -> Inclusion | None:
        self.asked.append(transaction)
        return next(self._answers)

    async def read(
        self, to: Address, signature: str, types: str, *arguments: object, at: int | None = None
    ) -> int:
        return 6

    async def header(self, number: int) -> Header:
        return HEADER

    async def head(self) -> Header:
        return await self.header(0)


def portal(l1: Chain) -> Portal:
    return Portal(l1, PORTAL, USER, USER)


async def test_a_deposit_whose_l1_block_is_replaced_is_another_transaction() -> None:
    first, second = on_l1(7), on_l1(8)
    there = Inclusion(BlockRef(Hash32(b"\x0a" * 32), BlockNumber(3)), True, 1, ())
    l1, l2 = Scripted(first, None, second, second), Scripted(None, None, there)
    deposit, found = await arrival(portal(l1), l2, SENT, Leaping())
    assert found == there
    hashes = [deposits_of(where, PORTAL)[0].hash for where in (first, second, second)]
    assert l2.asked == hashes
    assert deposit.hash == hashes[-1] != hashes[0]


async def test_a_deposit_that_l1_reverts_after_a_reorg() -> None:
    l1, l2 = Scripted(on_l1(7), on_l1(8, is_success=False)), Scripted(None)
    with pytest.raises(OperationRefused, match="is reverted now: nothing was locked"):
        await arrival(portal(l1), l2, SENT, Leaping())

"""Garbage in the batch inbox: whoever sends it, derivation goes on."""

import json
import random

import pytest

from consensus.codec.frame import ChannelId, Frame
from node.genesis.dev_accounts import BATCHER_ACCOUNT
from node.types.primitives import Address, hex_address
from tests.integration.chains import wait_for_head
from tests.integration.conditions import wait_until
from tests.integration.json_rpc import Rpc, RpcFailure
from tests.integration.nodes import Account, DevNode
from tests.integration.scenario import connected
from tests.integration.users import User


def garbage() -> list[bytes]:
    """Bytes that are no frames, almost frames, and frames of channels that never end."""
    chance = random.Random(3)

    def frame(number: int, data: bytes, *, is_last: bool = True) -> bytes:
        channel = ChannelId(chance.randbytes(16))
        return b"\x00" + Frame(channel, number, data, is_last=is_last).encode()

    good = frame(0, chance.randbytes(300))
    return [
        b"\x00",
        b"\x01" + chance.randbytes(64),
        b"\xff" * 10,
        *(b"\x00" + chance.randbytes(chance.randrange(1, 2_000)) for _ in range(6)),
        good,  # a channel of random bytes
        good[:-1],
        good + b"\x07",
        good[:-1] + b"\x02",
        frame(3, b"later", is_last=False),
        frame(0, b"\x78\x9c" + bytes(50)),
        frame(0, b"\x01" + bytes(50)),
        frame(0, b""),
    ]


@pytest.mark.parametrize("sender", ["a stranger", "the batcher's own key"])
async def test_garbage_does_not_stop_derivation(shared_node: DevNode, sender: str) -> None:
    started = shared_node.started
    rollup = json.loads((started.files / "rollup.json").read_bytes())
    inbox = hex_address(rollup["batch_inbox_address"])
    account = started.accounts[7]
    if sender != "a stranger":
        account = Account(BATCHER_ACCOUNT.address, BATCHER_ACCOUNT.private_key)
    async with connected(shared_node) as (l1, l2), Rpc(started.verifier_url) as verifier:
        await _send_all(User(account, l1, started.l1_chain_id), inbox)
        target = await l2.head() + 2
        await wait_for_head(l2, "safe", target)
        await wait_for_head(verifier, "safe", target)
        assert await l2.hashes([target]) == await verifier.hashes([target])
    assert shared_node.running


async def _send_all(user: User, inbox: Address) -> None:
    """Send everything and wait until L1 has taken it.

    The batcher may use the same account: then one of us finds the nonce taken, and goes on.
    """
    await user.resynchronise()
    waiting = garbage()
    while waiting:
        data = waiting[-1]
        try:
            await user.send(inbox, data=data, gas=21_000 + 40 * len(data))
            waiting.pop()
        except RpcFailure as refusal:
            assert "nonce" in refusal.message or "underpriced" in refusal.message, refusal
            await user.resynchronise()
    sent = user.nonce

    async def taken() -> bool:
        await user.resynchronise()
        return user.nonce >= sent

    await wait_until(taken, "L1 takes the garbage")

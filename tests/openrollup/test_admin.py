"""Operating a running network over JSON-RPC: stop, start, flush, reset."""

from typing import Any

import pytest

from consensus.l1.json_rpc import Json, RpcFault
from tests.openrollup.network import Running, ask, hash_at, running


async def test_a_stopped_sequencer_builds_nothing_until_it_is_started() -> None:
    async with running() as net:
        url = net.network.sequencer.url
        await net.included(net.payment(0))
        assert await ask(url, "admin_sequencerActive") is True
        stopped_at = await ask(url, "admin_stopSequencer")
        head = net.l2.heads().unsafe
        assert stopped_at == "0x" + head.hash.hex()
        assert await ask(url, "admin_sequencerActive") is False
        net.pool.add_transaction(net.payment(1))
        await net.until(lambda: net.l2.heads().safe == head)  # derivation goes on
        await l1_blocks(net, 2)
        assert net.l2.heads().unsafe == head
        wrong = "0x" + "11" * 32
        message = f"block hash does not match: head {stopped_at}:{head.number}, received {wrong}"
        assert await refusal(url, "admin_startSequencer", wrong) == message
        assert await refusal(url, "admin_stopSequencer") == "sequencer not running"
        assert await ask(url, "admin_startSequencer", stopped_at) is None
        assert await refusal(url, "admin_startSequencer", stopped_at) == "sequencer already running"
        await net.until(lambda: net.l2.transaction(net.payment(1).hash))
        assert hash_at(net.l2, head.number) == head.hash
        await verifier_has(net, net.l2.heads().unsafe.number)


async def test_a_verifier_has_no_sequencer() -> None:
    async with running(automine=True) as net:
        url = net.network.verifier.url
        assert await ask(url, "admin_sequencerActive") is False
        for method, params in (
            ("admin_stopSequencer", ()),
            ("admin_startSequencer", ("0x" + "11" * 32,)),
        ):
            assert await refusal(url, method, *params) == "sequencer is not enabled"
        with pytest.raises(RpcFault, match="does not exist"):
            await ask(url, "admin_stopBatcher")


async def test_a_stopped_batcher_posts_nothing_until_it_is_started() -> None:
    async with running() as net:
        url = net.network.sequencer.url
        await net.until(lambda: net.l2.heads().safe.number >= 3)
        await ask(url, "admin_stopBatcher")
        assert await refusal(url, "admin_stopBatcher") == "batcher is not running"
        assert await refusal(url, "admin_flushBatcher") == "batcher is not running"
        batcher = net.network.sequencer.batcher
        assert batcher is not None
        made, unsafe = batcher.transactions_made, net.l2.heads().unsafe
        await l1_blocks(net, 3)
        assert batcher.transactions_made == made
        assert net.l2.heads().unsafe.number > unsafe.number
        await ask(url, "admin_startBatcher")
        assert await refusal(url, "admin_startBatcher") == "batcher is already running"
        await ask(url, "admin_flushBatcher")
        await verifier_has(net, unsafe.number)
        assert hash_at(net.l2, unsafe.number) == unsafe.hash


async def test_a_reset_of_derivation_changes_nothing() -> None:
    async with running() as net:
        url = net.network.sequencer.url
        await net.until(lambda: net.l2.heads().safe.number >= 3)
        before = [hash_at(net.l2, number) for number in range(net.l2.heads().unsafe.number)]
        for address in (url, net.network.verifier.url):
            assert await ask(address, "admin_resetDerivationPipeline") is None
        safe = net.l2.heads().safe.number
        await verifier_has(net, safe + 3)
        assert [hash_at(net.l2, number) for number in range(len(before))] == before


async def test_the_safe_head_of_an_l1_block_on_both_nodes() -> None:
    async with running() as net:
        await net.until(lambda: net.l2.heads().safe.number >= 4)
        await verifier_has(net, net.l2.heads().safe.number)
        current = await ask(net.network.verifier.url, "optimism_syncStatus")
        assert isinstance(current, dict)
        last = field(current["safe_l2"], "number")
        newest = net.l1.node.reader.heads().unsafe.number
        entries = []
        for number in range(newest + 1):
            shown = [
                await safe_head(node.url, number)
                for node in (net.network.sequencer, net.network.verifier)
            ]
            if None not in shown and field(field(shown[0], "safeHead"), "number") <= last:
                assert shown[0] == shown[1]
                entries.append(shown[0])
        assert entries
        for entry in entries:
            l1, l2 = field(entry, "l1Block"), field(entry, "safeHead")
            for block, reader in ((l1, net.l1.node.reader), (l2, net.l2)):
                stored = hash_at(reader, field(block, "number"))
                assert stored is not None
                assert field(block, "hash") == "0x" + stored.hex()
        assert await refusal(net.network.verifier.url, "optimism_safeHeadAtL1Block", "0x0") == (
            "safe head not found"
        )


async def safe_head(url: str, number: int) -> Json:
    try:
        return await ask(url, "optimism_safeHeadAtL1Block", hex(number))
    except RpcFault as fault:
        assert fault.message == "safe head not found"
        return None


def field(value: Json, name: str) -> Any:
    assert isinstance(value, dict)
    return value[name]


async def refusal(url: str, method: str, *params: Json) -> str:
    """Return the words of a refusal, whose code is that of go-ethereum's plain errors."""
    with pytest.raises(RpcFault) as caught:
        await ask(url, method, *params)
    assert caught.value.code == -32000
    return caught.value.message


async def l1_blocks(net: Running, count: int) -> None:
    wanted = net.l1.node.reader.heads().unsafe.number + count
    await net.until(lambda: net.l1.node.reader.heads().unsafe.number >= wanted)


async def verifier_has(net: Running, number: int) -> None:
    """Wait until the verifier derived a height, and compare the two chains there."""
    verifier = net.network.verifier.node.reader
    await net.until(lambda: min(verifier.heads().safe.number, net.l2.heads().safe.number) >= number)
    assert hash_at(verifier, number) == hash_at(net.l2, number)

"""L1 takes blocks back: what was derived from them goes, and a stranger still agrees."""

from pathlib import Path

from tests.integration.chains import assert_derived_again, wait_for_head
from tests.integration.conditions import wait_until
from tests.integration.json_rpc import Rpc
from tests.integration.nodes import Anvil, DevNode
from tests.integration.scenario import connected

_DEPTH = 3


async def test_chain_follows_a_reorg(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("0x" + Anvil.RICH_KEY.hex())
    with (
        Anvil(slots_in_an_epoch=8) as anvil,  # 16 blocks until L1 is final: room for a reorg
        DevNode(tmp_path / "files", l1_url=anvil.url, key_file=key_file) as node,
    ):
        async with connected(node) as (l1, l2):
            await wait_for_head(l2, "safe", 3)
            # The rollup's own first L1 block must not be among those that go.
            await wait_for_head(l1, "latest", 3 * _DEPTH)
            gone = await _reorg(l1)
            await _wait_until_forgotten(l2, gone)
            last = await l2.head() + 3
            await wait_for_head(l2, "safe", last)
            async with Rpc(node.started.verifier_url) as verifier:
                await wait_for_head(verifier, "safe", last)
            await assert_derived_again(l2, node.started.files, anvil.url, tmp_path / "again", last)
        assert node.stop() == 0, node.errors


async def _reorg(l1: Rpc) -> set[str]:
    """Replace the newest blocks by empty ones; return the hashes of what is gone."""
    head = await l1.head()
    heights = range(head - 2 * _DEPTH, head + 1)
    before = await l1.hashes(heights)
    await l1.call("anvil_reorg", _DEPTH, [])
    after = await l1.hashes(heights)
    gone = {str(old) for old, new in zip(before, after, strict=True) if old != new}
    assert gone
    return gone


async def _wait_until_forgotten(l2: Rpc, gone: set[str]) -> None:
    """Wait until no safe L2 block stands on an L1 block that is gone, and safe has moved on."""
    reached = await l2.head("safe")

    async def forgotten() -> bool:
        status = await l2.call("optimism_syncStatus")
        safe, current = status["safe_l2"], status["current_l1"]
        return (
            safe["l1origin"]["hash"] not in gone
            and current["hash"] not in gone
            and safe["number"] > reached
        )

    await wait_until(forgotten, "the blocks that L1 took back are forgotten")

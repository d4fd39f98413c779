"""`openrollup dev` takes its own L1's newest blocks back on demand, and the rollup goes on."""

from pathlib import Path

from tests.integration.chains import assert_derived_again, wait_for_head
from tests.integration.json_rpc import Rpc
from tests.integration.nodes import DevNode
from tests.integration.scenario import connected

_DEEPEST = 8


async def test_a_stranger_derives_what_is_left_after_reorgs(tmp_path: Path) -> None:
    options = ("--l1-finalized-distance", str(_DEEPEST + 1))
    with DevNode(tmp_path / "files", datadir=tmp_path / "data", options=options) as node:
        async with connected(node) as (l1, l2):
            await wait_for_head(l2, "safe", 3)
            for depth in (1, _DEEPEST, 3):
                await _reorg(l1, depth)
                await wait_for_head(l1, "latest", await l1.head() + 2)
            last = await l2.head()
            await wait_for_head(l2, "safe", last)
            async with Rpc(node.started.verifier_url) as verifier:
                await wait_for_head(verifier, "safe", last)
            again = tmp_path / "again"
            await assert_derived_again(l2, node.started.files, node.started.l1_url, again, last)
        assert node.stop() == 0, node.errors


async def _reorg(l1: Rpc, depth: int) -> None:
    """Replace the newest blocks, once there are enough that are not final."""
    await wait_for_head(l1, "latest", await l1.head("finalized") + depth)
    hashes = await l1.call("dev_reorgL1", depth)
    assert len(hashes) == depth

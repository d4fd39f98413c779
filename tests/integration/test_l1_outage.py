"""L1 goes away and comes back: the sequencer goes on, says so once, and catches up."""

import json
from pathlib import Path

import pytest

from tests.integration.chains import assert_derived_again, wait_for_head
from tests.integration.conditions import wait_until
from tests.integration.json_rpc import Rpc
from tests.integration.nodes import Anvil, DevNode
from tests.integration.scenario import connected

pytestmark = pytest.mark.xdist_group("l1-outage")


async def test_sequencer_outlives_an_outage(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("0x" + Anvil.RICH_KEY.hex())
    with (
        Anvil() as anvil,
        DevNode(tmp_path / "files", l1_url=anvil.url, key_file=key_file) as node,
    ):
        async with connected(node) as (_, l2):
            await wait_for_head(l2, "safe", 2)
            anvil.suspend()

            async def noticed() -> bool:
                return bool(outages(node))

            await wait_until(noticed, "the node says that L1 is gone")
            away = await l2.head()
            await wait_for_head(l2, "latest", away + 3)
            assert len(outages(node)) == 1, outages(node)
            anvil.resume()
            await wait_for_head(l2, "safe", away + 3)
            async with Rpc(node.started.verifier_url) as verifier:
                await wait_for_head(verifier, "safe", away + 3)
            await assert_derived_again(
                l2, node.started.files, anvil.url, tmp_path / "again", away + 3
            )
        assert node.stop() == 0, node.errors


def outages(node: DevNode) -> list[str]:
    """The messages of the sequencer that L1 is out of reach."""
    entries = [json.loads(line) for line in node.errors.splitlines() if line.startswith("{")]
    return [
        entry["message"]
        for entry in entries
        if entry["level"] in ("warning", "error") and "L1" in entry["message"]
    ]

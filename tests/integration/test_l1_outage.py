"""L1 goes away and comes back: the sequencer goes on, says so once, and catches up."""

import json
from collections import Counter
from pathlib import Path

from node.genesis.dev_accounts import DEPLOYER_ACCOUNT
from tests.integration.chains import assert_derived_again, wait_for_head
from tests.integration.conditions import wait_until
from tests.integration.json_rpc import Rpc
from tests.integration.nodes import DevNode
from tests.integration.processes import Process, free_port, openrollup
from tests.integration.scenario import connected

_NODES = 2  # the sequencer and the verifier beside it tell of the outage, each for itself


async def test_sequencer_outlives_an_outage(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("0x" + DEPLOYER_ACCOUNT.private_key.hex())
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        start_l1(tmp_path, port) as l1,
        DevNode(tmp_path / "files", l1_url=url, key_file=key_file) as node,
    ):
        async with connected(node) as (_, l2):
            await _outlive(node, l2, l1, tmp_path, port)


async def _outlive(node: DevNode, l2: Rpc, l1: Process, folder: Path, port: int) -> None:
    await wait_for_head(l2, "safe", 2)
    l1.kill()

    async def noticed() -> bool:
        return bool(outages(node))

    await wait_until(noticed, "the node says that L1 is gone")
    away = await l2.head() + 5
    await wait_for_head(l2, "latest", away)
    assert max(outages(node).values()) <= _NODES, outages(node)
    with start_l1(folder, port):
        await wait_for_head(l2, "safe", away)
        async with Rpc(node.started.verifier_url) as verifier:
            await wait_for_head(verifier, "safe", away)
        await assert_derived_again(
            l2, node.started.files, node.started.l1_url, folder / "again", away
        )
        assert node.stop() == 0, node.errors
    assert max(outages(node).values()) <= _NODES, outages(node)


def start_l1(folder: Path, port: int) -> Process:
    """Start a chain that is there again, at the same place, after a restart."""
    l1 = Process(
        openrollup(
            *("l1", "--json", "--block-time", "1"),
            *("--datadir", folder / "l1", "--port", str(port)),
        )
    )
    try:
        l1.wait_for_line(lambda line: True)
    except BaseException:
        l1.close()
        raise
    return l1


def outages(node: DevNode) -> Counter[str]:
    """How often each part of the node has complained that L1 is out of reach."""
    entries = [json.loads(line) for line in node.errors.splitlines() if line.startswith("{")]
    return Counter(
        entry["logger"]
        for entry in entries
        if entry["level"] in ("warning", "error") and "connect" in entry["message"].lower()
    )

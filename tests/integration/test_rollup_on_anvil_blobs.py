"""A rollup whose data lies in blobs on Foundry's Anvil, under the rules of Prague and of Osaka."""

from pathlib import Path

import pytest

from consensus.l1.known_chains import l1_chain_json
from node.json_file import write_json
from tests.integration.chains import assert_derived_again, wait_for_head
from tests.integration.nodes import Anvil, DevNode
from tests.integration.scenario import connected

# Anvil's roots do not cover the blobs of its blocks.
_TRUST = ("--l1-trust-rpc",)


@pytest.mark.parametrize("hardfork", ["prague", "osaka"])
async def test_blobs_are_derived_again(tmp_path: Path, hardfork: str) -> None:
    key_file, l1_chain = tmp_path / "key", tmp_path / "l1-chain.json"
    key_file.write_text("0x" + Anvil.RICH_KEY.hex())
    config = l1_chain_json(31337)
    if hardfork == "osaka":
        config["osakaTime"] = 0
        config["blobSchedule"]["osaka"] = config["blobSchedule"]["prague"]
    write_json(l1_chain, config)
    options = (*_TRUST, "--da", "blobs", "--l1-chain", str(l1_chain))
    with (
        Anvil(hardfork=hardfork) as anvil,
        DevNode(tmp_path / "files", l1_url=anvil.url, key_file=key_file, options=options) as node,
    ):
        async with connected(node) as (l1, l2):
            await wait_for_head(l2, "safe", 6)
            last = await l2.head("safe")
            kinds = {
                tx["type"]
                for number in range(await l1.head() + 1)
                for tx in (await l1.call("eth_getBlockByNumber", hex(number), True))["transactions"]
            }
            assert "0x3" in kinds
            await assert_derived_again(
                l2, node.started.files, anvil.url, tmp_path / "again", last, options=_TRUST
            )
        assert node.stop() == 0, node.errors

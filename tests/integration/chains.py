"""Two nodes side by side: is what was derived what was built?"""

import shutil
from pathlib import Path

from tests.integration.conditions import wait_until
from tests.integration.json_rpc import Rpc
from tests.integration.nodes import VerifierNode

CONFIGURATION = ("rollup.json", "genesis.json", "l1-chain.json")


async def wait_for_head(rpc: Rpc, tag: str, number: int, timeout_s: float = 60.0) -> None:
    """Wait until the block with this tag is at least at `number`."""

    async def reached() -> bool:
        return await rpc.head(tag) >= number

    await wait_until(reached, f"{tag} block {number} at {rpc.url}", timeout_s)


async def assert_equal(first: Rpc, second: Rpc, last: int) -> None:
    """Compare the block hashes of two nodes at every height up to `last`."""
    heights = range(last + 1)
    pairs = zip(heights, await first.hashes(heights), await second.hashes(heights), strict=True)
    for number, one, other in pairs:
        assert one is not None, f"{first.url} has no block {number}"
        assert one == other, f"block {number}: {one} at {first.url}, {other} at {second.url}"


async def assert_derived_again(
    rpc: Rpc, files: Path, l1_url: str, work: Path, last: int, timeout_s: float = 60.0
) -> None:
    """Let a fresh verifier derive the chain from L1 alone and compare all blocks up to `last`.

    It is given copies of the three configuration files and nothing else.
    """
    configuration = work / "configuration"
    configuration.mkdir(parents=True)
    for name in CONFIGURATION:
        shutil.copy(files / name, configuration / name)
    with VerifierNode(configuration, l1_url, work / "verifier") as verifier:
        async with Rpc(verifier.url) as derived:
            await wait_for_head(derived, "safe", last, timeout_s)
            await assert_equal(rpc, derived, last)
        assert verifier.stop() == 0

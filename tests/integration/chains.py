"""Two nodes side by side: is what was derived what was built?"""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from consensus.codec.frame import ChannelId, decode_batcher_data
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
    rpc: Rpc,
    files: Path,
    l1_url: str,
    work: Path,
    last: int,
    timeout_s: float = 60.0,
    options: Sequence[str] = (),
) -> None:
    """Let a fresh verifier derive the chain from L1 alone and compare all blocks up to `last`.

    It is given copies of the three configuration files and nothing else.
    """
    configuration = work / "configuration"
    configuration.mkdir(parents=True)
    for name in CONFIGURATION:
        shutil.copy(files / name, configuration / name)
    with VerifierNode(configuration, l1_url, work / "verifier", options) as verifier:
        async with Rpc(verifier.url) as derived:
            await wait_for_head(derived, "safe", last, timeout_s)
            await assert_equal(rpc, derived, last)
        assert verifier.stop() == 0, verifier.errors


async def transactions_by_channel(l1: Rpc, files: Path) -> Counter[ChannelId]:
    """Count the L1 transactions over which each channel in the batch inbox is spread."""
    inbox = json.loads((files / "rollup.json").read_bytes())["batch_inbox_address"].lower()
    numbers = range(await l1.head() + 1)
    params = [(hex(number), True) for number in numbers]
    counts: Counter[ChannelId] = Counter()
    for block in await l1.batch("eth_getBlockByNumber", params):
        for transaction in block["transactions"]:
            if (transaction["to"] or "").lower() == inbox:
                frames = decode_batcher_data(bytes.fromhex(transaction["input"][2:]))
                counts.update({frame.channel_id for frame in frames})
    return counts

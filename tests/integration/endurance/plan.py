"""What a run does, and how its programs are started."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.integration.json_rpc import Rpc
from tests.integration.nodes import Anvil, DevNode


@dataclass(frozen=True, slots=True)
class Plan:
    """Times in seconds; `rate` is in transactions a second. Zero reorgs or restarts: none.

    `finalized_distance` is in L1 blocks: room for the deepest reorg.
    """

    duration_s: float
    reorg_every_s: float = 120.0
    restart_every_s: float = 180.0
    deepest_reorg: int = 8
    rate: float = 4.0
    seed: int = 1
    data_availability: str = "calldata"
    has_anvil: bool = False
    l1_block_time_s: int = 3
    finalized_distance: int = 16


class Programs:
    """Starts the node again and again on one folder, on Anvil or on its embedded L1."""

    def __init__(self, plan: Plan, work: Path, anvil: Anvil | None) -> None:
        self._plan = plan
        self._work = work
        self._anvil = anvil
        self._lives = 0

    def start(self) -> DevNode:
        """Start the node; each life has a log of its own."""
        self._lives += 1
        log = self._work / f"node-{self._lives}.log"
        options = ["--da", self._plan.data_availability, "--verbose"]
        files, data = self._work / "files", self._work / "data"
        if self._anvil is None:
            return DevNode(
                files,
                datadir=data,
                l1_block_time_s=self._plan.l1_block_time_s,
                options=[*options, "--l1-finalized-distance", str(self._plan.finalized_distance)],
                log=log,
            )
        key_file = self._work / "key"
        key_file.write_text("0x" + Anvil.RICH_KEY.hex())
        return DevNode(
            files,
            datadir=data,
            l1_url=self._anvil.url,
            key_file=key_file,
            options=[*options, *self.l1_options],
            log=log,
        )

    @property
    def l1_options(self) -> Sequence[str]:
        """How any node of ours is to take this L1."""
        # Anvil computes the roots of its blocks from transactions with their blobs.
        return () if self._anvil is None else ("--l1-trust-rpc",)

    async def reorg(self, l1: Rpc, depth: int) -> None:
        """Let L1 replace its newest `depth` blocks; RpcFailure if it refuses."""
        if self._anvil is None:
            await l1.call("dev_reorgL1", depth)
        else:
            await l1.call("anvil_reorg", depth, [])


@contextlib.contextmanager
def open_programs(plan: Plan, work: Path) -> Iterator[Programs]:
    """Make the folder and start what outlives the node."""
    work.mkdir(parents=True, exist_ok=True)
    if not plan.has_anvil:
        yield Programs(plan, work, None)
        return
    # Blocks of Anvil are final two epochs later.
    epoch = plan.finalized_distance // 2
    with Anvil(block_time_s=plan.l1_block_time_s, slots_in_an_epoch=epoch) as anvil:
        yield Programs(plan, work, anvil)

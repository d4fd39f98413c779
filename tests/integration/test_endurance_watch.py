"""What the endurance run must notice, shown to it by chains that do it."""

import os
from collections.abc import Iterable, Sequence
from typing import Any, cast

import pytest

from tests.integration.endurance import watch as watching
from tests.integration.endurance.figures import Figures
from tests.integration.endurance.watch import Disturbances, Watch
from tests.integration.json_rpc import Rpc


class Chain:
    """A node that shows a chain of so many blocks, each named for its branch."""

    url = "http://chain"

    def __init__(self, *, length: int = 6, safe: int = 4, finalized: int = 2) -> None:
        self.branches = ["a"] * (length + 1)
        self.safe = safe
        self.finalized = finalized
        self.without: set[str] = set()

    def block(self, number: int) -> dict[str, Any]:
        name = self.branches[number]
        return {
            "number": hex(number),
            "hash": f"{name}{number}",
            "parentHash": f"{self.branches[number - 1]}{number - 1}",
            "transactions": ["deposit", f"tx-{name}{number}"],
        }

    async def call(self, method: str, *_: Any) -> Any:
        assert method == "optimism_syncStatus"
        numbers = {
            "unsafe_l2": len(self.branches) - 1,
            "safe_l2": self.safe,
            "finalized_l2": self.finalized,
        }
        # One L1 block for each two of L2.
        return {
            name: {"number": number, "l1origin": {"number": number // 2}}
            for name, number in numbers.items()
        }

    async def batch(self, method: str, params: Sequence[Sequence[Any]]) -> list[Any]:
        if method == "eth_getTransactionReceipt":
            return [
                None if tx in self.without else {"blockHash": tx.removeprefix("tx-")}
                for (tx,) in params
            ]
        return [self.block(int(number, 16)) for number, _ in params]

    async def head(self, tag: str = "latest") -> int:
        return self.finalized if tag == "finalized" else len(self.branches) - 1

    async def hashes(self, numbers: Iterable[int]) -> list[str | None]:
        return [self.block(number)["hash"] for number in numbers]


class L1:
    """An L1 of so many blocks."""

    async def head(self) -> int:
        return 15


class Scene:
    """A sequencer, a verifier, and the watch over both."""

    def __init__(self) -> None:
        self.figures = Figures()
        self.disturbances = Disturbances()
        self.sequencer, self.verifier = Chain(), Chain()
        nodes = [cast(Rpc, node) for node in (L1(), self.sequencer, self.verifier)]
        self.watch = Watch(self.figures, self.disturbances, os.getpid(), *nodes)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Nodes that agree; what differs longer than no time is a divergence."""
    monkeypatch.setattr(watching, "_PATIENCE_S", -1.0)
    return Scene()


async def test_nodes_that_agree(scene: Scene) -> None:
    await scene.watch.look()
    await scene.watch.check_final()
    assert scene.figures.problems == []
    assert scene.figures.compared == 4
    assert scene.figures.disturbed_lag == [13]
    assert scene.figures.ledger.transactions == 6
    assert scene.figures.memory_mib[0] > 0


async def test_a_verifier_that_differs(scene: Scene) -> None:
    scene.verifier.branches[4] = "b"
    await scene.watch.look()
    assert scene.figures.problems == ["divergence: verifier and sequencer differ from block 4 on"]


async def test_a_verifier_that_differs_above_its_safe_head_has_yet_to_learn(scene: Scene) -> None:
    scene.verifier.branches[4] = "b"
    scene.verifier.safe = 3
    await scene.watch.look()
    assert scene.figures.problems == []


@pytest.mark.parametrize("number", [4, 6])
async def test_blocks_that_vanish(scene: Scene, number: int) -> None:
    await scene.watch.look()
    scene.sequencer.branches[number:] = ["b"] * (7 - number)
    scene.verifier.branches[:] = scene.sequencer.branches
    await scene.watch.look()
    assert [text.split(":")[0] for text in scene.figures.problems] == ["without a reorg"]


async def test_blocks_that_vanish_in_a_reorg(scene: Scene) -> None:
    await scene.watch.look()
    scene.disturbances.note("reorg", 4, is_reorg=True)
    scene.sequencer.branches[4:] = ["b"] * 4
    scene.verifier.branches[:] = scene.sequencer.branches
    scene.sequencer.safe = 5
    await scene.watch.look()
    assert scene.figures.problems == []
    (taken,) = scene.figures.reorged
    assert (taken.safe_blocks, taken.unsafe_blocks) == (1, 2)
    assert len(scene.figures.ledger.homeless) == 3
    assert list(scene.figures.recovery_s) == ["reorg"]


async def test_final_things_that_vanish(scene: Scene) -> None:
    await scene.watch.look()
    scene.sequencer.without.add("tx-a1")
    scene.verifier.branches[2] = "b"
    await scene.watch.check_final()
    assert scene.figures.problems == [
        "block 2 at http://chain: final a2, is b2",
        "transaction tx-a1 was final and has no receipt",
    ]


async def test_finality_that_is_taken_back(scene: Scene) -> None:
    await scene.watch.look()
    scene.sequencer.finalized = 1
    await scene.watch.look()
    assert scene.figures.problems[0].startswith("finalized went back from 2")


async def test_a_chain_on_another_final_block(scene: Scene) -> None:
    await scene.watch.look()
    scene.sequencer.branches[2] = "b"
    await scene.watch.look()
    assert scene.figures.problems == ["no chain on what was final: block 3: expected parent a2"]

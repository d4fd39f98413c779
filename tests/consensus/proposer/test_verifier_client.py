"""A verifier read over JSON-RPC: ours, and ones that lie."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from consensus.l1.json_rpc import Json, JsonRpc, RpcFault
from consensus.proposer.verifier_client import VerifierClient
from node.errors import ConfigError, TemporaryError
from node.output_root import Output
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32
from tests.consensus.proposer.scene import Scene

ROOTS = Output(*(Hash32(bytes([n]) * 32) for n in (1, 2, 3)))
BLOCK = {
    "hash": "0x" + ROOTS.block_hash.hex(),
    "number": 5,
    "parentHash": "0x" + "04" * 32,
    "timestamp": 1000,
}
ANSWER: dict[str, Any] = {
    "version": "0x" + "00" * 32,
    "outputRoot": "0x" + ROOTS.root.hex(),
    "blockRef": BLOCK,
    "withdrawalStorageRoot": "0x" + ROOTS.storage_root.hex(),
    "stateRoot": "0x" + ROOTS.state_root.hex(),
}


class Said(JsonRpc):
    """A server that gives the same answer always."""

    def __init__(self, answer: "Json | RpcFault") -> None:
        super().__init__("http://verifier")
        self.answer = answer

    async def call(self, method: str, *params: Json) -> Json:
        if isinstance(self.answer, RpcFault):
            raise self.answer
        return self.answer


@pytest.fixture
async def client(scene: Scene) -> AsyncIterator[VerifierClient]:
    client = VerifierClient(JsonRpc(scene.nodes.verifier.url))
    yield client
    await client.close()


async def test_it_says_what_the_node_itself_knows(scene: Scene, client: VerifierClient) -> None:
    await client.check_rollup(scene.nodes.rollup.config)
    await scene.make_safe(3)
    own = scene.own_outputs()
    assert await client.progress() == await own.progress()
    for number in (0, 3):
        assert await client.output(number) == await own.output(number) == scene.output(number)
    assert await client.output(4) is None
    assert await own.output(4) is None


async def test_unsafe_blocks_have_outputs_too(scene: Scene) -> None:
    await scene.stepper.mine()
    client = VerifierClient(JsonRpc(scene.nodes.sequencer.url))
    assert await client.output(1) == scene.output(1)
    assert (await client.progress()).safe == 0
    await client.close()


async def test_the_node_of_another_rollup(scene: Scene, client: VerifierClient) -> None:
    config = scene.nodes.rollup.config
    other = replace(
        config, genesis=replace(config.genesis, l2=BlockRef(ROOTS.root, BlockNumber(0)))
    )
    with pytest.raises(ConfigError, match=r"^--l2: expected a node of the rollup with genesis.l2"):
        await client.check_rollup(other)


async def test_a_whole_answer() -> None:
    assert await VerifierClient(Said(ANSWER)).output(5) == ROOTS


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"outputRoot": "0x" + "11" * 32}, r"block 5: expected output root 0x.* from its parts"),
        ({"version": "0x" + "11" * 32}, "expected an output of version 0, got 0x1111"),
        ({"blockRef": BLOCK | {"number": 6}}, "expected the output of block 5, got 6"),
        ({"blockRef": BLOCK | {"number": "0x5"}}, "blockRef.number: expected a number, got 0x5"),
        ({"stateRoot": None}, "stateRoot"),
        ({"blockRef": None}, "blockRef: expected an object"),
    ],
)
async def test_an_output_that_does_not_fit_together(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(TemporaryError, match=said):
        await VerifierClient(Said(ANSWER | changed)).output(5)


async def test_refusals() -> None:
    unknown = RpcFault("optimism_outputAtBlock", -32000, "failed to get L2 block ref: not found")
    assert await VerifierClient(Said(unknown)).output(5) is None
    broken = RpcFault("optimism_outputAtBlock", -32000, "out of order")
    with pytest.raises(RpcFault):
        await VerifierClient(Said(broken)).output(5)


async def test_an_l1_that_it_has_not_begun_to_read() -> None:
    nothing = BLOCK | {"hash": "0x" + "00" * 32}
    status: dict[str, Any] = {"current_l1": nothing, "safe_l2": BLOCK, "finalized_l2": BLOCK}
    progress = await VerifierClient(Said(status)).progress()
    assert (progress.current_l1, progress.safe, progress.finalized) == (None, 5, 5)

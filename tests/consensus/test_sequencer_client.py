"""Reading a sequencer's blocks over JSON-RPC: what it may answer."""

from collections.abc import AsyncIterator, Iterator

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from consensus.l1.json_rpc import Json, JsonRpc
from consensus.sequencer_client import SequencerClient
from node.clock import VirtualClock
from node.errors import TemporaryError
from node.types.block import Block
from tests.consensus.rollup_node import RollupNode, make_genesis
from tests.fakes.pool_l1 import PoolL1


class Answers:
    """What the server answers, by method."""

    def __init__(self) -> None:
        self.results: dict[str, Json] = {}

    async def handle(self, request: web.Request) -> web.Response:
        asked = orjson.loads(await request.read())
        answer = {"jsonrpc": "2.0", "id": asked["id"], "result": self.results[asked["method"]]}
        return web.Response(body=orjson.dumps(answer), content_type="application/json")


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
async def client(answers: Answers) -> AsyncIterator[SequencerClient]:
    application = web.Application()
    application.router.add_post("/", answers.handle)
    async with TestServer(application) as server:
        client = SequencerClient(JsonRpc(str(server.make_url("/"))))
        yield client
        await client.close()


@pytest.fixture
def node() -> Iterator[RollupNode]:
    l1 = PoolL1()
    node = RollupNode(l1, *make_genesis(l1), VirtualClock(l1.genesis.timestamp))
    yield node
    node.close()


def raw(block: Block) -> str:
    return "0x" + block.encode().hex()


async def test_head_and_block(answers: Answers, client: SequencerClient, node: RollupNode) -> None:
    node.send(0)
    block = await node.build()
    answers.results = {
        "eth_getBlockByNumber": {"number": "0x1", "hash": "0x" + block.hash.hex()},
        "debug_getRawBlock": raw(block),
    }
    assert await client.head() == block.header.ref
    assert await client.block(1) == block
    with pytest.raises(TemporaryError, match="expected block 2, got block 1"):
        await client.block(2)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("0x", "expected block 1, there is none"),
        ("0x01", "block 1: "),
        ("0x" + "c1" * 5000, "block 1: "),
        ("block", "expected bytes of hexadecimal"),
        (None, "expected bytes of hexadecimal"),
    ],
)
async def test_what_is_no_block(
    answers: Answers, client: SequencerClient, answer: Json, message: str
) -> None:
    answers.results = {"debug_getRawBlock": answer}
    with pytest.raises(TemporaryError, match=message):
        await client.block(1)


@pytest.mark.parametrize("answer", [None, {}, {"number": "0x1"}, {"number": 1, "hash": "0x"}])
async def test_what_is_no_head(answers: Answers, client: SequencerClient, answer: Json) -> None:
    answers.results = {"eth_getBlockByNumber": answer}
    with pytest.raises(TemporaryError, match="expected"):
        await client.head()

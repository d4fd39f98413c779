import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from consensus.l1.json_rpc import JsonRpc, RpcFault, RpcSettings, Unreachable
from tests.consensus.passing_time import JumpingClock
from tests.fakes.l1_server import L1Server
from tests.fakes.pool_l1 import PoolL1

ONCE = RpcSettings(attempts=1)
HASTY = RpcSettings(attempts=4, first_retry_s=0.0)


@pytest.fixture
async def server() -> AsyncIterator[L1Server]:
    server = L1Server(PoolL1())
    await server.start()
    yield server
    await server.stop()


async def _call(server: L1Server, settings: RpcSettings, method: str = "eth_chainId") -> object:
    rpc = JsonRpc(server.url, settings)
    try:
        return await rpc.call(method)
    finally:
        await rpc.close()


async def test_returns_the_result(server: L1Server) -> None:
    assert await _call(server, ONCE) == "0x384"


async def test_an_error_answer_keeps_code_and_message(server: L1Server) -> None:
    with pytest.raises(RpcFault, match="no method eth_nonsense") as caught:
        await _call(server, ONCE, "eth_nonsense")
    assert caught.value.is_method_missing


async def test_tries_again_after_http_failures(server: L1Server) -> None:
    server.statuses = [503, 429, 500]
    assert await _call(server, HASTY) == "0x384"


async def test_gives_up_in_the_end(server: L1Server) -> None:
    server.statuses = [503] * 4
    with pytest.raises(Unreachable, match=r"HTTP status 503 \(4 attempts\)"):
        await _call(server, HASTY)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"7",
        b"null",
        b'{"jsonrpc":"2.0","id":1}',
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
async def test_answers_that_are_not_json_rpc_are_temporary_errors(
    server: L1Server, body: bytes
) -> None:
    server.bodies = [body]
    with pytest.raises(Unreachable):
        await _call(server, ONCE)


async def test_a_busy_server_is_asked_again(server: L1Server) -> None:
    server.bodies = [b'{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"limit"}}']
    assert await _call(server, HASTY) == "0x384"


@pytest.mark.parametrize("error", [b'"text"', b"{}", b'{"code":"x"}', b'{"message":null}', b"[1]"])
async def test_odd_errors_are_still_errors(server: L1Server, error: bytes) -> None:
    server.bodies = [b'{"jsonrpc":"2.0","id":1,"error":' + error + b"}"]
    with pytest.raises(RpcFault):
        await _call(server, ONCE)


async def test_an_answer_without_end_is_cut_off(server: L1Server) -> None:
    server.bodies = [b" " * 5000 + b"{}"]
    with pytest.raises(Unreachable, match="expected at most 4096 bytes"):
        await _call(server, RpcSettings(attempts=1, max_response_bytes=4096))


async def test_nobody_listens() -> None:
    rpc = JsonRpc("http://127.0.0.1:1/", ONCE)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
        await rpc.call("eth_chainId")
    await rpc.close()


async def test_a_server_that_never_answers_is_given_up() -> None:
    async def hang(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    app = web.Application()
    app.router.add_post("/", hang)
    server = TestServer(app)
    await server.start_server()
    rpc = JsonRpc(str(server.make_url("/")), RpcSettings(attempts=1, timeout_s=0.05))
    with pytest.raises(Unreachable, match=r"no answer within 0\.05 s"):
        await rpc.call("eth_chainId")
    await rpc.close()
    await server.close()


async def test_waits_longer_each_time() -> None:
    clock = JumpingClock()
    rpc = JsonRpc("http://127.0.0.1:1/", RpcSettings(attempts=4, first_retry_s=1), clock)
    with pytest.raises(Unreachable, match=r"\(4 attempts\)"):
        await rpc.call("eth_chainId")
    assert clock.waits == [1, 2, 4]
    await rpc.close()


async def test_batches_come_back_in_order(server: L1Server) -> None:
    rpc = JsonRpc(server.url, RpcSettings(attempts=1, batch_size=3))
    server.l1.mine_empty(8)
    blocks = await rpc.batch("eth_getBlockByNumber", [[hex(100 + i), False] for i in range(8)])
    numbers = [int(str(block["number"]), 16) for block in blocks if isinstance(block, dict)]
    assert numbers == list(range(100, 108))
    assert await rpc.batch("eth_chainId", []) == []
    await rpc.close()


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'[{"id":1,"result":1},{"id":77,"result":2}]', b"[1,2]", b"null"]
)
async def test_incomplete_batches_are_temporary_errors(server: L1Server, body: bytes) -> None:
    rpc = JsonRpc(server.url, ONCE)
    server.bodies = [body]
    with pytest.raises(Unreachable):
        await rpc.batch("eth_chainId", [[], []])
    await rpc.close()


async def test_an_error_about_a_whole_batch_is_its_error(server: L1Server) -> None:
    rpc = JsonRpc(server.url, ONCE)
    server.bodies = [b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"too many"}}']
    with pytest.raises(RpcFault, match="too many"):
        await rpc.batch("eth_chainId", [[], []])
    await rpc.close()


async def test_only_so_many_requests_in_a_second(server: L1Server) -> None:
    clock = JumpingClock()
    rpc = JsonRpc(server.url, RpcSettings(max_per_s=4), clock)
    start = clock.now()
    await asyncio.gather(*(rpc.call("eth_chainId") for _ in range(9)))
    assert clock.now() - start == pytest.approx(2.0)
    await rpc.batch("eth_chainId", [[]] * 8)
    assert clock.now() - start == pytest.approx(2.25)
    await rpc.call("eth_chainId")
    assert clock.now() - start == pytest.approx(4.25)
    await rpc.close()


async def test_only_so_many_requests_at_once() -> None:
    running, most = 0, 0
    release = asyncio.Event()

    async def count(request: web.Request) -> web.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 2:
            release.set()
        await release.wait()
        running -= 1
        return web.json_response({"jsonrpc": "2.0", "id": 1, "result": 1})

    app = web.Application()
    app.router.add_post("/", count)
    server = TestServer(app)
    await server.start_server()
    rpc = JsonRpc(str(server.make_url("/")), RpcSettings(max_concurrent=2))
    await asyncio.gather(*(rpc.call("m") for _ in range(10)))
    assert most == 2
    await rpc.close()
    await server.close()

import asyncio
import gzip
import io
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import ConfigError
from rpc.dispatcher import Dispatcher
from rpc.methods.net import net_methods
from rpc.methods.web3 import web3_methods
from rpc.server import REQUEST_BYTE_LIMIT, RpcServer


def make_dispatcher() -> Dispatcher:
    return Dispatcher([*web3_methods("openrollup/test"), *net_methods(901)])


@pytest.fixture
async def server() -> AsyncIterator[RpcServer]:
    server = RpcServer(make_dispatcher())
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def ask(client: aiohttp.ClientSession, url: str, method: str, *params: Any) -> Any:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    async with client.post(url, json=message) as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        return (await response.json())["result"]


async def test_calls_are_answered(server: RpcServer, client: aiohttp.ClientSession) -> None:
    assert await ask(client, server.url, "web3_clientVersion") == "openrollup/test"
    assert await ask(client, server.url, "net_version") == "901"
    assert await ask(client, server.url, "net_listening") is True
    assert await ask(client, server.url, "net_peerCount") == "0x0"
    empty = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert await ask(client, server.url, "web3_sha3", "0x") == empty


async def test_any_content_type_will_do(server: RpcServer, client: aiohttp.ClientSession) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"net_version"}'
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with client.post(server.url, data=body, headers=headers) as response:
        assert (await response.json())["result"] == "901"


async def test_every_origin_may_call(server: RpcServer, client: aiohttp.ClientSession) -> None:
    preflight = {
        "Origin": "https://wallet.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-own",
        "Access-Control-Request-Private-Network": "true",
    }
    async with client.options(server.url, headers=preflight) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        assert response.headers["Access-Control-Allow-Headers"] == "content-type,x-own"
        assert response.headers["Access-Control-Allow-Private-Network"] == "true"
    body = b'{"jsonrpc":"2.0","id":1,"method":"net_version"}'
    headers = {"Origin": "https://wallet.example"}
    async with client.post(server.url, data=body, headers=headers) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_get_says_what_this_is(server: RpcServer, client: aiohttp.ClientSession) -> None:
    async with client.get(server.url) as response:
        assert response.status == 200
        assert "JSON-RPC" in await response.text()
    async with client.put(server.url) as response:
        assert response.status == 405
    async with client.post(server.url + "/elsewhere") as response:
        assert response.status == 404


async def test_a_notification_has_no_body(server: RpcServer, client: aiohttp.ClientSession) -> None:
    async with client.post(server.url, data=b'{"jsonrpc":"2.0","method":"x"}') as response:
        assert response.status == 204
        assert await response.read() == b""


async def test_a_body_of_ten_megabytes_is_read(
    server: RpcServer, client: aiohttp.ClientSession
) -> None:
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "web3_sha3",
        "params": ["0x" + "00" * 4_000_000],
    }
    body = orjson.dumps(message).ljust(REQUEST_BYTE_LIMIT)
    assert len(body) == REQUEST_BYTE_LIMIT
    async with client.post(server.url, data=io.BytesIO(body)) as response:
        answer = await response.json()
    assert "result" in answer


async def _chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(0, size, 1 << 16):
        yield b" " * (1 << 16)


@pytest.mark.parametrize("in_chunks", [False, True])
async def test_a_larger_body_is_refused(
    server: RpcServer, client: aiohttp.ClientSession, in_chunks: bool
) -> None:
    size = REQUEST_BYTE_LIMIT + 1
    async with client.post(
        server.url, data=_chunks(size) if in_chunks else io.BytesIO(b" " * size)
    ) as response:
        assert response.status == 413
        error = (await response.json())["error"]
    assert error["code"] == -32600
    assert error["message"].startswith("content length too large")
    assert await ask(client, server.url, "net_version") == "901"


async def test_a_compressed_body_is_not_json(
    server: RpcServer, client: aiohttp.ClientSession
) -> None:
    headers = {"Content-Encoding": "gzip"}
    for body in (gzip.compress(b" " * (REQUEST_BYTE_LIMIT + 1)), b"not gzip"):
        async with client.post(server.url, data=body, headers=headers) as response:
            assert (await response.json())["error"]["code"] == -32700
    assert await ask(client, server.url, "net_version") == "901"


async def test_a_taken_port_is_named(server: RpcServer) -> None:
    second = RpcServer(make_dispatcher(), port=server.port)
    with pytest.raises(ConfigError, match=f"^port: {server.port} on 127.0.0.1 is in use"):
        await second.start()
    with pytest.raises(RuntimeError):
        _ = second.url


async def test_a_host_that_is_not_ours_is_refused() -> None:
    server = RpcServer(make_dispatcher(), host="203.0.113.1")
    with pytest.raises(ConfigError, match=r"cannot listen on 203\.0\.113\.1:0"):
        await server.start()


async def test_the_port_is_free_after_stop(client: aiohttp.ClientSession) -> None:
    server = RpcServer(make_dispatcher())
    await server.start()
    port = server.port
    await ask(client, server.url, "net_version")
    await server.stop()
    await server.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.post(f"http://127.0.0.1:{port}", data=b"{}")
    again = RpcServer(make_dispatcher(), port=port)
    await again.start()
    assert await ask(client, again.url, "net_version") == "901"
    await again.stop()


async def test_other_routes_share_the_port(client: aiohttp.ClientSession) -> None:
    async def version(request: web.Request) -> web.Response:
        return web.json_response({"data": {"version": "test"}})

    server = RpcServer(make_dispatcher(), routes=[web.get("/eth/v1/node/version", version)])
    await server.start()
    async with client.get(server.url + "/eth/v1/node/version") as response:
        assert (await response.json())["data"] == {"version": "test"}
    await server.stop()


@pytest.mark.parametrize(
    "raw",
    [
        b"GARBAGE\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        bytes(9_000),
    ],
)
async def test_bytes_that_are_not_http(
    server: RpcServer,
    client: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    raw: bytes,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(raw)
    assert (await reader.read()).startswith(b"HTTP/1.0 400")
    writer.close()
    assert await ask(client, server.url, "net_version") == "901"
    assert caplog.records == []


async def test_a_client_that_hangs_up_harms_nobody(
    server: RpcServer, client: aiohttp.ClientSession
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()
    writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
    )
    writer.close()
    assert await ask(client, server.url, "net_version") == "901"


_SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text()
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | _SCALARS,
        "id": _VALUES,
        "method": st.sampled_from(["web3_sha3", "net_version", "net_peerCount"]) | _VALUES,
        "params": _VALUES,
    },
)
_BODIES = (
    st.binary(max_size=200)
    | (_REQUESTS | st.lists(_REQUESTS | _VALUES, max_size=5)).map(orjson.dumps)
    | st.tuples(_REQUESTS.map(orjson.dumps), st.integers(0, 60)).map(
        lambda pair: pair[0][: pair[1]]
    )
)


def test_no_body_brings_the_server_down() -> None:
    async def serve(bodies: list[bytes]) -> None:
        server = RpcServer(make_dispatcher())
        await server.start()
        async with aiohttp.ClientSession() as client:
            for body in bodies:
                async with client.post(server.url, data=body) as response:
                    assert response.status in (200, 204)
                    answer = await response.read()
                    for item in _items(answer):
                        assert item["jsonrpc"] == "2.0"
                        assert "id" in item
                        assert ("result" in item) != ("error" in item)
                        assert item.get("error", {}).get("code") != -32603
            assert await ask(client, server.url, "net_version") == "901"
        await server.stop()

    @settings(max_examples=30, deadline=None)
    @given(st.lists(_BODIES, min_size=10, max_size=20))
    def check(bodies: list[bytes]) -> None:
        asyncio.run(serve(bodies))

    check()


def _items(answer: bytes) -> list[Any]:
    if not answer:
        return []
    decoded = orjson.loads(answer)
    return decoded if isinstance(decoded, list) else [decoded]

import logging
from typing import Any

import orjson
import pytest

from node.errors import CorruptStore, NonceTooLow, TemporaryError
from rpc import dispatcher as dispatcher_module
from rpc.dispatcher import BATCH_ITEM_LIMIT, Dispatcher, Method
from rpc.encoding.hexadecimal import Json
from rpc.params import boolean, optional, required, uint64


async def _add(left: int, right: int) -> Json:
    return hex(left + right)


async def _echo(value: bool) -> Json:
    return value


async def _refuse() -> Json:
    raise NonceTooLow("nonce too low: address 0x00, tx: 0 state: 1")


async def _wait() -> Json:
    raise TemporaryError("L1 does not answer")


async def _corrupt() -> Json:
    raise CorruptStore("header of block 0x00: it is missing")


async def _bug() -> Json:
    raise KeyError("a mistake in the code")


async def _unserializable() -> Json:
    return {1, 2}  # type: ignore[return-value]


@pytest.fixture
def dispatcher() -> Dispatcher:
    return Dispatcher(
        [
            Method("add", _add, (required(uint64), required(uint64))),
            Method("echo", _echo, (optional(boolean, True),)),
            Method("refuse", _refuse),
            Method("wait", _wait),
            Method("corrupt", _corrupt),
            Method("bug", _bug),
            Method("unserializable", _unserializable),
        ]
    )


async def ask(dispatcher: Dispatcher, message: Any) -> Any:
    body = message if isinstance(message, bytes) else orjson.dumps(message)
    answer = await dispatcher.handle(body)
    return None if answer is None else orjson.loads(answer)


def request(method: Any, *params: Any, **changes: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)} | changes


async def test_a_call_is_answered(dispatcher: Dispatcher) -> None:
    answer = await ask(dispatcher, request("add", "0x2", "0x3"))
    assert answer == {"jsonrpc": "2.0", "id": 1, "result": "0x5"}


@pytest.mark.parametrize("identifier", [7, "seven", None, 1.5])
async def test_the_id_comes_back(dispatcher: Dispatcher, identifier: Any) -> None:
    answer = await ask(dispatcher, request("echo", id=identifier))
    assert answer == {"jsonrpc": "2.0", "id": identifier, "result": True}


async def test_params_may_be_left_out(dispatcher: Dispatcher) -> None:
    answer = await ask(dispatcher, {"jsonrpc": "2.0", "id": 1, "method": "echo"})
    assert answer["result"] is True


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        (b"{", -32700, "parse error"),
        (b"", -32700, "parse error"),
        (b"\xff\xfe", -32700, "parse error"),
        (b"[" * 100_000, -32700, "parse error"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, -32700, "parse error"),
        (1, -32600, "invalid request: expected an object"),
        ("text", -32600, "invalid request: expected an object"),
        (None, -32600, "invalid request: expected an object"),
        ({}, -32600, 'invalid request: expected "jsonrpc": "2.0"'),
        (request("echo", jsonrpc="1.0"), -32600, 'invalid request: expected "jsonrpc": "2.0"'),
        (request(5), -32600, "invalid request: expected a method name"),
        (request("echo", id=[1]), -32600, "invalid request: expected an id"),
        (request("echo", id=True), -32600, "invalid request: expected an id"),
        (request("nope"), -32601, "the method nope does not exist/is not available"),
        (request("echo", params={"a": 1}), -32602, "non-array args"),
        (request("echo", True, 2), -32602, "too many arguments, want at most 1"),
        (request("add"), -32602, "missing value for required argument 0"),
        (request("add", "0x1", None), -32602, "missing value for required argument 1"),
        (
            request("add", "0x1", "7"),
            -32602,
            "invalid argument 1: hex string without 0x prefix",
        ),
        (
            request("add", "0x01", "0x1"),
            -32602,
            "invalid argument 0: hex number with leading zero digits",
        ),
        (
            request("echo", "yes"),
            -32602,
            "invalid argument 0: expected true or false, got a string",
        ),
        (request("refuse"), -32000, "nonce too low: address 0x00, tx: 0 state: 1"),
        (request("wait"), -32000, "L1 does not answer"),
    ],
)
async def test_errors(dispatcher: Dispatcher, message: Any, code: int, text: str) -> None:
    answer = await ask(dispatcher, message)
    assert answer["jsonrpc"] == "2.0"
    assert answer["error"]["code"] == code
    assert answer["error"]["message"].startswith(text)


@pytest.mark.parametrize("method", ["bug", "unserializable"])
async def test_a_bug_is_logged_and_hidden(
    dispatcher: Dispatcher, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    answer = await ask(dispatcher, request(method))
    assert answer["error"] == {"code": -32603, "message": "internal error"}
    assert caplog.records[0].exc_info is not None
    assert (await ask(dispatcher, request("echo")))["result"] is True


async def test_a_broken_store_is_an_internal_error(
    dispatcher: Dispatcher, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await ask(dispatcher, request("corrupt"))
    assert answer["error"]["code"] == -32603
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_a_notification_runs_in_silence(dispatcher: Dispatcher) -> None:
    for method in ("echo", "nope", "refuse"):
        message = request(method)
        del message["id"]
        assert await ask(dispatcher, message) is None


async def test_a_batch_keeps_its_order(dispatcher: Dispatcher) -> None:
    silent = {"jsonrpc": "2.0", "method": "echo"}
    answer = await ask(
        dispatcher,
        [request("add", "0x1", "0x1", id=1), silent, 5, request("nope", id=2), request("echo")],
    )
    assert [item["id"] for item in answer] == [1, None, 2, 1]
    assert [item.get("error", {}).get("code") for item in answer] == [None, -32600, -32601, None]


async def test_a_batch_of_notifications_has_no_answer(dispatcher: Dispatcher) -> None:
    assert await ask(dispatcher, [{"jsonrpc": "2.0", "method": "echo"}] * 2) is None


async def test_batches_are_bounded(dispatcher: Dispatcher) -> None:
    assert (await ask(dispatcher, []))["error"]["message"] == "empty batch"
    largest = await ask(dispatcher, [request("echo")] * BATCH_ITEM_LIMIT)
    assert len(largest) == BATCH_ITEM_LIMIT
    answer = await ask(dispatcher, [request("echo")] * (BATCH_ITEM_LIMIT + 1))
    assert answer["error"]["code"] == -32600
    assert answer["error"]["message"].startswith("batch too large: expected at most 1000")


async def test_the_size_of_a_batch_answer_is_bounded(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher_module, "RESPONSE_BYTE_LIMIT", 60)
    answer = await ask(dispatcher, [request("echo", id=n) for n in range(4)])
    assert [item["id"] for item in answer] == [0, 1, 2, 3]
    assert [item.get("error", {}).get("code") for item in answer] == [None, None, -32003, -32003]


def test_a_name_has_one_owner(dispatcher: Dispatcher) -> None:
    with pytest.raises(ValueError, match="echo is registered twice"):
        dispatcher.register([Method("echo", _echo)])

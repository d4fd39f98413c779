"""The admin methods over JSON-RPC, with switches that only remember."""

from typing import Any

import orjson
import pytest

from node.errors import OperationRefused
from node.types.primitives import Hash32, keccak256
from rpc.dispatcher import Dispatcher
from rpc.methods.admin import admin_methods

HEAD = keccak256(b"head")


class Sequencer:
    def __init__(self) -> None:
        self.is_active = True

    async def start(self, head: Hash32) -> None:
        if self.is_active:
            raise OperationRefused("sequencer already running")
        assert head == HEAD
        self.is_active = True

    async def stop(self) -> Hash32:
        self.is_active = False
        return HEAD


class Batcher:
    def __init__(self) -> None:
        self.told: list[str] = []

    def start(self) -> None:
        self.told.append("start")

    async def stop(self) -> None:
        self.told.append("stop")

    def flush(self) -> None:
        self.told.append("flush")


class Scene:
    def __init__(self, *, with_batcher: bool = True) -> None:
        self.sequencer = Sequencer()
        self.batcher = Batcher()
        self.resets: list[None] = []
        batcher = self.batcher if with_batcher else None
        methods = admin_methods(self.sequencer, lambda: self.resets.append(None), batcher)
        self.dispatcher = Dispatcher(methods)

    async def call(self, method: str, *params: Any) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = await self.dispatcher.handle(orjson.dumps(request))
        assert answer is not None
        return orjson.loads(answer)

    async def result(self, method: str, *params: Any) -> Any:
        return (await self.call(method, *params))["result"]


async def test_the_sequencer_is_stopped_and_started() -> None:
    scene = Scene()
    assert await scene.result("admin_sequencerActive") is True
    assert await scene.result("admin_stopSequencer") == "0x" + HEAD.hex()
    assert await scene.result("admin_sequencerActive") is False
    assert await scene.result("admin_startSequencer", "0x" + HEAD.hex()) is None
    refusal = await scene.call("admin_startSequencer", "0x" + HEAD.hex())
    assert refusal["error"] == {"code": -32000, "message": "sequencer already running"}


@pytest.mark.parametrize("params", [(), ("0x12",), (5,), ("latest",)])
async def test_a_start_needs_a_hash(params: tuple[Any, ...]) -> None:
    assert (await Scene().call("admin_startSequencer", *params))["error"]["code"] == -32602


async def test_the_batcher_and_derivation_are_told() -> None:
    scene = Scene()
    for name in ("stop", "start", "flush"):
        assert await scene.result(f"admin_{name}Batcher") is None
    assert scene.batcher.told == ["stop", "start", "flush"]
    assert await scene.result("admin_resetDerivationPipeline") is None
    assert len(scene.resets) == 1


async def test_without_a_batcher_its_methods_are_not_there() -> None:
    scene = Scene(with_batcher=False)
    assert (await scene.call("admin_flushBatcher"))["error"]["code"] == -32601
    assert await scene.result("admin_sequencerActive") is True

"""A fake L1 behind JSON-RPC over HTTP, which can be made to misbehave."""

from collections.abc import Callable

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from consensus.l1.json_rpc import Json, RpcFault
from consensus.l1.source import L1BlockGone, L1NotFound
from node.types.block import Block
from node.types.primitives import BlockNumber, Hash32, hex_address, hex_hash
from rpc.encoding.block import block_with_hashes, block_with_transactions
from rpc.encoding.receipt import block_receipts
from tests.fakes.pool_l1 import PoolL1

Distort = Callable[[str, Json], Json]


class L1Server:
    """Serves what L1Client asks for, except methods in `missing`.

    `distort` changes results; `statuses` are the HTTP failures, `bodies` the garbage to come.
    """

    def __init__(self, l1: PoolL1) -> None:
        self.l1 = l1
        self.statuses: list[int] = []
        self.bodies: list[bytes] = []
        self.missing: set[str] = set()
        self.distort: Distort = lambda method, result: result
        self.calls: list[str] = []
        app = web.Application()
        app.router.add_post("/", self._handle)
        self._server = TestServer(app)

    @property
    def url(self) -> str:
        """Where to connect to."""
        return str(self._server.make_url("/"))

    async def start(self) -> None:
        """Listen on a free port."""
        await self._server.start_server()

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.close()

    async def _handle(self, request: web.Request) -> web.Response:
        if self.statuses:
            return web.Response(status=self.statuses.pop(0), text="the proxy is unwell")
        if self.bodies:
            return web.Response(body=self.bodies.pop(0))
        content = orjson.loads(await request.read())
        if isinstance(content, list):
            answer: Json = [await self._answer(entry) for entry in reversed(content)]
        else:
            answer = await self._answer(content)
        return web.Response(body=orjson.dumps(answer), content_type="application/json")

    async def _answer(self, call: dict[str, Json]) -> Json:
        method, params = str(call["method"]), call["params"]
        assert isinstance(params, list)
        self.calls.append(method)
        head: dict[str, Json] = {"jsonrpc": "2.0", "id": call["id"]}
        if method in self.missing:
            return head | {"error": {"code": -32601, "message": f"no method {method}"}}
        try:
            result = self.distort(method, await self._result(method, params))
        except RpcFault as fault:
            return head | {"error": {"code": fault.code, "message": fault.message}}
        return head | {"result": result}

    async def _result(self, method: str, params: list[Json]) -> Json:
        match method:
            case "eth_chainId":
                return hex(await self.l1.chain_id())
            case "eth_getBlockByNumber" | "eth_getBlockByHash":
                return await self._block(params[0], full=bool(params[1]))
            case "eth_getBlockReceipts":
                return await self._receipts(params[0])
            case "eth_getTransactionReceipt":
                return await self._transaction_receipt(hex_hash(str(params[0])))
            case "eth_getTransactionCount":
                return hex(await self.l1.nonce(hex_address(str(params[0]))))
            case "eth_getBalance":
                return hex(await self.l1.balance(hex_address(str(params[0]))))
            case "eth_maxPriorityFeePerGas":
                return hex(await self.l1.priority_fee() or 0)
            case "eth_sendRawTransaction":
                raw = bytes.fromhex(str(params[0])[2:])
                return "0x" + (await self.l1.send_raw_transaction(raw)).hex()
            case _:
                raise RpcFault(method, -32601, f"no method {method}")

    async def _find(self, name: Json) -> Block | None:
        try:
            if name in ("latest", "safe", "finalized"):
                ref = await self.l1.block_ref_by_label(name)  # type: ignore[arg-type]
            elif len(str(name)) == 66:
                return await self.l1.block(hex_hash(str(name)))
            else:
                ref = await self.l1.block_ref_by_number(BlockNumber(int(str(name), 16)))
            return await self.l1.block(ref.hash)
        except (L1NotFound, L1BlockGone):
            return None

    async def _block(self, name: Json, *, full: bool) -> Json:
        block = await self._find(name)
        if block is None:
            return None
        if not full:
            return block_with_hashes(block)
        return block_with_transactions(block, await self.l1.receipts(block.hash))

    async def _receipts(self, name: Json) -> Json:
        block = await self._find(name)
        if block is None:
            return None
        receipts = await self.l1.receipts(block.hash)
        answers: list[Json] = [*block_receipts(block, receipts, [{}] * len(receipts), 1)]
        return answers

    async def _transaction_receipt(self, transaction: Hash32) -> Json:
        inclusion = await self.l1.transaction_inclusion(transaction)
        if inclusion is None:
            return None
        answers = await self._receipts("0x" + inclusion.block.hash.hex())
        assert isinstance(answers, list)
        name = "0x" + transaction.hex()
        return next(a for a in answers if isinstance(a, dict) and a["transactionHash"] == name)

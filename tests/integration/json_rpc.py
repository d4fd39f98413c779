"""JSON-RPC by hand, so that nothing stands between a test and the wire."""

import io
import itertools
import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self

import aiohttp

_TIMEOUT_S = 30.0
_BATCH = 100


class RpcFailure(Exception):
    """The node has answered with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Any = error.get("data")
        super().__init__(f"{self.code}: {self.message}")


class Unreachable(Exception):
    """The node has not answered at all."""


def call(url: str, method: str, *params: Any) -> Any:
    """Ask once and wait for the answer."""
    request = urllib.request.Request(
        url, json.dumps(_request(1, method, params)).encode(), {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            return _result(json.load(response))
    except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
        raise Unreachable(f"{url}: {error}") from error


class Rpc:
    """A connection to one node, for use with `async with`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._numbers = itertools.count(1)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        self._session = aiohttp.ClientSession(timeout=timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(self, method: str, *params: Any) -> Any:
        """Return the result; RpcFailure for an error, Unreachable for no answer."""
        body = json.dumps(_request(next(self._numbers), method, params))
        _, text = await self.post(body.encode())
        return _result(json.loads(text))

    async def batch(self, method: str, params: Sequence[Sequence[Any]]) -> list[Any]:
        """Call one method many times, a hundred calls to a request; results in order."""
        results: list[Any] = []
        for start in range(0, len(params), _BATCH):
            part = params[start : start + _BATCH]
            body = json.dumps([_request(i, method, one) for i, one in enumerate(part)])
            _, text = await self.post(body.encode())
            answers = sorted(json.loads(text), key=lambda answer: int(answer["id"]))
            results += [_result(answer) for answer in answers]
        return results

    async def post(self, body: bytes) -> tuple[int, str]:
        """Send any bytes and return the HTTP status and what came back."""
        assert self._session is not None
        headers = {"content-type": "application/json"}
        try:
            async with self._session.post(
                self.url, data=io.BytesIO(body), headers=headers
            ) as response:
                return response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise Unreachable(f"{self.url}: {error!r}") from error

    async def head(self, tag: str = "latest") -> int:
        """Return the number of the block with this tag."""
        block = await self.call("eth_getBlockByNumber", tag, False)
        return 0 if block is None else int(block["number"], 16)

    async def hashes(self, numbers: Iterable[int]) -> list[str | None]:
        """Return the block hash at each height, None where there is no block."""
        params = [(hex(number), False) for number in numbers]
        blocks = await self.batch("eth_getBlockByNumber", params)
        return [None if block is None else block["hash"] for block in blocks]


def _request(number: int, method: str, params: Sequence[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def _result(answer: dict[str, Any]) -> Any:
    if "error" in answer:
        raise RpcFailure(answer["error"])
    return answer["result"]

"""A JSON-RPC connection over HTTP: timeouts, retries, a bound on requests at once."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import aiohttp
import orjson

from node.clock import Clock, SystemClock
from node.errors import TemporaryError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

# Servers that are busy answer with one of these JSON-RPC codes (EIP-1474, and HTTP 429 in a body).
_BUSY_CODES = frozenset({-32005, -32016, 429})
_METHOD_MISSING_CODES = frozenset({-32601, -32004})
_MESSAGE_LIMIT = 500


class Unreachable(TemporaryError):
    """The server did not answer, or not with JSON-RPC."""


class RpcFault(TemporaryError):
    """The server answered with an error; `code`, `message` and `data` are its own."""

    def __init__(self, method: str, code: int, message: str, data: Json = None) -> None:
        self.code = code
        self.message = message
        self.data = data
        super().__init__(f"{method}: the server answered {code} {message!r}")

    @property
    def is_method_missing(self) -> bool:
        """Whether the server does not know the method at all."""
        return self.code in _METHOD_MISSING_CODES


@dataclass(frozen=True, slots=True)
class RpcSettings:
    """How patient and how demanding a connection is. Times are in seconds.

    `max_per_s` bounds the requests of a second (one of a batch counts as one); None: no bound.
    """

    timeout_s: float = 10.0
    attempts: int = 4
    first_retry_s: float = 0.25
    max_concurrent: int = 16
    max_response_bytes: int = 256 << 20
    batch_size: int = 100
    max_per_s: float | None = None


class JsonRpc:
    """One server. Every failure is a TemporaryError; `close` it in the end."""

    def __init__(
        self, url: str, settings: RpcSettings | None = None, clock: Clock | None = None
    ) -> None:
        self.url = url
        self._settings = settings or RpcSettings()
        self._clock = clock or SystemClock()
        self._slots = asyncio.Semaphore(self._settings.max_concurrent)
        self._ids = itertools.count(1)
        self._next_turn = 0.0
        self._session: aiohttp.ClientSession | None = None

    async def call(self, method: str, *params: Json) -> Json:
        """Return the result of one method."""
        request = self._request(method, params)
        return _result_of(await self._post(request), method)

    async def batch(self, method: str, params: Sequence[Sequence[Json]]) -> list[Json]:
        """Return the results of one method for many parameter lists, in their order."""
        results: list[Json] = []
        for start in range(0, len(params), self._settings.batch_size):
            part = params[start : start + self._settings.batch_size]
            requests = [self._request(method, entry) for entry in part]
            answer = await self._post(list(requests))
            if not isinstance(answer, list):
                _result_of(answer, method)  # an error about the batch as a whole
                raise Unreachable(f"{method}: expected a list of answers to a batch")
            by_id = {entry.get("id"): entry for entry in answer if isinstance(entry, dict)}
            results += [_result_of(by_id.get(request["id"]), method) for request in requests]
        return results

    async def close(self) -> None:
        """Close the connections to the server."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _request(self, method: str, params: Sequence[Json]) -> dict[str, Json]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}

    async def _post(self, request: Json) -> Json:
        delay = self._settings.first_retry_s
        for attempt in itertools.count(1):
            try:
                async with self._slots:
                    await self._turn(len(request) if isinstance(request, list) else 1)
                    answer = await self._post_once(orjson.dumps(request))
                if not _is_busy(answer):
                    return answer
                reason = "the server is busy"
            except Unreachable as error:
                reason = str(error)
            if attempt >= self._settings.attempts:
                raise Unreachable(reason if attempt == 1 else f"{reason} ({attempt} attempts)")
            await self._clock.sleep_until(self._clock.now() + delay)
            delay *= 2
        raise AssertionError("unreachable")

    async def _turn(self, requests: int) -> None:
        """Wait until so many requests may go out."""
        if self._settings.max_per_s is None:
            return
        now = self._clock.now()
        turn = max(now, self._next_turn)
        self._next_turn = turn + requests / self._settings.max_per_s
        if turn > now:
            await self._clock.sleep_until(turn)

    async def _post_once(self, body: bytes) -> Json:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._settings.timeout_s)
            self._session = aiohttp.ClientSession(timeout=timeout)
        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.post(self.url, data=body, headers=headers) as response:
                raw = await self._read(response)
                if response.status >= 400 and not raw.lstrip().startswith((b"{", b"[")):
                    raise Unreachable(f"{self.url}: HTTP status {response.status}")
        except TimeoutError as error:
            raise Unreachable(
                f"{self.url}: no answer within {self._settings.timeout_s} s"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{self.url}: {error}") from error
        try:
            answer: Json = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise Unreachable(f"{self.url}: expected JSON, got {raw[:80]!r}") from error
        return answer

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > self._settings.max_response_bytes:
                raise Unreachable(
                    f"{self.url}: expected at most {self._settings.max_response_bytes} bytes"
                )
            parts.append(part)
        return b"".join(parts)


def _is_busy(answer: Json) -> bool:
    error = answer.get("error") if isinstance(answer, dict) else None
    return isinstance(error, dict) and error.get("code") in _BUSY_CODES


def _result_of(answer: Json, method: str) -> Json:
    if not isinstance(answer, dict):
        raise Unreachable(f"{method}: expected a JSON-RPC answer, got {str(answer)[:80]}")
    error = answer.get("error")
    if error is not None:
        fields = error if isinstance(error, dict) else {}
        code = fields.get("code")
        raise RpcFault(
            method,
            code if isinstance(code, int) else 0,
            str(fields.get("message", error))[:_MESSAGE_LIMIT],
            fields.get("data"),
        )
    if "result" not in answer:
        raise Unreachable(f"{method}: expected a result or an error, got neither")
    return answer["result"]

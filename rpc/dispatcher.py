"""Finds the method for a request, reads its parameters and turns the outcome into a response.

Knows nothing of HTTP: bytes come in, bytes go out.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import orjson

from node.errors import CriticalError, NodeError
from rpc.encoding.hexadecimal import Json
from rpc.errors import (
    INTERNAL_ERROR,
    PARSE_ERROR,
    RESPONSE_TOO_LARGE,
    RpcError,
    from_node_error,
    invalid_request,
    method_not_found,
)
from rpc.params import Param, decode_params

logger = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[Json]]

BATCH_ITEM_LIMIT = 1_000
RESPONSE_BYTE_LIMIT = 25_000_000


@dataclass(frozen=True, slots=True)
class Method:
    """A callable name. The handler gets the decoded parameters in order."""

    name: str
    handler: Handler
    params: tuple[Param, ...] = ()


class Dispatcher:
    """The registered methods of one endpoint."""

    def __init__(self, methods: Iterable[Method] = ()) -> None:
        self._methods: dict[str, Method] = {}
        self.register(methods)

    def register(self, methods: Iterable[Method]) -> None:
        """Add methods; ValueError if a name is taken (two owners would be a wiring mistake)."""
        for method in methods:
            if method.name in self._methods:
                raise ValueError(f"method {method.name} is registered twice")
            self._methods[method.name] = method

    @property
    def names(self) -> frozenset[str]:
        """The names of all methods."""
        return frozenset(self._methods)

    async def call(self, name: str, params: Json) -> Json:
        """Run one method; RpcError or another NodeError if it fails."""
        method = self._methods.get(name)
        if method is None:
            raise method_not_found(name)
        return await method.handler(*decode_params(method.params, params))

    async def handle(self, body: bytes) -> bytes | None:
        """Answer one message: a request or a batch. None if nothing in it wants an answer."""
        try:
            message = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            return _failure(None, RpcError(PARSE_ERROR, f"parse error: {error}"))
        if isinstance(message, list):
            return await self._handle_batch(message)
        return await self._handle_request(message)

    async def _handle_batch(self, messages: list[Json]) -> bytes | None:
        if not messages:
            return _failure(None, invalid_request("empty batch"))
        if len(messages) > BATCH_ITEM_LIMIT:
            reason = f"batch too large: expected at most {BATCH_ITEM_LIMIT} calls"
            return _failure(None, invalid_request(f"{reason}, got {len(messages)}"))
        responses: list[bytes] = []
        size = 0
        for message in messages:
            if size > RESPONSE_BYTE_LIMIT:
                too_large = RpcError(RESPONSE_TOO_LARGE, "response too large")
                response = _refuse(message, too_large)
            else:
                response = await self._handle_request(message)
            if response is not None:
                responses.append(response)
                size += len(response)
        return b"[" + b",".join(responses) + b"]" if responses else None

    async def _handle_request(self, message: Json) -> bytes | None:
        try:
            name, identifier, wants_answer = _envelope(message)
        except RpcError as error:
            return _failure(_identifier(message), error)
        params = message.get("params") if isinstance(message, dict) else None
        response = await self._answer(name, identifier, params)
        return response if wants_answer else None

    async def _answer(self, name: str, identifier: Json, params: Json) -> bytes:
        try:
            result = await self.call(name, params)
            return _success(identifier, result)
        except CriticalError as error:
            logger.error("%s cannot be answered: %s", name, error)
            return _failure(identifier, from_node_error(error))
        except NodeError as error:
            return _failure(identifier, from_node_error(error))
        except Exception:
            logger.exception("%s failed with an unexpected error", name)
            return _failure(identifier, RpcError(INTERNAL_ERROR, "internal error"))


def _envelope(message: Json) -> tuple[str, Json, bool]:
    """Return method name, id and whether an answer is wanted (a request without id is silent)."""
    if not isinstance(message, dict):
        raise invalid_request("invalid request: expected an object")
    if message.get("jsonrpc") != "2.0":
        raise invalid_request('invalid request: expected "jsonrpc": "2.0"')
    name = message.get("method")
    if not isinstance(name, str):
        raise invalid_request("invalid request: expected a method name")
    identifier = message.get("id")
    if isinstance(identifier, bool | list | dict):
        raise invalid_request("invalid request: expected an id that is a string or a number")
    return name, identifier, "id" in message


def _identifier(message: Json) -> Json:
    identifier = message.get("id") if isinstance(message, dict) else None
    return None if isinstance(identifier, bool | list | dict) else identifier


def _refuse(message: Json, error: RpcError) -> bytes | None:
    if isinstance(message, dict) and "id" not in message:
        return None
    return _failure(_identifier(message), error)


def _success(identifier: Json, result: Json) -> bytes:
    return orjson.dumps({"jsonrpc": "2.0", "id": identifier, "result": result})


def _failure(identifier: Json, error: RpcError) -> bytes:
    return orjson.dumps({"jsonrpc": "2.0", "id": identifier, "error": error.to_json()})

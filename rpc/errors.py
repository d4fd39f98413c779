"""JSON-RPC errors, and what becomes of the node's own errors on the wire.

Codes and words are go-ethereum's, because wallets and libraries match on them.
"""

from node.errors import (
    CriticalError,
    DecodingError,
    ExecutionFailed,
    ExecutionReverted,
    InvalidInput,
    InvalidTransaction,
    NodeError,
    PrunedHistory,
)
from rpc.encoding.hexadecimal import Json, JsonObject, data

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_ERROR = -32000
RESPONSE_TOO_LARGE = -32003
EXECUTION_REVERTED = 3
PRUNED_HISTORY = 4444  # EIP-4444, "JSON-RPC Changes"


class RpcError(NodeError):
    """An answer that is an error: what the caller will see, word for word."""

    def __init__(self, code: int, message: str, detail: Json = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = detail

    def to_json(self) -> JsonObject:
        """Return the `error` member of a response."""
        body: JsonObject = {"code": self.code, "message": self.message}
        if self.detail is not None:
            body["data"] = self.detail
        return body


def method_not_found(name: str) -> RpcError:
    """The method is not registered."""
    return RpcError(METHOD_NOT_FOUND, f"the method {name} does not exist/is not available")


def invalid_request(reason: str) -> RpcError:
    """The message is JSON but not a request."""
    return RpcError(INVALID_REQUEST, reason)


def invalid_params(reason: str) -> RpcError:
    """The parameters do not fit the method."""
    return RpcError(INVALID_PARAMS, reason)


def not_found(what: str) -> RpcError:
    """Something that the caller named does not exist here."""
    return RpcError(SERVER_ERROR, what)


def from_node_error(error: NodeError) -> RpcError:
    """Map an error of the node to the answer for the caller.

    Whatever the caller or the state of the chain determines is never an internal error: a client
    would retry those. Only a node that cannot go on is one.
    """
    if isinstance(error, RpcError):
        return error
    if isinstance(error, CriticalError):
        return RpcError(INTERNAL_ERROR, f"internal error: {error}")
    if isinstance(error, ExecutionReverted):
        return RpcError(EXECUTION_REVERTED, str(error), data(error.data))
    if isinstance(error, InvalidTransaction | DecodingError | ExecutionFailed):
        return RpcError(SERVER_ERROR, str(error))
    if isinstance(error, PrunedHistory):
        return RpcError(PRUNED_HISTORY, str(error))
    if isinstance(error, InvalidInput):
        return RpcError(INVALID_PARAMS, str(error))
    return RpcError(SERVER_ERROR, str(error))

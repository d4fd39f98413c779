"""Asking a node of the rollup about attribution."""

from contextlib import AsyncExitStack
from typing import Any

from consensus.l1.json_rpc import Json, JsonRpc, RpcFault, RpcSettings
from node.errors import InvalidInput, OperationRefused, TemporaryError

# A person waits: a node that is not there is to be named within seconds.
_PATIENCE = RpcSettings(timeout_s=60.0, attempts=2)
_REFUSALS = (-32602, -32000)


async def ask(url: str, method: str, *params: Json) -> dict[str, Any]:
    """Return a method's answer, an object; InvalidInput with the node's words if it refuses.

    OperationRefused if the node has no attribution, TemporaryError if it does not answer.
    """
    async with AsyncExitStack() as stack:
        rpc = JsonRpc(url, _PATIENCE)
        stack.push_async_callback(rpc.close)
        try:
            answer = await rpc.call(method, *params)
        except RpcFault as fault:
            if fault.is_method_missing:
                raise OperationRefused(
                    f"{url} has no {method}: its chain is without attribution, or it is no node "
                    "of OpenRollup"
                ) from None
            if fault.code in _REFUSALS:
                raise InvalidInput(fault.message) from None
            raise
    if not isinstance(answer, dict):
        raise TemporaryError(f"{url}: {method}: expected an object")
    return answer

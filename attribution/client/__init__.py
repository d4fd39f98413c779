"""A typed client of attribution on web3.py, blocking and for asyncio.

`AttributionClient` and `AsyncAttributionClient` need the extra `sdk` (web3.py and eth-account);
nothing else here does, and both are imported only when they are asked for. What they do is written
once, as operations (see `attribution.client.exchange`).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from attribution.client.receipt_log import ReceiptLog

if TYPE_CHECKING:
    from attribution.client.asynchronous import AsyncAttributionClient
    from attribution.client.blocking import AttributionClient

__all__ = ["AsyncAttributionClient", "AttributionClient", "ReceiptLog"]

_HOMES = {"AttributionClient": "blocking", "AsyncAttributionClient": "asynchronous"}

_EXTRA = ("web3", "eth_account", "eth_typing", "hexbytes")


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"{__name__}.{_HOMES[name]}")
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in _EXTRA:
            raise
        raise ModuleNotFoundError(
            f"{name} needs web3.py and eth-account: pip install 'openrollup[sdk]'", name=error.name
        ) from error
    return getattr(module, name)

"""What the docstrings show, done: those of the clients at a node."""

import asyncio
import doctest
from types import ModuleType
from typing import Any

import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3

from attribution import hub_calls, preimages, refusals, voucher_book
from attribution.client import ReceiptLog, asynchronous, blocking, hub_views, receipt_log
from attribution.preimages import Preimage
from attribution.records import Influence, Record
from openrollup.testing import Devnet


@pytest.mark.parametrize(
    "module", [hub_calls, hub_views, preimages, receipt_log, refusals, voucher_book]
)
def test_without_a_node(module: ModuleType) -> None:
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)


@pytest.mark.devnet(automine=True)
@pytest.mark.parametrize("module", [blocking, asynchronous])
def test_at_a_node(devnet: Devnet, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {
        "w3": devnet.w3,
        "url": devnet.l2.url,
        "owner_key": devnet.accounts[1].key,
        "payer_key": devnet.accounts[2].key,
        "asyncio": asyncio,
        "AsyncWeb3": AsyncWeb3,
        "AsyncHTTPProvider": AsyncHTTPProvider,
        "Preimage": Preimage,
        "Record": Record,
        "Influence": Influence,
        "ReceiptLog": ReceiptLog,
    }
    # Virtual time stands still while somebody sleeps.
    defaults = blocking.AttributionClient.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "sleep", lambda _: devnet.derive())
    failed, tried = doctest.testmod(module, extraglobs=names)
    assert (failed, tried > 0) == (0, True)

"""What the docstrings show, done: those of the clients at a node."""

import asyncio
import doctest
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3

from attribution import hub_calls, preimages, receipts, refusals, voucher_book
from attribution.client import ReceiptLog, asynchronous, blocking, hub_views, receipt_log
from attribution.preimages import Preimage
from attribution.records import Influence, Record
from openrollup.testing import Devnet

GUIDE = Path(__file__).parents[3] / "docs/attribution.md"


@pytest.mark.parametrize(
    "module", [hub_calls, hub_views, preimages, receipt_log, receipts, refusals, voucher_book]
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
    let_time_pass(devnet, monkeypatch)
    failed, tried = doctest.testmod(module, extraglobs=names)
    assert (failed, tried > 0) == (0, True)


@pytest.mark.devnet(automine=True)
def test_the_guide(devnet: Devnet, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ("owner_key", "gateway_key", "payer_key")
    names: dict[str, Any] = {
        name: account.key for name, account in zip(keys, devnet.accounts, strict=False)
    }
    let_time_pass(devnet, monkeypatch)
    failed, tried = doctest.testfile(
        str(GUIDE),
        module_relative=False,
        globs=names | {"w3": devnet.w3},
        optionflags=doctest.IGNORE_EXCEPTION_DETAIL,
    )
    assert (failed, tried > 20) == (0, True)


def test_the_guide_names_what_there_is() -> None:
    table = GUIDE.read_text().partition("## Refusals")[2]
    named = re.findall(r"`([A-Z]\w+)`", table)
    assert len(named) > 20
    assert [name for name in named if not hasattr(refusals, name)] == []


def let_time_pass(devnet: Devnet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time stands still while somebody sleeps."""
    defaults = blocking.AttributionClient.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "sleep", lambda _: devnet.derive())

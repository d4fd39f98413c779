import json
from dataclasses import replace
from pathlib import Path

import pytest

from consensus.deploy import L1Addresses, L1Contracts
from node.genesis import dev_accounts
from node.types.primitives import Address
from openrollup.banner import Network, accounts_json, announce

NETWORK = Network(
    l1_chain_id=900,
    l1_url="http://127.0.0.1:8545",
    l2_chain_id=901,
    l2_url="http://127.0.0.1:9545",
    verifier_url="http://127.0.0.1:9546",
    accounts=dev_accounts(),
    addresses=L1Addresses(
        L1Contracts(*(Address(bytes([n]) * 20) for n in range(1, 7))),
        *(Address(bytes([n]) * 20) for n in range(0x10, 0x14)),
    ),
    files=Path("data"),
)
FIRST = ("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0xac0974bec39a17e36ba4a6b4d238ff944bacb47")


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    announce(NETWORK, json=False)
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert sum(line.startswith("  (") for line in lines) == 10
    assert f"  (0) {FIRST[0]}  {FIRST[1]}" in text
    for expected in (
        "L2 (OPEN)  chain 901  http://127.0.0.1:9545",
        "L1         chain 900  http://127.0.0.1:8545",
        "  OpenToken               0x0101010101010101010101010101010101010101",
        "  OptimismPortal          0x0303030303030303030303030303030303030303",
        "  L1CrossDomainMessenger  0x0404040404040404040404040404040404040404",
        "  proposer                0x1212121212121212121212121212121212121212",
        "Configuration files are in data",
    ):
        assert expected in lines


def test_text_without_files(capsys: pytest.CaptureFixture[str]) -> None:
    announce(replace(NETWORK, files=None), json=False)
    assert "Configuration" not in capsys.readouterr().out


def test_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    announce(NETWORK, json=True)
    text = capsys.readouterr().out
    assert text.count("\n") == 1
    event = json.loads(text)
    accounts = event.pop("accounts")
    assert len(accounts) == 10
    assert accounts[0]["address"] == FIRST[0]
    assert accounts[0]["privateKey"].startswith(FIRST[1])
    assert event == {
        "event": "started",
        "l1": {"chainId": 900, "url": "http://127.0.0.1:8545"},
        "l2": {"chainId": 901, "url": "http://127.0.0.1:9545"},
        "verifier": {"url": "http://127.0.0.1:9546"},
        "contracts": {
            "OpenToken": "0x" + "01" * 20,
            "SystemConfig": "0x" + "02" * 20,
            "OptimismPortal": "0x" + "03" * 20,
            "L1CrossDomainMessenger": "0x" + "04" * 20,
            "L1StandardBridge": "0x" + "05" * 20,
            "L2OutputOracle": "0x" + "06" * 20,
        },
        "addresses": {
            "openToken": "0x" + "01" * 20,
            "systemConfig": "0x" + "02" * 20,
            "optimismPortal": "0x" + "03" * 20,
            "l1CrossDomainMessenger": "0x" + "04" * 20,
            "l1StandardBridge": "0x" + "05" * 20,
            "l2OutputOracle": "0x" + "06" * 20,
            "batchInbox": "0x" + "10" * 20,
            "batcher": "0x" + "11" * 20,
            "proposer": "0x" + "12" * 20,
            "challenger": "0x" + "13" * 20,
        },
        "files": "data",
    }


def test_the_accounts_are_those_of_the_mnemonic() -> None:
    """`test test test test test test test test test test test junk`, as every tool derives it."""
    addresses = [entry["address"] for entry in accounts_json(dev_accounts())]
    assert addresses[0] == FIRST[0]
    assert addresses[9] == "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"

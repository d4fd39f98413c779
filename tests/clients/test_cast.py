"""Foundry's cast against the node, as a script calls it."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as Keys

from node.artifacts import load_artifact
from node.types.primitives import checksum_address
from tests.integration.nodes import Account, Started, client_tool

_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Cast:
    """The program, and the account that pays."""

    program: Path
    url: str
    account: Account

    @property
    def address(self) -> str:
        return checksum_address(self.account.address)

    @property
    def key(self) -> str:
        return "0x" + self.account.private_key.hex()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.program), *arguments],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
            env={"ETH_RPC_URL": self.url, "NO_COLOR": "1"},
        )

    def ask(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def send(self, *arguments: str) -> dict[str, Any]:
        receipt = json.loads(self.ask("send", "--json", "--private-key", self.key, *arguments))
        assert isinstance(receipt, dict)
        return receipt

    def refusal(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode != 0, done.stdout
        return done.stderr


@pytest.fixture(scope="module")
def cast(devnet: Started) -> Cast:
    return Cast(client_tool("cast"), devnet.l2_url, devnet.accounts[4])


@pytest.fixture(scope="module")
def greeter(cast: Cast) -> str:
    return deploy_greeter(cast)


def deploy_greeter(cast: Cast) -> str:
    creation = "0x" + load_artifact("Greeter").bytecode.hex()
    receipt = cast.send("--create", creation, "constructor(string)", "hello")
    assert receipt["status"] == "0x1"
    address = receipt["contractAddress"]
    assert isinstance(address, str)
    return address


def test_chain_id(cast: Cast) -> None:
    assert cast.ask("chain-id") == "901"


def test_transfer_moves_native_open(cast: Cast) -> None:
    to = Keys.create().address
    receipt = cast.send(to, "--value", "2.5ether")
    assert receipt["status"] == "0x1"
    assert cast.ask("balance", to, "--ether") == "2.500000000000000000"


def test_deployed_contract_answers_and_logs(cast: Cast) -> None:
    greeter = deploy_greeter(cast)
    assert cast.ask("call", greeter, "greet()(string)") == '"hello"'
    receipt = cast.send(greeter, "setGreeting(string)", "good evening")
    assert cast.ask("call", greeter, "greet()(string)") == '"good evening"'
    (log,) = receipt["logs"]
    assert log["topics"][0] == cast.ask("keccak", "GreetingChanged(address,string)")
    found = json.loads(
        cast.ask(
            *("logs", "--json", "--address", greeter, "--from-block", receipt["blockNumber"]),
            "GreetingChanged(address indexed,string)",
        )
    )
    assert [entry["data"] for entry in found] == [log["data"]]


def test_reason_of_a_revert(cast: Cast, greeter: str) -> None:
    message = cast.refusal("call", greeter, "fail(string)", "not today")
    assert "execution reverted: not today" in message
    message = cast.refusal("estimate", "--from", cast.address, greeter, "fail(string)", "nor now")
    assert "execution reverted: nor now" in message


def test_custom_error_of_a_revert(cast: Cast, greeter: str) -> None:
    message = cast.refusal("call", "--from", cast.address, greeter, "failCustom(uint256)", "42")
    selector = cast.ask("sig", "GreetingRefused(address,uint256)")
    assert selector in message
    assert cast.address[2:].lower() in message


def test_estimate_is_enough_and_close(cast: Cast, greeter: str) -> None:
    call = (greeter, "setGreeting(string)", "x" * 200)
    estimate = int(cast.ask("estimate", "--from", cast.address, *call))
    receipt = cast.send("--gas-limit", str(estimate), *call)
    assert receipt["status"] == "0x1"
    used = int(receipt["gasUsed"], 16)
    assert used <= estimate <= used * 1.02


def test_pending_nonce_counts_what_waits(cast: Cast) -> None:
    first = int(cast.ask("nonce", "--block", "pending", cast.address))
    common = ("--async", "--private-key", cast.key, "--gas-limit", "21000")
    hashes = [
        cast.ask("send", *common, "--nonce", str(first + offset), cast.address)
        for offset in range(2)
    ]
    assert int(cast.ask("nonce", "--block", "pending", cast.address)) == first + 2
    for transaction_hash in hashes:
        assert json.loads(cast.ask("receipt", "--json", transaction_hash))["status"] == "0x1"
    assert int(cast.ask("nonce", cast.address)) == first + 2


def test_replacement_must_pay_more(cast: Cast) -> None:
    """With a gap before it the transaction waits, however fast blocks come."""
    nonce = int(cast.ask("nonce", cast.address)) + 1
    common = ("send", "--async", "--private-key", cast.key, "--gas-limit", "21000")
    prices = ("--gas-price", "20gwei", "--priority-gas-price", "1gwei")
    cast.ask(*common, *prices, "--nonce", str(nonce), cast.address)
    message = cast.refusal(*common, *prices, "--nonce", str(nonce), "--value", "1wei", cast.address)
    assert "replacement transaction underpriced" in message
    cast.send("--nonce", str(nonce - 1), cast.address)


def test_used_nonce_is_refused(cast: Cast) -> None:
    cast.send(cast.address)
    message = cast.refusal(
        *("send", "--async", "--private-key", cast.key, "--gas-limit", "21000"),
        *("--nonce", "0", cast.address),
    )
    assert "nonce too low" in message


def test_poor_sender_is_refused(cast: Cast) -> None:
    poor = "0x" + bytes(Keys.create().key).hex()
    message = cast.refusal(
        *("send", "--async", "--private-key", poor, "--gas-limit", "21000"), cast.address
    )
    assert "insufficient funds for gas" in message

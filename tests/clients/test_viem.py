"""viem against the node: each scenario is a script of tests/clients/viem, run by Node.js."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from node.artifacts import load_artifact
from tests.integration.nodes import CLIENTS, Started, node_program

Scenario = Callable[[str], Any]
_TIMEOUT_S = 90


@pytest.fixture
def scenario(devnet: Started) -> Scenario:
    """Runs a script by its name and returns what it shows."""
    node = node_program()
    greeter = load_artifact("Greeter")
    argument = json.dumps(
        {
            "url": devnet.l2_url,
            "chainId": devnet.l2_chain_id,
            "privateKey": "0x" + devnet.accounts[3].private_key.hex(),
            "abi": greeter.abi,
            "bytecode": "0x" + greeter.bytecode.hex(),
        }
    )

    def run(name: str) -> Any:
        script = CLIENTS / "viem" / f"{name}.mjs"
        command = [str(node), str(script), argument]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_chain_id(scenario: Scenario) -> None:
    assert scenario("chain_id")["chainId"] == 901


def test_transfer_moves_native_open(scenario: Scenario) -> None:
    result = scenario("transfer")
    assert result == {"status": "success", "gasUsed": "21000", "balance": str(15 * 10**17)}


def test_deployed_contract_answers_and_logs(scenario: Scenario) -> None:
    result = scenario("contract")
    assert (result["before"], result["after"]) == ("hello", "good evening")
    arguments = {"by": result["sender"], "greeting": "good evening"}
    assert result["events"] == [{"eventName": "GreetingChanged", "args": arguments}]
    assert result["found"] == result["events"]


def test_reverts_are_decoded(scenario: Scenario) -> None:
    result = scenario("reverts")
    assert result["plain"]["reason"] == "not today"
    assert result["custom"]["name"] == "GreetingRefused"
    assert result["custom"]["args"] == [result["sender"], "42"]


def test_estimate_is_enough_and_close(scenario: Scenario) -> None:
    result = scenario("estimate")
    assert result["status"] == "success"
    used = int(result["gasUsed"])
    assert used <= int(result["estimate"]) <= used * 1.02
    assert result["transfer"] == "21000"
    assert int(result["maxFeePerGas"]) > 0


def test_pending_nonce_counts_what_waits(scenario: Scenario) -> None:
    result = scenario("pending_nonce")
    assert result["pending"] == result["first"] + 3
    assert result["latest"] == result["first"] + 3


def test_refusals_are_recognised(scenario: Scenario) -> None:
    """viem knows a refusal by go-ethereum's words and then names it."""
    result = scenario("refusals")
    assert result["replacement"]["details"].startswith("replacement transaction underpriced")
    assert result["nonceTooLow"]["details"].startswith("nonce too low")
    assert "NonceTooLowError" in result["nonceTooLow"]["names"]
    assert result["insufficientFunds"]["details"].startswith("insufficient funds for gas")
    assert "InsufficientFundsError" in result["insufficientFunds"]["names"]

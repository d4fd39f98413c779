"""OPEN to L2 and back by viem's op-stack actions, by web3.py and by our own command, all at once.

On the embedded L1 and on Foundry's Anvil; most of the time passes until outputs are final.
"""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from web3 import Web3

from tests.clients.test_web3 import ETHER, connect
from tests.clients.web3_withdrawal import Web3Withdrawal, contract, withdraw
from tests.integration.nodes import CLIENTS, Anvil, DevNode, Started, node_program
from tests.integration.processes import run_openrollup

_TIMEOUT_S = 120
_L1S = ("embedded", "anvil")
_PROGRESS = ["waiting-to-prove", "ready-to-prove", "waiting-to-finalize", "ready-to-finalize"]


@dataclass(frozen=True, slots=True)
class Bridge:
    """A dev network whose users began their transfers when it started."""

    started: Started
    addresses: dict[str, str]
    viem: dict[str, "Future[Any]"]
    web3: "Future[Web3Withdrawal]"
    command: "Future[dict[str, Any]]"


@pytest.fixture(scope="module")
def bridges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Bridge]]:
    """Both networks side by side: they wait most of the time."""
    node_program()
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(12))
        work = tmp_path_factory.mktemp("bridge")
        yield {name: _start(name == "anvil", work / name, stack, pool) for name in _L1S}


@pytest.fixture(params=_L1S)
def bridge(request: pytest.FixtureRequest, bridges: dict[str, Bridge]) -> Bridge:
    return bridges[request.param]


def _start(on_anvil: bool, work: Path, stack: ExitStack, pool: ThreadPoolExecutor) -> Bridge:
    """Each user has an account of its own, so that nobody takes another's nonce."""
    work.mkdir()
    l1_url, key_file = None, None
    if on_anvil:
        l1_url, key_file = stack.enter_context(Anvil()).url, work / "deployer"
        key_file.write_text("0x" + Anvil.RICH_KEY.hex())
    node = stack.enter_context(DevNode(work / "files", l1_url=l1_url, key_file=key_file))
    started = node.started
    addresses = json.loads((work / "files" / "addresses.json").read_text())
    return Bridge(
        started,
        addresses,
        viem={
            name: pool.submit(_run_viem, started, addresses, name, user)
            for user, name in enumerate(_VIEM)
        },
        web3=pool.submit(_run_web3, started, addresses),
        command=pool.submit(_run_command, started, work),
    )


_VIEM = ("withdrawal", "deposit", "fees")


def _run_viem(started: Started, addresses: dict[str, str], name: str, user: int) -> Any:
    argument = {
        "l1Url": started.l1_url,
        "l1ChainId": started.l1_chain_id,
        "l2Url": started.l2_url,
        "l2ChainId": started.l2_chain_id,
        "addresses": addresses,
        "privateKey": "0x" + started.accounts[user].private_key.hex(),
    }
    script = CLIENTS / "viem" / "op_stack" / f"{name}.mjs"
    done = subprocess.run(
        [str(node_program()), str(script), json.dumps(argument)],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _run_web3(started: Started, addresses: dict[str, str]) -> Web3Withdrawal:
    l1, l2 = connect(started.l1_url), connect(started.l2_url)
    user = Account.from_key(started.accounts[3].private_key)
    return withdraw(l1, l2, addresses, user, _RECEIVER, 2 * ETHER)


def _run_command(started: Started, work: Path) -> dict[str, Any]:
    """Return what each step says, in their order."""
    key_file = work / "user"
    key_file.write_text("0x" + started.accounts[4].private_key.hex())
    l1 = ("--l1", started.l1_url, "--addresses", work / "files" / "addresses.json")
    l2, key = ("--l2", started.l2_url), ("--key-file", key_file)
    said = {"deposit": _run_step("deposit", *l1, *l2, *key, "--amount", "3")}
    said["withdraw"] = _run_step("withdraw", *l2, *key, "--amount", "1.25", "--to", _OTHER_RECEIVER)
    tx = ("--tx", said["withdraw"]["l2Transaction"])
    said["begun"] = _run_step("status", *l1, *l2, *tx)
    for step in ("prove", "finalize"):
        said[step] = _run_step(step, *l1, *l2, *key, *tx, "--wait")
        said[f"{step} again"] = _run_step(step, *l1, *l2, *key, *tx)
    said["deposited"] = _run_step("status", *l1, *l2, "--tx", said["deposit"]["l1Transaction"])
    return said


def _run_step(step: str, *arguments: str | Path) -> Any:
    done = run_openrollup("bridge", step, "--json", *arguments, timeout_s=_TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


_RECEIVER = Account.create().address
_OTHER_RECEIVER = Account.create().address


def _balance_on_l1(bridge: Bridge, address: str) -> int:
    token = contract(connect(bridge.started.l1_url), bridge.addresses["openToken"], "OpenToken")
    balance: int = token.functions.balanceOf(Web3.to_checksum_address(address)).call()
    return balance


def test_viem_deposits(bridge: Bridge) -> None:
    result = bridge.viem["deposit"].result()
    assert result["mint"] == {"status": "success", "type": "0x7e", "balance": str(15 * 10**17)}
    assert result["empty"] == {"status": "success", "from": result["account"].lower()}
    assert result["payment"] == {"status": "success", "balance": str(ETHER // 4)}


def test_viem_knows_the_fees(bridge: Bridge) -> None:
    result = bridge.viem["fees"].result()
    assert result["version"]["major"] == 2
    estimates = {name: int(value) for name, value in result["estimates"].items()}
    receipt = {name: int(value) for name, value in result["receipt"].items()}
    assert int(result["paid"]) == (
        receipt["gasUsed"] * receipt["effectiveGasPrice"] + receipt["l1Fee"]
    )
    assert estimates["l1Gas"] == receipt["l1GasUsed"]
    assert estimates["operatorFee"] == estimates["operatorFeeByL1Block"] == 0
    assert estimates["total"] > estimates["l1Fee"] > 0
    # L1's base fee moves by an eighth at most from block to block.
    assert abs(estimates["l1BaseFee"] - receipt["l1GasPrice"]) <= receipt["l1GasPrice"]


def test_viem_withdraws(bridge: Bridge) -> None:
    result = bridge.viem["withdrawal"].result()
    assert result["statuses"] == [*_PROGRESS, "finalized"]
    assert result["proven"]["status"] == result["finalized"]["status"] == "success"
    assert result["balance"] == str(75 * 10**16)
    assert result["timeToProve"]["interval"] == 10
    assert result["timeToFinalize"]["period"] == 10


def test_web3_withdraws(bridge: Bridge) -> None:
    done = bridge.web3.result()
    assert {name: receipt["status"] for name, receipt in done.receipts.items()} == {
        "begun": 1,
        "proven": 1,
        "finalized": 1,
    }
    assert _balance_on_l1(bridge, _RECEIVER) >= 2 * ETHER


def test_the_command_does_each_step(bridge: Bridge) -> None:
    said = bridge.command.result()
    assert said["deposit"]["success"]
    assert said["deposited"] == said["deposit"]
    assert said["begun"]["status"] in ("waiting-to-prove", "ready-to-prove")
    assert said["prove"]["status"] == said["prove again"]["status"] == "waiting-to-finalize"
    assert "l1Transaction" not in said["prove again"]
    assert said["finalize"]["status"] == said["finalize again"]["status"] == "finalized"
    assert said["finalize"]["success"]
    assert _balance_on_l1(bridge, _OTHER_RECEIVER) == 125 * 10**16

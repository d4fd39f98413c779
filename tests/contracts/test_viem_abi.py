"""What viem's op-stack client calls on L1, and the events it reads, compared with our contracts."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from node.artifacts import load_artifact

VIEM = Path(__file__).parents[1] / "clients" / "node_modules" / "viem" / "op-stack"

pytestmark = pytest.mark.skipif(
    not VIEM.exists() or shutil.which("node") is None,
    reason="needs node and viem: npm ci in tests/clients",
)

# By viem's name for the ABI: our contract, and what is called of it by the actions for portals
# before version 3. `version` is read with the newer portal's ABI.
CALLED = {
    "portalAbi": (
        "OptimismPortal",
        {
            "depositTransaction",
            "finalizeWithdrawalTransaction",
            "finalizedWithdrawals",
            "proveWithdrawalTransaction",
            "provenWithdrawals",
        },
    ),
    "portal2Abi": ("OptimismPortal", {"version"}),
    "l2OutputOracleAbi": (
        "L2OutputOracle",
        {
            "FINALIZATION_PERIOD_SECONDS",
            "L2_BLOCK_TIME",
            "SUBMISSION_INTERVAL",
            "getL2Output",
            "getL2OutputIndexAfter",
            "latestOutputIndex",
        },
    ),
}
# What viem knows of the portal and the oracle, but this rollup has under another name or not at
# all: nothing is upgraded in place, and ether is refused.
MISSING = {
    "OptimismPortal": {"GUARDIAN", "L2_ORACLE", "SYSTEM_CONFIG", "donateETH", "initialize"},
    "L2OutputOracle": {"initialize"},
}


@pytest.fixture(scope="module")
def viem() -> dict[str, list[dict[str, Any]]]:
    """The ABIs out of viem's compiled source: it does not export all of them."""
    source = (VIEM.parent / "_esm" / "op-stack" / "abis.js").read_text()
    script = re.sub(r"^export ", "", source, flags=re.MULTILINE)
    script += f"\nconsole.log(JSON.stringify({{{', '.join(CALLED)}}}))"
    output = subprocess.run(["node", "-e", script], check=True, capture_output=True, timeout=60)
    found: dict[str, list[dict[str, Any]]] = json.loads(output.stdout)
    return found


@pytest.mark.parametrize("abi", CALLED)
def test_what_is_called_is_there(viem: dict[str, list[dict[str, Any]]], abi: str) -> None:
    contract, called = CALLED[abi]
    ours = _items(load_artifact(contract).abi, "function")
    theirs = _items(viem[abi], "function")
    assert called <= theirs.keys()
    assert {name: ours.get(name) for name in called} == {name: theirs[name] for name in called}


@pytest.mark.parametrize("abi", ["portalAbi", "l2OutputOracleAbi"])
def test_all_else_is_as_viem_knows_it(viem: dict[str, list[dict[str, Any]]], abi: str) -> None:
    contract, _ = CALLED[abi]
    ours = load_artifact(contract).abi
    functions, events = (_items(viem[abi], kind) for kind in ("function", "event"))
    events.pop("Initialized")
    assert events == {name: _items(ours, "event").get(name) for name in events}
    known = functions.keys() - MISSING[contract]
    mine = _items(ours, "function")
    assert {name: mine.get(name) for name in known} == {name: functions[name] for name in known}
    assert not MISSING[contract] & mine.keys()


def test_actions_call_nothing_else() -> None:
    """All functions that viem's actions name are ours, the newer portal's, or L2's."""
    named = set()
    for path in (VIEM / "actions").glob("*.ts"):
        text = re.sub(r"^ \*.*$", "", path.read_text(), flags=re.MULTILINE)
        named |= set(re.findall(r"functionName: '(\w+)'", text))
        named |= set(re.findall(r"\['(\w+)', \[withdrawal\], portalAbi\]", text))
    newer = {
        "anchorStateRegistry",
        "checkWithdrawal",
        "createdAt",
        "disputeGameFinalityDelaySeconds",
        "expectedResolution",
        "findLatestGames",
        "gameCount",
        "isGameFinalized",
        "isGameProper",
        "isGameRespected",
        "l2SequenceNumber",
        "maxClockDuration",
        "numProofSubmitters",
        "proofMaturityDelaySeconds",
        "proofSubmitters",
        "resolvedAt",
        "respectedGameType",
    }
    on_l2 = {
        "getL1Fee",
        "getL1GasUsed",
        "getOperatorFee",
        "initiateWithdrawal",
        "isJovian",
        "l1BaseFee",
        "operatorFeeConstant",
        "operatorFeeScalar",
    }
    legacy = set().union(*(called for _, called in CALLED.values()))
    assert named == legacy | newer | on_l2


def _items(abi: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Functions or events by name: types, names of what is returned, and what is indexed."""
    return {
        entry["name"]: {
            "inputs": [_shape(value, named=kind == "event") for value in entry["inputs"]],
            "outputs": [_shape(value, named=True) for value in entry.get("outputs", [])],
            "stateMutability": _mutability(entry),
        }
        for entry in abi
        if entry["type"] == kind
    }


def _mutability(entry: dict[str, Any]) -> str | None:
    """A pure function is as good as one that only reads."""
    mutability = entry.get("stateMutability")
    return "view" if mutability == "pure" else mutability


def _shape(value: dict[str, Any], *, named: bool) -> tuple[object, ...]:
    parts = tuple(_shape(part, named=True) for part in value.get("components", ()))
    return (value["type"], value["name"] if named else "", value.get("indexed"), parts)

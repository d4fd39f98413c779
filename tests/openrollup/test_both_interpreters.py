"""`--evm both` as a user sees it: a fault in one interpreter stops the program, and is located."""

import asyncio
from pathlib import Path

import pytest

from node.errors import InterpretersDiffer
from node.evm.fast import calls, loop, storage_gas
from node.evm.fast import run as fast_run
from node.evm.fast.call_frame import CallFrame
from node.evm.fast.program import Program
from node.evm.rules import Interpreter
from openrollup.cli import run
from openrollup.execution_node import ExecutionNode
from openrollup.l1 import L1Options, run_l1
from tests.node.chains import GENESIS, contract_of, open_chain
from tests.openrollup.commands import running_command
from tests.openrollup.network import ALICE, ask, running, sign


def break_sstore(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fast interpreter store another value."""
    for module in (fast_run, calls):
        monkeypatch.setattr(module, "program_of", lambda _, code: Program(code))

    def wrong(frame: CallFrame, gas: int, gas_ahead: int) -> int:
        frame.stack[-2] += 1
        return storage_gas.store(frame, gas, gas_ahead)

    monkeypatch.setattr(loop, "store", wrong)


def test_replay_shows_the_trace_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    datadir = tmp_path / "data"
    ExecutionNode.open(GENESIS, datadir).close()
    with open_chain(datadir) as chain:
        creation = chain.creation()
        chain.extend(creation)
        chain.extend(chain.store(contract_of(creation), 1, 2))
    arguments = ["replay", "--datadir", str(datadir), "--evm"]
    assert run([*arguments, "both"]) == 0
    break_sstore(monkeypatch)
    assert run([*arguments, "reference"]) == 0
    capsys.readouterr()
    assert run([*arguments, "both"]) == 1
    trace, _, reason = capsys.readouterr().err.rstrip("\n").rpartition("\n")
    assert trace.startswith("reference:\n  {")
    assert "\nfast:\n  {" in trace
    assert reason.startswith("openrollup: the interpreters differ: ")
    # The first that stores anything in a block is its system call.
    beacon_roots = "0x000f3df6d732807ef1319fb7b8bb8522d0beac02"
    assert f"; first in SSTORE at byte 86 of the code of {beacon_roots}, depth 1, with " in reason


async def test_the_embedded_l1_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    options = L1Options(None, None, None, 0, 1, json=True, evm=Interpreter.BOTH)
    with pytest.raises(InterpretersDiffer, match="first in SSTORE at byte "):
        async with running_command(run_l1(options), monkeypatch) as output:
            url = (await output.event("started"))["l1"]["url"]
            break_sstore(monkeypatch)
            # Init code that stores 1 under 0.
            raw = sign(ALICE, 900, 0, None, bytes.fromhex("60015f5500")).raw  # type: ignore[arg-type]
            await ask(url, "eth_sendRawTransaction", "0x" + raw.hex())
            await output.event("never")


async def test_a_rollup_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InterpretersDiffer, match="first in SSTORE at byte "):
        async with running(evm=Interpreter.BOTH) as network:
            await network.until(lambda: network.l2.heads().unsafe.number >= 2)
            break_sstore(monkeypatch)
            await asyncio.wait([network.alive])

"""Traces of sound interpreters: both show the same steps, and tracing changes nothing."""

from dataclasses import replace
from random import Random

import pytest

from node.evm.frame import run_reference
from node.evm.interpreter import Call, Outcome, _run
from node.evm.tracing.explanation import Run
from node.evm.tracing.recorder import Comparison, Digests, Recorder
from node.evm.tracing.traced_fast import TracedFast
from node.evm.tracing.traced_reference import traced_opcodes
from node.types.primitives import Address
from tests.node.evm.fast.random_case import _call, _machine
from tests.node.evm.machine import ALICE, GAS, TARGET, Machine

OTHER = b"\x0b" * 20
CALL_OTHER = "60205f60205f5f73" + OTHER.hex() + "5af1"


def run(machine: Machine, call: Call, recorder: Recorder, interpreter: Run) -> Outcome:
    world, checkpoint = machine.world, machine.world.record()
    rules = replace(machine.rules, opcodes=traced_opcodes(machine.rules.opcodes, recorder))
    outcome = _run(world, machine.environment, rules, call, interpreter)
    world.discard(checkpoint)
    return outcome


def assert_the_same_steps(machine: Machine, call: Call) -> int:
    digests = Digests()
    expected = run(machine, call, digests, run_reference)
    comparison = Comparison(digests.digests)
    assert run(machine, call, comparison, TracedFast(comparison)) == expected
    assert comparison.first_different is None, [str(step) for _, step in comparison.steps]
    assert comparison.count == digests.count
    return digests.count


CODES = [
    "",
    "00",
    "5f",
    "6001600201" + "5f52" + "60205ff3",
    "600160026003" + "0101" + "50",
    "60036002" + "57",  # a jump to nowhere
    "600456fe5b00",
    "6001600657fe5b00",
    "5f15600657fe5b00",
    "5f600657fe",
    "5b5b5b5b5b",
    "5b" * 600,
    "5f50" * 300,
    "5f" * 255 + "6003" + "56",  # a jump in the segment after the one that ends by its length
    "5f" * 256 + "56",
    "60",  # a push beyond the end
    "fe",
    "5f" * 1100,
    "60015f55" + "5f54" + "60025f55",
    "5a" + CALL_OTHER + "5a" + "3d5f5f3e" + "00",
    CALL_OTHER * 3,
    "60206020f3",
    "6d5f5ff3" + "00" * 11 + "5f52" + "600e6012f0" + "00",
    "73" + OTHER.hex() + "ff",
]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("callee", ["602a5f52" + "60205ff3", "602a5f55" + "5f5ffd", "5b5f56"])
def test_steps_are_the_same(code: str, callee: str) -> None:
    machine = Machine()
    machine.place(code)
    machine.place(callee, Address(OTHER))
    call = Call(ALICE, TARGET, 0, b"\x01" * 40, GAS, gas_price=9, nonce=0)
    assert assert_the_same_steps(machine, call) > 0


@pytest.mark.parametrize("gas", [*range(0, 400, 7), 2_300, 22_200, 50_000])
def test_running_out_of_gas(gas: int) -> None:
    machine = Machine()
    machine.place("60015f5260205f2060015500" + "5b5a")
    assert_the_same_steps(machine, Call(ALICE, TARGET, 0, b"", gas, gas_price=9, nonce=0))


@pytest.mark.parametrize("share", range(4))
def test_random_programs(share: int) -> None:
    for index in range(share, 300, 4):
        rng = Random(f"7/{index}")
        machine, call = _machine(rng), _call(rng)
        if call.to is None or machine.world.get_code(call.to):
            assert_the_same_steps(machine, call)

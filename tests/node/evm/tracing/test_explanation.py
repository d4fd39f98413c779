"""Faults put into one interpreter on purpose: the step that is wrong is the one that is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from node.errors import CorruptStore, CriticalError, InterpretersDiffer
from node.evm.fast import call_frame, calls, loop, memory, rare, segment, steps, storage_gas
from node.evm.fast import run as fast_run
from node.evm.fast.call_frame import CallFrame
from node.evm.fast.program import Program
from node.evm.opcodes import Opcode
from node.types.primitives import Address
from tests.node.evm.machine import PRAGUE, TARGET, Machine, word

OTHER = Address(b"\x0b" * 20)
THIRD = Address(b"\x0c" * 20)
EXP, SSTORE = 0x0A, 0x55
POWER = "6003600a0a"  # at byte 4: 10 to the power of 3
RETURN_TOP = "5f5260205ff3"
Patch = pytest.MonkeyPatch


def call_of(address: Address, *, size: int = 32) -> str:
    return f"60{size:02x}5f5f5f5f73{address.hex()}5af1"


@pytest.fixture(autouse=True)
def nothing_is_decoded_before(monkeypatch: Patch) -> None:
    for module in (fast_run, calls):
        monkeypatch.setattr(module, "program_of", lambda _, code: Program(code))


def wrong_rare(monkeypatch: Patch, number: int, wrong: rare.Rare) -> None:
    monkeypatch.setitem(rare.RARE, number, wrong)


def result_of_exp(monkeypatch: Patch) -> None:
    right = rare.RARE[EXP]

    def wrong(frame: CallFrame, gas: int) -> int:
        left = right(frame, gas)
        frame.stack[-1] ^= 1
        return left

    wrong_rare(monkeypatch, EXP, wrong)


def gas_of_exp(monkeypatch: Patch) -> None:
    right = rare.RARE[EXP]
    wrong_rare(monkeypatch, EXP, lambda frame, gas: right(frame, gas) - 1)


def height_after_exp(monkeypatch: Patch) -> None:
    right = rare.RARE[EXP]

    def wrong(frame: CallFrame, gas: int) -> int:
        frame.stack.insert(0, 7)
        return right(frame, gas)

    wrong_rare(monkeypatch, EXP, wrong)


def exp_that_fails(monkeypatch: Patch) -> None:
    wrong_rare(monkeypatch, EXP, lambda frame, gas: rare.FAILED)


def exp_that_breaks(monkeypatch: Patch) -> None:
    def wrong(frame: CallFrame, gas: int) -> int:
        raise IndexError("pop from empty list")

    wrong_rare(monkeypatch, EXP, wrong)


def value_of_sstore(monkeypatch: Patch) -> None:
    right = storage_gas.store

    def wrong(frame: CallFrame, gas: int, gas_ahead: int) -> int:
        frame.stack[-2] += 1
        return right(frame, gas, gas_ahead)

    monkeypatch.setattr(loop, "store", wrong)


def refund_of_sstore(monkeypatch: Patch) -> None:
    right = storage_gas.store

    def wrong(frame: CallFrame, gas: int, gas_ahead: int) -> int:
        left = right(frame, gas, gas_ahead)
        frame.state.refund += 5
        return left

    monkeypatch.setattr(loop, "store", wrong)


def size_of_memory(monkeypatch: Patch) -> None:
    right = memory.grow

    def wrong(content: bytearray, end: int, gas: int) -> int:
        left = right(content, end, gas)
        content.extend(bytes(32))
        return left

    monkeypatch.setattr(loop, "grow", wrong)


def content_of_memory(monkeypatch: Patch) -> None:
    right = rare.RARE[0x53]

    def wrong(frame: CallFrame, gas: int) -> int:
        left = right(frame, gas)
        frame.memory[0] ^= 1
        return left

    wrong_rare(monkeypatch, 0x53, wrong)


def a_joined_step(monkeypatch: Patch) -> None:
    right = segment._APPEND[steps.Sort.WORDS]

    def wrong(made: list[steps.Step], *arguments: Any) -> None:
        right(made, *arguments)
        number, operand = made[-1]
        if number == steps.WITH_CONSTANT[0x01]:
            made[-1] = number, operand + 1

    monkeypatch.setitem(segment._APPEND, int(steps.Sort.WORDS), wrong)


def output_of_return(monkeypatch: Patch) -> None:
    right = loop._return

    def wrong(frame: CallFrame, gas: int) -> bool:
        is_done = right(frame, gas)
        frame.output = frame.output[:-1]
        return is_done

    monkeypatch.setattr(loop, "_return", wrong)


def value_of_a_call(monkeypatch: Patch) -> None:
    right = calls._called

    def wrong(*arguments: Any) -> Any:
        return right(*arguments)._replace(caller=THIRD)

    monkeypatch.setattr(calls, "_called", wrong)


def data_of_a_log(monkeypatch: Patch) -> None:
    right = rare.RARE[0xA0]

    def wrong(frame: CallFrame, gas: int) -> int:
        left = right(frame, gas)
        frame.state.logs[-1] = replace(frame.state.logs[-1], data=b"other")
        return left

    wrong_rare(monkeypatch, 0xA0, wrong)


def price_of_code(monkeypatch: Patch) -> None:
    monkeypatch.setattr(call_frame, "CODE_DEPOSIT_GAS", 201)


FAULTS: list[tuple[Callable[[Patch], None], str, str]] = [
    (result_of_exp, POWER + RETURN_TOP, "EXP at byte 4 "),
    (gas_of_exp, POWER + "5000", "EXP at byte 4 "),
    (height_after_exp, POWER + "505f5f57" + RETURN_TOP, "EXP at byte 4 "),
    (exp_that_fails, POWER + "5000", "EXP at byte 4 "),
    (exp_that_breaks, POWER + "5000", "EXP at byte 4 "),
    (value_of_sstore, "600560075560015000", "SSTORE at byte 4 "),
    (refund_of_sstore, "600560075560015000", "SSTORE at byte 4 "),
    (value_of_sstore, "6005600755", "SSTORE at byte 4 "),
    (size_of_memory, "602a5f52" + "59" + RETURN_TOP, "PUSH0 MSTORE at byte 2 "),
    (content_of_memory, "602a600553" + "60205ff3", "MSTORE8 at byte 4 "),
    (a_joined_step, "335f50600301" + RETURN_TOP, "PUSH1 ADD at byte 3 "),
    (output_of_return, "602a5f52" + "60205ff3", "RETURN at byte 7 "),
    (data_of_a_log, "5f5fa0" + "5f50", "LOG0 at byte 2 "),
]


@pytest.mark.parametrize(("fault", "code", "step"), FAULTS)
def test_the_wrong_step_is_named(
    monkeypatch: Patch, fault: Callable[[Patch], None], code: str, step: str
) -> None:
    fault(monkeypatch)
    machine = Machine()
    with pytest.raises(InterpretersDiffer, match=f"; first in {step}") as caught:
        machine.run(code)
    assert f"of the code of 0x{TARGET.hex()}, depth 1, with " in str(caught.value)
    assert_a_trace(caught.value.trace)


@pytest.mark.parametrize(("fault", "code", "step"), FAULTS)
def test_in_a_nested_call(
    monkeypatch: Patch, fault: Callable[[Patch], None], code: str, step: str
) -> None:
    fault(monkeypatch)
    machine = Machine()
    machine.place(code, THIRD)
    machine.place(call_of(THIRD) + "60205ff3", OTHER)
    with pytest.raises(InterpretersDiffer, match=f"; first in {step}") as caught:
        machine.run(call_of(OTHER) + "5f515f55")
    assert f"of the code of 0x{THIRD.hex()}, depth 3, with " in str(caught.value)


def assert_a_trace(trace: str) -> None:
    """Check that both sides are there, and that they are equal up to the marked lines."""
    reference, fast = trace.removeprefix("reference:\n").split("\nfast:\n")
    equal = [line[2:] for line in reference.split("\n") if line.startswith("  ")]
    assert equal
    for line in fast.split("\n"):
        if line.startswith("  "):
            assert line[2:] in equal
    for line in equal:
        assert {"pc", "op", "opName", "gas", "depth", "memSize", "stack"} <= json.loads(line).keys()
    assert "\n> " in reference
    assert "> " in fast or "the fast one then fails" in fast


def test_a_wrong_caller_shows_in_the_step_that_reads_it(monkeypatch: Patch) -> None:
    value_of_a_call(monkeypatch)
    machine = Machine()
    machine.place("5f5033" + RETURN_TOP, OTHER)
    with pytest.raises(InterpretersDiffer, match=r"first in CALLER at byte 2 .*, depth 2,"):
        machine.run(call_of(OTHER) + "5f515f55")


def test_a_fault_that_shows_after_the_last_step(monkeypatch: Patch) -> None:
    price_of_code(monkeypatch)
    with pytest.raises(InterpretersDiffer, match=r"gas_left: .*; first in RETURN at byte 3 "):
        Machine().send(bytes.fromhex("60205ff3"), to=None)


def test_the_right_iteration_is_found(monkeypatch: Patch) -> None:
    right = rare.RARE[EXP]

    def wrong(frame: CallFrame, gas: int) -> int:
        is_wrong = frame.stack[-1] == 1_234
        left = right(frame, gas)
        frame.stack[-1] += is_wrong
        return left

    wrong_rare(monkeypatch, EXP, wrong)
    # From 4,095 down to 0, the powers added up at the bottom of the stack.
    countdown = (
        "5f610fff5b" + "6001" + "81" + "0a" + "91019060019003" + "80600457" + "50" + RETURN_TOP
    )
    with pytest.raises(InterpretersDiffer, match="first in EXP at byte 8 ") as caught:
        Machine().run(countdown)
    last_equal = caught.value.trace.split("\n> ")[0].split("\n  ")[-1]
    assert json.loads(last_equal)["stack"][-1] == hex(1_234)


def with_fault(number: int, wrong: Callable[[Opcode, Any], None]) -> Machine:
    """Return a machine whose reference has a wrong opcode."""
    opcodes = list(PRAGUE.opcodes)
    right = opcodes[number]
    opcodes[number] = lambda frame: wrong(right, frame)
    return Machine(replace(PRAGUE, opcodes=tuple(opcodes)))


def test_the_reference_may_be_wrong_too() -> None:
    def result(right: Opcode, frame: Any) -> None:
        right(frame)
        frame._stack.values[-1] ^= 1

    def gas(right: Opcode, frame: Any) -> None:
        right(frame)
        frame.consume_gas(1, "fault")

    def write(right: Opcode, frame: Any) -> None:
        right(frame)
        frame.state.set_storage(TARGET, 99, 1)

    for wrong, number, code, step in (
        (result, 0x01, "335f50600301" + RETURN_TOP, "PUSH1 ADD at byte 3 "),
        (result, 0x02, "33600402" + RETURN_TOP, "MUL at byte 3 "),
        (gas, 0x02, "3360040250", "MUL at byte 3 "),
        (write, 0x02, "3360040250", "MUL at byte 3 "),
        (gas, 0x57, "33600557fe5b00", "PUSH1 JUMPI at byte 1 "),
    ):
        with pytest.raises(InterpretersDiffer, match=f"first in {step}"):
            with_fault(number, wrong).run(code)


def test_the_world_is_as_it_was_before(monkeypatch: Patch) -> None:
    value_of_sstore(monkeypatch)
    machine = Machine()
    machine.place("6005600755")
    before = machine.world.record()
    with pytest.raises(InterpretersDiffer):
        machine.send()
    assert machine.world.record() == before
    assert machine.world.get_storage(TARGET, 7) == 0


def test_a_damaged_store_is_no_difference(monkeypatch: Patch) -> None:
    def damaged(frame: CallFrame, gas: int) -> int:
        raise CorruptStore("trie node is missing")

    wrong_rare(monkeypatch, EXP, damaged)
    with pytest.raises(CriticalError, match=r"^trie node is missing$") as caught:
        Machine().run(POWER)
    assert type(caught.value) is CorruptStore


def test_sound_interpreters_are_not_traced(monkeypatch: Patch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("traced")

    monkeypatch.setattr("node.evm.interpreter.explain", never)
    assert Machine().run("60205ff3").output == word(0)

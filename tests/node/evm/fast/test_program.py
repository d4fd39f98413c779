"""Segments: what their sums say is what their opcodes say one by one."""

from typing import Any

import pytest
from eth.vm.forks.prague.opcodes import PRAGUE_OPCODES
from hypothesis import given, settings
from hypothesis import strategies as st

from node.evm.code import jump_destinations
from node.evm.fast.boundaries import Boundaries
from node.evm.fast.opcode_table import DEFINED, ENDS, FIXED_GAS, STACK_EFFECTS, STACK_LIMIT
from node.evm.fast.program import VISITS_TO_KEEP, Program
from node.evm.fast.program_cache import ProgramCache
from node.evm.fast.segment import BRANCH, BRANCH_UNLESS, GOTO, MAX_OPCODES
from node.evm.fast.steps import CONTEXT, PUSH, PUSH_SEVERAL, SWAP_POP, WITH_CONSTANT
from node.evm.fast.word_functions import IN_LOOP, OF_TWO
from node.types.primitives import keccak256
from tests.node.evm.machine import Machine

_CODES = st.one_of(
    st.binary(max_size=80),
    st.lists(st.sampled_from(sorted(DEFINED)), max_size=80).map(bytes),
)

_WORDS = st.one_of(
    st.integers(0, 2**256 - 1),
    st.sampled_from([0, 1, 2, 31, 32, 255, 256, 257, 2**128, 2**255 - 1, 2**255, 2**256 - 1]),
)


def test_the_opcodes_are_those_of_the_reference() -> None:
    invalid = {0xFE}
    assert set(PRAGUE_OPCODES) - invalid == DEFINED


def test_fixed_gas_is_at_least_what_the_reference_takes_first() -> None:
    for number in sorted(DEFINED - {0xFF, 0xF0, 0xF5, *range(0xA1, 0xA5)}):
        assert FIXED_GAS[number] >= PRAGUE_OPCODES[number].gas_cost
        if number not in bytes.fromhex("313b3c3f54 55 5c f1f2f4fa"):
            assert FIXED_GAS[number] == PRAGUE_OPCODES[number].gas_cost, hex(number)


@settings(max_examples=300)
@given(_CODES)
def test_a_segment_sums_up_its_opcodes(code: bytes) -> None:
    segment = Program(code).begin()
    position, gas, height, least, highest = 0, 0, 0, 0, 0
    for count in range(MAX_OPCODES + 1):
        opcode = code[position] if position < len(code) else 0
        if position == segment.stop and (count == MAX_OPCODES or opcode not in ENDS):
            break
        gas += FIXED_GAS[opcode]
        taken, given_back = STACK_EFFECTS[opcode]
        least = max(least, taken - height)
        height += given_back - taken
        highest = max(highest, height)
        if position == segment.stop:
            break
        position += opcode - 0x5F + 1 if 0x5F <= opcode <= 0x7F else 1
    assert (segment.gas, segment.least) == (gas, least)
    assert segment.most == STACK_LIMIT - highest


@settings(max_examples=200)
@given(_CODES, st.integers(0, 100))
def test_destinations_are_the_jumpdests(code: bytes, position: int) -> None:
    is_valid = position < len(code) and jump_destinations(code)[position] == 1
    segment = Program(code).destination(position)
    assert (segment is not None) == is_valid
    assert segment is None or segment.start == position


def test_known_jumps_are_resolved_and_others_are_not() -> None:
    assert Program(bytes.fromhex("60035600005b")).begin().end == 0x56  # no JUMPDEST there
    program = Program(bytes.fromhex("6004565b5b00"))
    segment = program.begin()
    assert (segment.end, program.next(segment).start) == (GOTO, 4)
    program = Program(bytes.fromhex("346006575b005b00"))
    segment = program.begin()
    assert (segment.end, program.target(segment).start) == (BRANCH, 6)
    assert program.next(segment).start == 4
    program = Program(bytes.fromhex("34156007575b005b00"))
    segment = program.begin()
    assert (segment.end, program.target(segment).start) == (BRANCH_UNLESS, 7)
    assert Program(bytes.fromhex("345657")).begin().end == 0x56


def test_a_long_run_is_cut() -> None:
    program = Program(b"\x5f\x50" * 320)
    segment, count, gas = program.begin(), 1, 0
    while segment.end == GOTO:
        assert segment.gas == MAX_OPCODES * 2
        gas += segment.gas
        segment, count = program.next(segment), count + 1
    assert (count, gas) == (11, 640 * 2)


def test_jumpdests_are_passed_and_can_be_jumped_to() -> None:
    program = Program(bytes.fromhex("5f5b805b5000"))
    assert (program.begin().gas, program.begin().end) == (2 + 1 + 3 + 1 + 2, 0)
    inside = program.destination(3)
    assert inside is not None
    assert (inside.start, inside.gas, inside.least, inside.end) == (3, 3, 1, 0)
    assert program.destination(2) is None


def steps_of(code: str) -> list[tuple[int, Any]]:
    return list(Program(bytes.fromhex(code + "00")).begin().steps)


def test_constants_are_joined_with_what_takes_them() -> None:
    assert steps_of("6005") == [(PUSH, 5)]
    assert steps_of("600560065f") == [(PUSH_SEVERAL, (5, 6, 0))]
    assert steps_of("33600501") == [(CONTEXT, 1), (WITH_CONSTANT[0x01], 5)]
    assert steps_of("6005600601") == [(PUSH, 11)]
    assert steps_of("60016001" + "60a01b03") == [(PUSH, 2**160 - 1)]
    assert steps_of("5f1519") == [(PUSH, 2**256 - 2)]
    assert steps_of("600550") == []
    assert steps_of("335b58") == [(CONTEXT, 1), (PUSH, 2)]
    assert steps_of("38") == [(PUSH, 2)]
    assert steps_of("9150") == [(SWAP_POP, -2)]
    assert steps_of("604051") == [(WITH_CONSTANT[0x51], (64, 0))]
    assert steps_of("60405b51") == [(PUSH, 64), (0x51, 3)]
    assert steps_of("336001604001" + "52") == [(CONTEXT, 1), (PUSH, 65), (0x52, 6)]


@pytest.mark.parametrize("number", sorted(IN_LOOP | OF_TWO))
@settings(max_examples=30)
@given(_WORDS, _WORDS)
def test_functions_of_constants_are_those_of_the_loop(number: int, top: int, second: int) -> None:
    """With constants and with words that nobody knows beforehand, in both orders."""
    one, other = (b"\x7f" + value.to_bytes(32, "big") for value in (second, top))
    unknown = bytes.fromhex("5f35"), bytes.fromhex("602035")
    data = second.to_bytes(32, "big") + top.to_bytes(32, "big")
    operation = bytes([number]) + bytes.fromhex("5f5260205ff3")
    outputs = set()
    for left in (one, unknown[0]):
        for right in (other, unknown[1]):
            machine = Machine()
            machine.place(left + right + operation)
            outputs.add(machine.send(data).output)
    assert len(outputs) == 1


def test_only_what_runs_often_is_kept() -> None:
    program = Program(bytes.fromhex("5b5f56"))
    visits = [program.destination(0) for _ in range(VISITS_TO_KEEP)]
    assert len({id(segment) for segment in visits}) == VISITS_TO_KEEP
    kept = visits[-1]
    assert kept is not None
    assert program.destination(0) is kept
    assert program.destinations == {0: kept}
    assert program.next(kept) is kept
    assert kept.next is kept


def test_the_cache_is_bounded_and_keeps_what_is_used() -> None:
    cache = ProgramCache(max_bytes=10_000)

    def get(number: int) -> Program:
        code = bytes([number]) * 1_000
        return cache.get(keccak256(code), code)

    kept, dropped = get(0), get(1)
    assert get(0) is kept
    for number in range(2, 20):
        get(number)
        assert get(0) is kept
    assert get(1) is not dropped


def test_what_is_decoded_counts_in_the_cache() -> None:
    cache = ProgramCache(max_bytes=20_000)
    code = b"\x5b\x5f\x50" * 2_000
    program = cache.get(keccak256(code), code)
    small = cache.get(keccak256(b"\x00"), b"\x00")
    for position in range(0, 6_000, 3):
        for _ in range(VISITS_TO_KEEP):
            program.destination(position)
    for _ in range(2):
        assert cache.get(keccak256(b"\x00"), b"\x00") is small
    assert cache.get(keccak256(code), code) is program
    assert cache.get(keccak256(code), code) is program
    cache.get(keccak256(b"\x01"), b"\x01")
    cache.get(keccak256(b"\x02"), b"\x02")
    assert cache.get(keccak256(b"\x00"), b"\x00") is not small


def test_where_opcodes_begin_outlasts_the_program() -> None:
    cache = ProgramCache(max_bytes=100)
    code = b"\x60" * 24_000 + b"\x5b"
    first = cache.get(keccak256(code), code)
    assert first.destination(24_000) is not None
    for number in range(3):
        cache.get(keccak256(bytes([number])), bytes([number]))
    second = cache.get(keccak256(code), code)
    assert second is not first
    assert second.boundaries is first.boundaries


@settings(max_examples=200)
@given(st.binary(max_size=600), st.lists(st.integers(0, 599), max_size=20))
def test_boundaries_are_found_in_any_order(code: bytes, positions: list[int]) -> None:
    starts, position = set(), 0
    while position < len(code):
        starts.add(position)
        position += max(code[position] - 0x5F, 0) + 1 if code[position] <= 0x7F else 1
    boundaries = Boundaries()
    for position in positions:
        if position < len(code):
            assert boundaries.is_opcode(code, position) == (position in starts)

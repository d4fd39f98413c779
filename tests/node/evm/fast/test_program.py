"""Segments: what their sums say is what their opcodes say one by one."""

from eth.vm.forks.prague.opcodes import PRAGUE_OPCODES
from hypothesis import given, settings
from hypothesis import strategies as st

from node.evm.code import jump_destinations
from node.evm.fast.opcode_table import DEFINED, FIXED_GAS, STACK_EFFECTS, STACK_LIMIT
from node.evm.fast.program import BRANCH, BRANCH_UNLESS, GOTO, Program
from node.evm.fast.program_cache import ProgramCache

_CODES = st.one_of(
    st.binary(max_size=80),
    st.lists(st.sampled_from(sorted(DEFINED)), max_size=80).map(bytes),
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
    position, gas, height = 0, 0, 0
    least, highest = 0, 0
    stop = segment.place.position
    end = [] if segment.end == GOTO and not _is_jump(code, stop) else [stop]
    while position < stop or position in end:
        opcode = code[position] if position < len(code) else 0
        gas += FIXED_GAS[opcode]
        taken, given_back = STACK_EFFECTS[opcode]
        least = max(least, taken - height)
        height += given_back - taken
        highest = max(highest, height)
        position += opcode - 0x5F + 1 if 0x5F <= opcode <= 0x7F else 1
    assert (segment.gas, segment.least) == (gas, least)
    assert segment.most == STACK_LIMIT - highest


def _is_jump(code: bytes, position: int) -> bool:
    return position < len(code) and code[position] == 0x56


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
    program = Program(b"\x5f\x50" * 400)
    segment, count = program.begin(), 1
    while segment.end == GOTO:
        assert segment.gas <= 256 * 2
        segment, count = program.next(segment), count + 1
    assert count == 4


def test_the_cache_is_bounded_by_bytes_and_keeps_what_is_used() -> None:
    cache = ProgramCache(max_bytes=100)
    first, second = b"\x00" * 40, b"\x01" * 40
    kept, dropped = cache.get(first), cache.get(second)
    assert cache.get(first) is kept
    cache.get(b"\x02" * 40)
    assert cache.get(first) is kept
    assert cache.get(second) is not dropped
    large = cache.get(b"\x03" * 200)
    assert cache.get(b"\x03" * 200) is not large  # larger than all there is room for


def test_jumpdests_in_a_row_are_counted_at_once() -> None:
    program = Program(b"\x5b" * 1000 + b"\x00")
    segment, gas, segments = program.begin(), 0, 1
    while segment.end == GOTO:
        gas, segment, segments = gas + segment.gas, program.next(segment), segments + 1
    assert (gas + segment.gas, segments) == (1000, 5)
    inside = program.destination(998)
    assert inside is not None
    assert (inside.gas, program.next(inside).start, program.next(inside).end) == (1, 999, 0)

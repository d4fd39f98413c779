"""The worst cases run: with little gas, to their ends, and the table says what it should."""

from pathlib import Path

import pytest

from bench.__main__ import main
from bench.worst.assembly import MAX_CODE_SIZE, assemble, loop
from bench.worst.case import Case
from bench.worst.table import all_cases, run_worst
from node.evm.fast.opcode_table import DEFINED

CASES = all_cases()
# With so little, what needs more at once runs out of it; that is no failure here.
_GAS = 400_000


def test_names_are_distinct_and_code_is_no_longer_than_a_contract_may_have() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert len(case.code) <= MAX_CODE_SIZE * (2 if case.is_creation else 1), case.name


def test_every_opcode_that_is_defined_has_a_case() -> None:
    seen = set().union(*(case.code for case in CASES))
    assert DEFINED - seen <= set(range(0x5F, 0xA0)), "PUSH, DUP and SWAP are samples"


@pytest.mark.parametrize("name", ["ADD", "SLOAD", "SSTORE", "CALL", "cold code", "append", "ECADD"])
def test_cases_run_with_little_gas(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = run_worst([name], _GAS, tmp_path)
    assert measured
    assert [item.name for item in measured if item.gas < 1000] == []
    speeds = [item.gas_per_second for item in measured]
    assert speeds == sorted(speeds)
    printed = capsys.readouterr().out
    assert f"worst: {measured[0].name}" in printed
    assert "longest without an interrupt" in printed
    assert not list(tmp_path.iterdir())


def test_a_loop_ends_with_a_stop() -> None:
    code = loop("1 POP", times=3, reserve=1000)
    assert code == assemble("JUMPDEST 1 POP 1 POP 1 POP 1000 GAS GT 0 JUMPI STOP")


def test_an_unknown_name_finds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    main(["worst", "--only", "no such thing"])
    assert "no case has such a name" in capsys.readouterr().out


def test_state_that_a_case_needs_follows_its_gas() -> None:
    (case,) = [case for case in CASES if case.name == "BALANCE, cold"]
    assert isinstance(case, Case)
    assert len(case.neighbours(26_000_000)) > 10_000

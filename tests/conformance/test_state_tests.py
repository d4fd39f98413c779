"""A sample of the state tests; `make conformance` runs all of them."""

import json

import pytest

from node.evm.rules import Interpreter
from tests.conformance.archive import archive_path, state_test_files
from tests.conformance.state_test import run_file

_SHARE = 4
"""One file in this many is run."""


@pytest.fixture(scope="module")
def files() -> list[tuple[str, bytes]]:
    path = archive_path(None)
    if not path.exists():
        pytest.skip(f"public test vectors are not at {path}")
    return list(state_test_files(path))


def test_ethereum_state_tests_reach_their_roots(files: list[tuple[str, bytes]]) -> None:
    verdicts = [
        verdict
        for file in files[::_SHARE]
        for verdict in run_file(*file, Interpreter.BOTH).verdicts
    ]
    assert len(verdicts) > 400
    assert [verdict for verdict in verdicts if verdict.problem] == []


@pytest.mark.parametrize(
    ("field", "name"),
    [("hash", "state root"), ("logs", "logs hash"), ("expectException", "refusal")],
)
def test_a_case_that_asks_for_something_else_fails(
    files: list[tuple[str, bytes]], field: str, name: str
) -> None:
    raw = next(raw for file, raw in files if file.endswith("ecmul_1-2_2_21000_96.json"))
    tests = json.loads(raw)
    for test in tests.values():
        for case in test["post"]["Cancun"]:
            case[field] = {"expectException": "TransactionException.SENDER_NOT_EOA"}.get(
                field, "0x" + "11" * 32
            )
    verdicts = run_file("changed.json", json.dumps(tests).encode(), Interpreter.REFERENCE).verdicts
    assert verdicts
    assert all(verdict.problem.startswith(f"{name}: expected") for verdict in verdicts)

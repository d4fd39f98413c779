"""A few of the oracle's cases; `make oracle` runs as many as one likes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.evm.rules import Interpreter
from tests.conformance.oracle.case import read_case
from tests.conformance.oracle.comparison import Comparison
from tests.conformance.oracle.oracle import PYTHON, Oracle
from tests.conformance.oracle.random_case import random_case

_CASES = 50


class SternOracle(Oracle):
    """Says of every included transaction that it succeeded."""

    def answer(self) -> dict[str, Any]:
        answer = super().answer()
        for outcome in answer["transactions"]:
            if "status" in outcome:
                outcome["status"] = 1
        return answer


@pytest.fixture(scope="module", autouse=True)
def _specs() -> None:
    if not PYTHON.exists():
        pytest.skip("the Python execution specs are not installed; `make oracle` installs them")


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with Oracle() as process:
        yield process


def test_random_blocks_come_out_as_in_the_specs(oracle: Oracle) -> None:
    comparison = Comparison(oracle, Interpreter.BOTH)
    for index in range(_CASES):
        assert comparison.difference(random_case(0, index)) == "", f"case {index}"


def test_a_difference_is_found_and_made_small() -> None:
    with SternOracle() as oracle:
        comparison = Comparison(oracle, Interpreter.REFERENCE)
        cases = (random_case(0, index) for index in range(_CASES))
        case = next(filter(comparison.difference, cases))
        small = comparison.minimise(case)
        assert len(small.transactions) == 1
        assert len(small.pre) < len(case.pre)
        assert comparison.difference(small).startswith("transaction 0: ours {'status': 0")


def test_a_saved_case_is_the_same_case(tmp_path: Path) -> None:
    for index in range(_CASES):
        case = random_case(0, index)
        assert random_case(0, index) == case
        (tmp_path / "case.json").write_text(json.dumps(case.to_json()))
        assert read_case(tmp_path / "case.json") == case

"""ATTRIBUTION.md names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TABLE = Path(__file__).with_name("ATTRIBUTION.md").read_text()
NAMES = re.findall(r"\| (tests/\S+\.py)(?:::(\w+))? \|$", TABLE, re.MULTILINE)


def test_there_is_one_in_each_row() -> None:
    rows = [line for line in TABLE.splitlines() if line.startswith("| ")]
    headings = [row for row in rows if row == "| rule | test |"]
    assert len(NAMES) == len(rows) - len(headings) > 40


@pytest.mark.parametrize(("path", "name"), NAMES, ids=lambda part: part)
def test_it_exists(path: str, name: str) -> None:
    source = (ROOT / path).read_text()
    assert not name or re.search(rf"def {name}\(", source)

"""Gas on L1: what was reached stays."""

import re
from pathlib import Path

import pytest

from tests.contracts.gas_table import gas_table

_PAGE = Path(__file__).parents[2] / "docs" / "bridge.md"

# Of the OP Stack's own portal, for a deposit of an ERC-20.
OP_STACK_DEPOSIT = 128_820


@pytest.fixture(scope="module")
def table() -> dict[str, int]:
    return gas_table()


@pytest.mark.parametrize(
    ("what", "most"),
    [
        ("depositTransaction, 21,000 L2 gas", 45_000),
        ("depositERC20Transaction, the portal's first", 73_000),
        ("depositERC20Transaction, 21,000 L2 gas", 56_000),
        ("depositERC20Transaction, 100,000 L2 gas", OP_STACK_DEPOSIT),
        ("proposeL2Output, later", 79_000),
        ("proveWithdrawalTransaction, 2 nodes", 143_000),
        ("proveWithdrawalTransaction, 4 nodes", 232_000),
        ("finalizeWithdrawalTransaction, no data", 101_000),
        ("finalizeWithdrawalTransaction, 4 bytes for no code", 105_000),
        ("deleteL2Outputs", 34_000),
        ("AttributionVerifier.verify, in the output's block", 221_000),
        ("AttributionVerifier.verify, one step", 500_000),
    ],
)
def test_gas(table: dict[str, int], what: str, most: int) -> None:
    assert table[what] <= most


def test_data_costs_no_more_than_its_calldata(table: dict[str, int]) -> None:
    """Beyond the floor of EIP-7623 only the event is paid for, at 8 gas a byte."""
    more = table["depositTransaction, 1,000 bytes"] - table["depositTransaction, 100,000 L2 gas"]
    assert more < 1_000 * (16 + 8)


def test_the_page_tells_it_right(table: dict[str, int]) -> None:
    """Within one in a hundred: hashes have more or fewer zero bytes with each genesis."""
    rows = re.findall(r"^\| (.+) \| ([0-9,]+) \|$", _PAGE.read_text(), re.MULTILINE)
    told = {what: int(gas.replace(",", "")) for what, gas in rows}
    used = {what: gas for what, gas in table.items() if not what.startswith("Attribution")}
    assert told == {what: pytest.approx(gas, rel=0.01) for what, gas in used.items()}

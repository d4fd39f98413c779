import pytest

from bench.accounts import Accounts
from bench.history import run_history
from bench.workloads import WORKLOADS


def test_both_bounds_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    accounts = Accounts(total=2_000, senders=1_000)
    (transfers,) = (workload for workload in WORKLOADS if workload.name == "transfers")
    run_history(transfers, accounts, kept_blocks=2, measured=1, directory=None)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[3:]]
    assert [row[:2] for row in rows] == [
        ["1000", "full"],
        ["1000", "2"],
        ["0", "full"],
        ["0", "2"],
    ]
    by_kind = {tuple(row[:2]): [float(value) for value in row[2:]] for row in rows}
    # Receipts are kept by one and come and go with the other.
    assert by_kind["1000", "full"][4] > 200_000 > by_kind["1000", "2"][4]

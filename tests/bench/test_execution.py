from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.accounts import Accounts
from bench.execution import ExecutionBenchmark, run_execution, workloads_named
from bench.workloads import WORKLOADS, Workload
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.transaction import decode_signed_transaction

ACCOUNTS = Accounts(total=40, senders=10)


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExecutionBenchmark]:
    made = ExecutionBenchmark(ACCOUNTS, tmp_path_factory.mktemp("bench"), has_peer=True)
    yield made
    made.close()


def small(workload: Workload) -> Workload:
    return replace(workload, transactions=3)


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_every_transaction_succeeds_on_both_sides(
    benchmark: ExecutionBenchmark, workload: Workload
) -> None:
    result = benchmark.run(small(workload), 2)
    assert result.transactions == 3
    assert len(result.ours) == len(result.theirs) == 2
    assert all(sum(run.steps.values()) <= run.seconds for run in result.ours)


@pytest.mark.parametrize("name", ["transfers", "erc20", "mixed"])
def test_both_sides_use_the_same_gas(benchmark: ExecutionBenchmark, name: str) -> None:
    (workload,) = workloads_named([name])
    result = benchmark.run(small(workload), 1)
    assert result.ours[-1].gas_used == result.their_gas >= 3 * 21_000


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_a_round_is_the_same_in_every_run(workload: Workload) -> None:
    blocks = []
    for _ in range(2):
        nonces = [4] * ACCOUNTS.senders
        blocks.append(small(workload).block(ACCOUNTS, nonces, 1))
        assert nonces == [5, 5, 5, 4, 4, 4, 4, 4, 4, 4]
    assert blocks[0] == blocks[1]
    transactions = [decode_signed_transaction(raw) for raw in blocks[0]]
    assert [tx.sender for tx in transactions] == list(ACCOUNTS.sender_addresses[:3])


def test_recipients_differ_within_a_round_and_between_rounds() -> None:
    (transfers,) = workloads_named(["transfers"])
    nonces = [0] * ACCOUNTS.senders
    sized = replace(transfers, transactions=ACCOUNTS.senders)
    raw = [*sized.block(ACCOUNTS, nonces, 0), *sized.block(ACCOUNTS, nonces, 1)]
    assert len({decode_signed_transaction(item).to for item in raw}) == 2 * ACCOUNTS.senders


def test_receipts_come_by_the_hundred() -> None:
    (workload,) = workloads_named(["receipts"])
    (raw,) = replace(workload, transactions=1).block(ACCOUNTS, [0] * ACCOUNTS.senders, 0)
    tx = decode_signed_transaction(raw)
    assert tx.to == ATTRIBUTION_ADDRESS
    assert len(tx.data) > 100 * 40


def test_prints_a_table_and_the_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = [small(workload) for workload in workloads_named(["transfers"])]
    run_execution(chosen, ACCOUNTS, 1, tmp_path, has_profile=False)
    printed = capsys.readouterr().out
    assert "CPUs" in printed
    assert "native transfers" in printed
    assert "recover" in printed
    assert not list(tmp_path.iterdir())


def test_the_profile_names_modules_and_functions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = [small(workload) for workload in workloads_named(["erc20"])]
    run_execution(chosen, ACCOUNTS, 1, tmp_path, has_profile=True)
    printed = capsys.readouterr().out
    assert "node/state/world_state.py" in printed
    assert "node/evm/" in printed
    assert " run\n" in printed


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["--workload", "none"], ["--rounds", "0"], ["--accounts", "10"]]
)
def test_wrong_usage_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "error:" in capsys.readouterr().err

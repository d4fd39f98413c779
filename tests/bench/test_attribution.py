"""The figures of receipts that do not depend on the machine are kept."""

import json
from functools import cache

import pytest

from bench.__main__ import main
from bench.attribution import report, run_attribution
from bench.attribution.batches import DATASETS, plain, shaped
from bench.attribution.figure import Bound, Figure
from bench.attribution.largest_block import measure_largest_block
from bench.attribution.month import months
from bench.attribution.report import Measurements
from node.config import DEFAULT_LANE_BLOCK_LIMIT


@cache
def measured() -> Measurements:
    return run_attribution(is_json=False, has_timing=False)


def test_every_figure_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    missed = [figure for figure in measured().figures if not figure.passed]
    assert missed == []
    assert "MISS" not in capsys.readouterr().out


def test_the_economics_count_what_transactions_take() -> None:
    for step in measured().steps:
        assert step.assumed == pytest.approx(step.gas, rel=0.25), step.what


def test_ladder_and_lesson() -> None:
    gas = measured().gas
    assert gas.stored > gas.contract > gas.native_in_lane
    assert gas.contract_in_lane < gas.contract
    # At the ordinary price the bytes decide, whoever does the work.
    assert gas.native == pytest.approx(gas.contract, rel=0.02)


def test_as_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = measured()
    capsys.readouterr()
    monkeypatch.setattr("bench.__main__.run_attribution", lambda is_json: print_json(found))
    main(["attribution", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert [row["measured"] for row in printed["figures"]] == [
        figure.measured for figure in found.figures
    ]
    assert printed["batchOf100"]["precompileInLane"] == found.gas.native_in_lane
    assert len(printed["months"]) == 6


def print_json(found: Measurements) -> None:
    print(json.dumps(report._as_json(found)))


def test_the_largest_block_fills_the_lane() -> None:
    figure, blocks = measure_largest_block(rounds=1)
    assert figure.is_timing
    for block in blocks:
        assert DEFAULT_LANE_BLOCK_LIMIT - 8 * 256 < block.lane_bytes <= DEFAULT_LANE_BLOCK_LIMIT


def test_calldata_costs_more_than_blobs() -> None:
    found = list(months())
    for blobs, calldata in zip(found[::2], found[1::2], strict=True):
        assert blobs.named is calldata.named
        assert blobs.data_usd < calldata.data_usd
        assert blobs.gas_usd == calldata.gas_usd


def test_figures_are_bounded_from_above_or_below() -> None:
    assert Figure("", Bound.AT_MOST, 3, 3).passed
    assert not Figure("", Bound.AT_MOST, 3, 3.1).passed
    assert Figure("", Bound.AT_LEAST, 3, 3).passed
    assert not Figure("", Bound.AT_LEAST, 3, 2.9).passed


def test_batches_are_the_same_each_time_and_use_all_datasets() -> None:
    assert plain(5, 1) == plain(5, 1) != plain(5, 2)
    batch = shaped(100, 1)
    assert {entry.dataset for one in batch for entry in one.influences} == set(DATASETS)
    assert len({one.amount for one in batch}) == 100

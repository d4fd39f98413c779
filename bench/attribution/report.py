"""Runs everything on one chain and prints it, or writes it as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.attribution.figure import Figure
from bench.attribution.gas import BATCH, GasMeasured, measure_gas
from bench.attribution.l1_data import measure_l1_data
from bench.attribution.largest_block import BlockMeasured, measure_largest_block
from bench.attribution.month import PLAN, RATES, Month, months
from bench.attribution.network import Network
from bench.attribution.settlement import Model, Step, measure_settlement
from bench.attribution.speed import measure_speed
from bench.attribution.visibility import measure_visibility
from bench.machine import machine
from openrollup.testing import Devnet

_FIGURE = "{:<78} {:>9} {:>10}  {}"
_RUNG = "{:<54} {:>10} {:>9}"
_STEP = "{:<42} {:>10} {:>10}"
_MONTH = "{:<6} {:<9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8} {:>9} {:>11}"


@dataclass(frozen=True, slots=True)
class Measurements:
    """All that one run has found."""

    figures: tuple[Figure, ...]
    gas: GasMeasured
    steps: tuple[Step, ...]
    blocks: tuple[BlockMeasured, ...]
    months: tuple[Month, ...]


def run_attribution(*, is_json: bool, has_timing: bool = True) -> Measurements:
    """Measure and print; `has_timing` False leaves out what takes a minute."""
    with Devnet() as devnet:
        network = Network(devnet)
        gas = measure_gas(network)
        model = Model(network)
        settlement = measure_settlement(model)
        figures = [*gas.figures, *measure_l1_data(network), settlement.figure]
        figures.append(measure_visibility(model))
    blocks: tuple[BlockMeasured, ...] = ()
    if has_timing:
        figures.append(measure_speed().figure)
        largest, blocks = measure_largest_block()
        figures.append(largest)
    found = Measurements(tuple(figures), gas, settlement.steps, blocks, tuple(months()))
    print(json.dumps(_as_json(found), indent=2) if is_json else "\n".join(_lines(found)))
    return found


def _lines(found: Measurements) -> Iterator[str]:
    yield f"attribution: {machine()}"
    yield "a Devnet: real blocks, L1 and batcher in one process; storage is in use\n"
    yield from _figure_lines(found.figures)
    yield from _ladder_lines(found.gas)
    yield from _step_lines(found.steps)
    yield from _month_lines(found.months)


def _figure_lines(figures: Sequence[Figure]) -> Iterator[str]:
    yield _FIGURE.format("figure", "demanded", "measured", "")
    for figure in figures:
        sign = {"at most": "<=", "at least": ">="}[figure.bound.value]
        verdict = "pass" if figure.passed else "MISS"
        yield _FIGURE.format(
            figure.what,
            f"{sign} {_number(figure.demanded)}",
            _number(figure.measured),
            f"{verdict}{' (timing)' if figure.is_timing else ''}",
        )
    yield ""
    yield from (f"  {figure.what}: {figure.detail}" for figure in figures if figure.detail)


def _ladder_lines(gas: GasMeasured) -> Iterator[str]:
    yield "\ngas for each receipt, no influences"
    yield _RUNG.format("", "gas", "to ours")
    for rung in gas.ladder:
        title = rung.title + (" (computed)" if rung.is_computed else "")
        yield _RUNG.format(title, _gas(rung.gas), f"{rung.gas / gas.native_in_lane:.2f}")
    yield f"\nbatch of {BATCH}, gas each: who does the work, and what a byte costs"
    yield _RUNG.format("", "ordinary", "lane")
    yield _RUNG.format("contract", _gas(gas.contract), _gas(gas.contract_in_lane) + "*")
    yield _RUNG.format("precompile", _gas(gas.native) + "*", _gas(gas.native_in_lane))
    yield "* computed from the measured gas of execution: "
    yield (
        f"  contract {_gas(gas.contract_execution)}, precompile {_gas(gas.native_execution)} "
        f"for each receipt, calldata and the transaction's 21,000 left out"
    )
    yield from _lesson(gas)


def _lesson(gas: GasMeasured) -> Iterator[str]:
    lane_alone = gas.contract / gas.contract_in_lane
    native_in_lane = gas.contract_in_lane / gas.native_in_lane
    yield "\nthe lesson"
    yield f"  packing and batching, in a contract: {gas.stored / gas.contract:.0f} times less"
    yield f"  being native at the ordinary price of calldata: {gas.contract / gas.native:.2f} times"
    yield "    (the floor of EIP-7623 decides, 40 gas a byte, whoever does the work)"
    yield f"  the lane, for a contract if it had one: {lane_alone:.2f} times less"
    yield f"  being native where there is a lane: {native_in_lane:.2f} times less again"
    yield f"  lane and precompile together: {gas.contract / gas.native_in_lane:.2f} times less"


def _step_lines(steps: Sequence[Step]) -> Iterator[str]:
    yield "\n" + _STEP.format("gas of a model's transactions", "measured", "economics")
    for step in steps:
        yield _STEP.format(step.what, f"{step.gas:,}", f"{step.assumed:,}")


def _month_lines(found: Sequence[Month]) -> Iterator[str]:
    yield (
        f"\na month of {PLAN.queries_per_month} queries at "
        f"{float(PLAN.price_usd) * 100:g} cent: {PLAN.payers} payers, {PLAN.payees} payees, "
        f"{PLAN.settlements_per_month} settlement; "
        f"OPEN ${float(RATES.open_usd):g}, ETH ${float(RATES.eth_usd):,g}"
    )
    yield "income, gas, data, what is left to all together, and the start (once), in cents\n"
    yield _MONTH.format(
        "prices", "L1 data", "L2 gwei", "L1 gwei", "gas", "data", "left", "start", "breaks at",
        "with start",
    )  # fmt: skip
    for month in found:
        yield _MONTH.format(
            month.named.name,
            month.outcome.data.value,
            f"{month.named.prices.gas_price / 1e9:g}",
            f"{month.named.prices.l1.l1_base_fee / 1e9:g}",
            f"{float(month.gas_usd) * 100:.4f}",
            f"{float(month.data_usd) * 100:.3f}",
            f"{float(month.outcome.together_usd) * 100:.2f}",
            f"{float(month.outcome.setup_usd) * 100:.3f}",
            _queries(month.outcome.break_even_queries),
            _queries(month.first_month_queries),
        )
    yield "breaks at: queries a month that pay for the month; with start: for its start, too"


def _queries(count: int | None) -> str:
    return "never" if count is None else f"{count:,}"


def _gas(value: float) -> str:
    return f"{value:,.0f}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def _as_json(found: Measurements) -> dict[str, object]:
    gas = found.gas
    return {
        "machine": machine(),
        "figures": [
            {
                "what": figure.what,
                "bound": figure.bound.value,
                "demanded": figure.demanded,
                "measured": figure.measured,
                "passed": figure.passed,
                "isTiming": figure.is_timing,
                "detail": figure.detail,
            }
            for figure in found.figures
        ],
        "ladder": [
            {"what": rung.title, "gas": rung.gas, "isComputed": rung.is_computed}
            for rung in gas.ladder
        ],
        "batchOf100": {
            "contract": gas.contract,
            "contractInLane": gas.contract_in_lane,
            "precompile": gas.native,
            "precompileInLane": gas.native_in_lane,
            "contractExecution": gas.contract_execution,
            "precompileExecution": gas.native_execution,
        },
        "transactions": [
            {"what": step.what, "gas": step.gas, "assumed": step.assumed} for step in found.steps
        ],
        "largestBlocks": [
            {
                "kind": block.kind,
                "receipts": block.receipts,
                "gas": block.gas,
                "laneBytes": block.lane_bytes,
                "cpuSeconds": block.seconds,
            }
            for block in found.blocks
        ],
        "months": [_month_json(month) for month in found.months],
    }


def _month_json(month: Month) -> dict[str, object]:
    outcome = month.outcome
    return {
        "prices": month.named.name,
        "data": outcome.data.value,
        "gasWei": month.named.prices.gas_price,
        "l1GasWei": month.named.prices.l1.l1_base_fee,
        "blobGasWei": month.named.prices.l1.l1_blob_base_fee,
        "incomeUsd": float(outcome.income_usd),
        "gasUsd": float(month.gas_usd),
        "dataUsd": float(month.data_usd),
        "leftUsd": float(outcome.together_usd),
        "ownerUsd": float(outcome.owner_usd),
        "setupUsd": float(outcome.setup_usd),
        "breakEvenQueries": outcome.break_even_queries,
        "firstMonthQueries": month.first_month_queries,
        "monthsToCoverSetup": month.months_to_cover_setup,
    }

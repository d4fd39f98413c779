"""The whole life of a model, by commands alone."""

from pathlib import Path

import pytest

from openrollup.testing import Devnet
from tests.openrollup.attribution.terminal import Terminal

OWNER, LOGGER, PAYER = 1, 2, 3
CONTENT = ["--content-hash", "0x" + "11" * 32]

pytestmark = pytest.mark.devnet(automine=True)


@pytest.fixture
def terminal(devnet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(devnet, tmp_path, capsys)


def test_a_model_by_commands(terminal: Terminal) -> None:
    devnet = terminal.devnet
    first = terminal.done(OWNER, "dataset register", *CONTENT, "--uri", "ipfs://1")["dataset"]
    said = terminal.lines(OWNER, "dataset register", *CONTENT, "--payout", terminal.address(5))
    assert said[0] == "dataset       2"
    devnet.derive()
    dataset = terminal.done(None, "dataset show", "--dataset", 2)
    assert dataset["payout"] == terminal.address(5)
    assert "contentHash  0x" + "11" * 32 in terminal.lines(None, "dataset show", "--dataset", 2)

    weights = terminal.folder / "weights.bin"
    weights.write_bytes(b"weights")
    key = terminal.done(
        OWNER,
        "model register",
        *("--model-file", weights, "--price", "0.01", "--owner-bps", 3000),
        *("--logger", terminal.address(LOGGER), "--datasets", first),
    )["modelKey"]
    model = ("--model", key)
    terminal.done(OWNER, "train", *model, "--dataset", 2, "--run-hash", "0x" + "22" * 32)
    terminal.done(PAYER, "deposit", *model, "--amount", "1.5")

    answers = [
        {
            "amountGwei": 10_000_000,
            "influences": [{"dataset": 2, "weight": 5_000}, {"dataset": 1, "weight": 1_000}],
            "commitment": "0x" + f"{number:064x}",
        }
        for number in range(3)
    ]
    records = terminal.file("records.json", answers)
    logged = terminal.lines(LOGGER, "append", *model, "--file", records)
    assert logged[0] == "receipts      3, worth 0.03 OPEN"
    shown = terminal.done(None, "model show", *model)
    assert (shown["unsettledGwei"], shown["priceGwei"]) == (30_000_000, 10_000_000)
    assert shown["logger"] == terminal.address(LOGGER)

    voucher = terminal.folder / "voucher.json"
    terminal.done(PAYER, "voucher sign", *model, "--cumulative", "0.02", "--out", voucher)
    assert terminal.lines(None, "voucher check", voucher) == [
        f"{terminal.address(PAYER)}  good for 0.02 OPEN more"
    ]
    settled = terminal.done(LOGGER, "settle", *model, "--vouchers", voucher)
    assert (settled["chargedGwei"], settled["unsettledGwei"]) == (20_000_000, 10_000_000)
    parts = [int(entry["amountWei"]) for entry in settled["datasets"]]
    assert sum(parts) + int(settled["ownerWei"]) == 20_000_000 * 10**9

    to_second = sum(int(e["amountWei"]) for e in settled["datasets"] if e["dataset"] == 2)
    assert int(terminal.done(5, "claim")["amountWei"]) == to_second == 7 * 10**15
    escrow = terminal.done(None, "escrow", *model, "--payer", terminal.address(PAYER))
    assert (escrow["balanceGwei"], escrow["spentGwei"]) == (1_480_000_000, 20_000_000)

    again = terminal.done(PAYER, "voucher sign", *model, "--cumulative", "0.03")
    both = terminal.file("both.json", [again, again])
    lines = terminal.lines(OWNER, "settle", *model, "--vouchers", both, voucher)
    assert lines[0] == "charged       0.01 OPEN, 0 are left"
    asked = terminal.done(PAYER, "withdraw request", *model)
    assert (asked["requestedGwei"], asked["notAfter"] - asked["notBefore"]) == (
        1_470_000_000,
        86_400,
    )
    code, refusal = terminal.refusal(PAYER, "withdraw execute", *model)
    assert (code, refusal) == (
        1,
        "WithdrawalTooEarly: the withdrawal can be executed from block time "
        f"{asked['notBefore']} on",
    )
    over = terminal.done(PAYER, "voucher sign", *model, "--cumulative", "0.04")
    code, refusal = terminal.refusal(None, "voucher check", terminal.file("over.json", over))
    assert (code, refusal.partition(":")[0]) == (1, "VoucherTooLarge")
    lines = terminal.lines(PAYER, "withdraw request", *model, "--amount", "1.2")
    assert lines[-1].startswith("next: withdraw execute, from 20")
    assert lines[-1].endswith(" UTC on, for 24 hours")
    terminal.done(PAYER, "withdraw request", *model, "--amount", "0")
    terminal.done(OWNER, "model price", *model, "--price", "0.02")
    terminal.done(OWNER, "model payout", *model, "--payout", terminal.address(6))
    terminal.done(OWNER, "dataset payout", "--dataset", 1, "--payout", terminal.address(6))
    terminal.done(OWNER, "model logger", *model, "--address", terminal.address(7))
    terminal.done(OWNER, "model logger", *model, "--abandon")
    assert terminal.done(None, "model show", *model)["logger"] is None

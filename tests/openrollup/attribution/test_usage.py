"""Arguments of the commands: one line says what is wrong with them."""

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrollup.attribution.arguments import dataset_ids, gwei_text, open_gwei, seconds, share
from openrollup.cli import run

KEY = ["--key-file", "k"]
MODEL = ["--model", "0x" + "11" * 32]


@given(st.integers(0, 2**64 - 1))
def test_amounts_there_and_back(gwei: int) -> None:
    assert open_gwei(gwei_text(gwei)) == gwei


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("30d", 2_592_000), ("0", 0)])
def test_durations(text: str, value: int) -> None:
    assert seconds(text) == value


def test_lists_of_datasets() -> None:
    assert (dataset_ids(""), dataset_ids("1,20")) == ((), (1, 20))


@pytest.mark.parametrize("text", ["", "d", "-1", "1.5", "9" * 40, "99999d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        seconds(text)


@pytest.mark.parametrize("text", ["10001", "-1", "x"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="from 0 to 10000"):
        share(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "are required: ACTION"),
        (["dataset"], "are required: ACTION"),
        (["dataset", "register", *KEY], "--content-hash --content-file is required"),
        (["dataset", "register", *KEY, "--content-hash", "0x12"], "expected 32 bytes"),
        (["dataset", "show", "--dataset", "4294967296"], "the number of a dataset from 0 to"),
        (["train", *KEY, *MODEL, "--dataset", "1"], "--run-hash --run-file is required"),
        (["deposit", *KEY, *MODEL, "--amount", "0.0000000001"], "whole gwei"),
        (["deposit", *KEY, *MODEL, "--amount", "20000000000"], "below 18446744073.7"),
        (["deposit", *MODEL, "--amount", "1"], "are required: --key-file"),
        (["withdraw", "request", *KEY, *MODEL, "--amount", "-1"], "OPEN such as 1.5"),
        (["voucher", "sign", *KEY, *MODEL], "are required: --cumulative"),
        (["append", *KEY, *MODEL], "are required: --file"),
        (["append", *KEY, *MODEL, "--file", "f", "--from-seq", "-1"], "from 0 to"),
        (["settle", *KEY, *MODEL], "are required: --vouchers"),
        (["settle", *KEY, *MODEL, "--vouchers", "f", "--datasets", "1;2"], "number of a dataset"),
        (["claim", *KEY, "--to", "me"], "an address"),
        (["claim", *KEY, "--rpc", "here"], "expected http://HOST:PORT"),
    ],
)
def test_bad_usage_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["attribution", *arguments])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_key_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["attribution", "claim", "--key-file", "/nowhere/key"]) == 2
    assert capsys.readouterr().err == "openrollup: /nowhere/key: no such key file\n"


def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["attribution", "model", "show", *MODEL, "--rpc", "http://127.0.0.1:1"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("openrollup: --rpc: http://127.0.0.1:1: Cannot connect")
    assert line.endswith("is a node running there?")

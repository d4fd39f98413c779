import argparse
import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.evm.rules import Interpreter
from openrollup.arguments import (
    ArgumentParser,
    at_least,
    file_path,
    interpreter,
    kept_blocks,
    port,
    seconds,
    url,
)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (seconds, "1", 1),
        (seconds, "3600", 3600),
        (port, "0", 0),
        (port, "65535", 65535),
        (at_least(0), "0", 0),
        (at_least(1), str(2**63 - 1), 2**63 - 1),
        (file_path, "a/b", Path("a/b")),
        (url, "http://localhost:8545", "http://localhost:8545"),
        (url, "https://user:pass@node.example/v3/key", "https://user:pass@node.example/v3/key"),
        (url, "http://[::1]:8545/", "http://[::1]:8545/"),
        (interpreter, "both", Interpreter.BOTH),
        (kept_blocks, "full", None),
        (kept_blocks, "64", 64),
    ],
)
def test_good_values(read: object, text: str, value: object) -> None:
    assert callable(read)
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (seconds, "0", "expected whole seconds from 1 to 3600, got '0'"),
        (seconds, "3601", "expected whole seconds"),
        (kept_blocks, "63", "expected full or a number of blocks from 64 on, got '63'"),
        (kept_blocks, "all", "expected full or a number"),
        (interpreter, "slow", "expected fast, reference or both, got 'slow'"),
        (seconds, "1.5", "expected whole seconds"),
        (seconds, "-1", "expected whole seconds"),
        (seconds, "", "expected whole seconds"),
        (seconds, "\u0663", "expected whole seconds"),
        (port, "65536", "expected a port from 0 to 65535, got '65536'"),
        (port, "http", "expected a port"),
        (at_least(1), "0", "expected a whole number from 1"),
        (at_least(0), "-5", "expected a whole number from 0"),
        (at_least(0), "0x10", "expected a whole number from 0"),
        (at_least(0), str(2**63), "expected a whole number from 0"),
        (file_path, "", "expected a path"),
        (file_path, "a\0b", "expected a path"),
        (url, "localhost:8545", "expected http://HOST:PORT or https://HOST, got 'localhost:8545'"),
        (url, "ws://localhost:8545", "expected http"),
        (url, "http://", "expected http"),
        (url, "http://host:99999", "expected http"),
        (url, "http://[::1", "expected http"),
        (url, "", "expected http"),
    ],
)
def test_bad_values(read: object, text: str, expected: str) -> None:
    assert callable(read)
    with pytest.raises(argparse.ArgumentTypeError, match="^" + expected.replace("(", r"\(")):
        read(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (seconds, port, at_least(0), file_path, url):
        with contextlib.suppress(argparse.ArgumentTypeError, ValueError):  # argparse tells both
            read(text)


def test_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser(prog="openrollup dev")
    parser.add_argument("--port", type=port)
    for arguments in (["--port", "a\nb"], ["--prot", "1"], ["--por", "1"], ["left", "over"]):
        with pytest.raises(SystemExit) as ended:
            parser.parse_args(arguments)
        assert ended.value.code == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert error.startswith("openrollup: ")
        assert error.endswith(" (see openrollup dev --help)\n")

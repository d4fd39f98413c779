import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from openrollup.logging import JsonFormatter, TextFormatter, configure_logging


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def record(
    message: str, *args: object, error: Exception | None = None, **extra: object
) -> logging.LogRecord:
    return logging.makeLogRecord(
        {
            "name": "consensus.driver",
            "levelno": logging.WARNING,
            "levelname": "WARNING",
            "msg": message,
            "args": args,
            "created": 1_700_000_000.25,
            "exc_info": None if error is None else (type(error), error, None),
            **extra,
        }
    )


def test_text() -> None:
    line = TextFormatter().format(record("block %d was lost", 5, height=7, l1="http://x"))
    assert line == "22:13:20 WARNING consensus.driver: block 5 was lost height=7 l1=http://x"


def test_text_wipes_the_status_line_on_a_terminal() -> None:
    line = TextFormatter(over_status_line=True).format(record("hello"))
    assert line == "\r\x1b[2K22:13:20 WARNING consensus.driver: hello"


def test_what_others_sent_cannot_look_like_our_lines() -> None:
    hostile = "no\n22:13:21 INFO    node: all is well\x1b[2J\x7f\x9b"
    line = TextFormatter().format(record("L1 says %s", hostile, also="a\rb"))
    assert "\n" not in line
    assert "\x1b" not in line
    assert r"no\x0a22:13:21 INFO    node: all is well\x1b[2J\x7f\x9b also=a\x0db" in line


def test_text_with_an_exception() -> None:
    line = TextFormatter().format(record("it failed", error=ValueError("why")))
    assert line.splitlines() == [
        "22:13:20 WARNING consensus.driver: it failed",
        "ValueError: why",
    ]


def test_json() -> None:
    line = JsonFormatter().format(record("block %d\nwas lost", 5, height=7, hash=b"\x01"))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2023-11-14T22:13:20.250000+00:00",
        "level": "warning",
        "logger": "consensus.driver",
        "message": "block 5\nwas lost",
        "height": 7,
        "hash": "b'\\x01'",
    }


def test_json_with_an_exception() -> None:
    entry = json.loads(JsonFormatter().format(record("it failed", error=ValueError("why"))))
    assert entry["exception"] == "ValueError: why"


def test_json_of_what_orjson_refuses() -> None:
    entry = json.loads(JsonFormatter().format(record("odd", supply=2**90, text="\ud800")))
    assert entry["supply"] == 2**90
    assert entry["text"] == "\ud800"


def test_extra_fields_cannot_hide_the_standard_ones() -> None:
    entry = json.loads(JsonFormatter().format(record("real", level="none", time="never")))
    assert entry["level"] == "warning"
    assert entry["time"].startswith("2023-")


@pytest.mark.parametrize("as_json", [False, True])
def test_everything_goes_to_standard_error(monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    configure_logging(json=as_json)
    logging.getLogger("node").info("one")
    logging.getLogger("asyncio").info("chatter")
    logging.getLogger("asyncio").warning("two")
    logging.getLogger("node").debug("detail")
    lines = out.getvalue().splitlines()
    assert len(lines) == 2
    if as_json:
        assert [json.loads(line)["message"] for line in lines] == ["one", "two"]
    else:
        assert lines[0].endswith("INFO    node: one")

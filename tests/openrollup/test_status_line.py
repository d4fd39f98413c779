import io
import json

import pytest

from openrollup.status_line import Status, StatusLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def status(unsafe: int, **more: int) -> Status:
    fields = {"l1": 5, "safe": 3, "finalized": 2, "proposed": 0, "verified": 3, "pending": 0}
    return Status(unsafe=unsafe, **{**fields, **more})


TEXT = (
    "L2 unsafe 9  safe 3  finalized 2  proposed 0  |  verifier agrees to 3  |  L1 5  |  0 pending"
)


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_a_terminal_s_line_is_rewritten_when_something_changed() -> None:
    out = Terminal()
    line = StatusLine(json=False, out=out)
    line.show(status(9))
    assert out.getvalue() == f"\r\x1b[2K{TEXT}"
    line.show(status(9))
    assert out.getvalue() == f"\r\x1b[2K{TEXT}"
    line.show(status(9, pending=1))
    assert out.getvalue().endswith("\r\x1b[2K" + TEXT.replace("0 pending", "1 pending"))
    line.close()
    assert out.getvalue().endswith("1 pending\n")
    assert out.getvalue().count("\n") == 1


def test_a_line_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    out = Terminal()
    StatusLine(json=False, out=out).show(status(9))
    assert out.getvalue() == f"\r\x1b[2K{TEXT[:19]}"


def test_elsewhere_a_line_comes_now_and_then() -> None:
    out = io.StringIO()
    line = StatusLine(json=False, out=out, every=10)
    for unsafe in (9, 10, 18, 19, 28, 29, 5):
        line.show(status(unsafe))
    line.close()
    shown = [int(text.split()[2]) for text in out.getvalue().splitlines()]
    assert shown == [9, 19, 29, 5]  # a chain that was taken back is news as well


@pytest.mark.parametrize("out", [io.StringIO, Terminal])
def test_json_is_a_line_for_each_change(out: type[io.StringIO]) -> None:
    written = out()
    line = StatusLine(json=True, out=written)
    for unsafe in (9, 9, 10):
        line.show(status(unsafe))
    line.close()
    events = [json.loads(text) for text in written.getvalue().splitlines()]
    assert [event["unsafe"] for event in events] == [9, 10]
    assert events[0] == {
        "event": "status",
        "l1": 5,
        "unsafe": 9,
        "proposed": 0,
        "safe": 3,
        "finalized": 2,
        "verified": 3,
        "pending": 0,
    }


def test_nothing_shown_leaves_nothing() -> None:
    out = Terminal()
    StatusLine(json=False, out=out).close()
    assert out.getvalue() == ""

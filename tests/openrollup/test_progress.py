import io

from openrollup.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal_which_leaves_an_empty_line() -> None:
    out = Terminal()
    with Progress("replay", 4, out, interval_s=0) as progress:
        progress.show(1)
        progress.show(4)
    bars = out.getvalue().split("\r\x1b[2K")
    assert bars == ["", f"replay [{'#' * 7}{'.' * 23}] 1/4", f"replay [{'#' * 30}] 4/4", ""]


def test_lines_elsewhere() -> None:
    out = io.StringIO()
    with Progress("export", 2, out, interval_s=0) as progress:
        progress.show(1)
        progress.show(2)
    assert out.getvalue().splitlines() == [
        f"export [{'#' * 15}{'.' * 15}] 1/2",
        f"export [{'#' * 30}] 2/2",
    ]


def test_a_counter_if_the_end_is_not_known() -> None:
    out = io.StringIO()
    with Progress("import", None, out, interval_s=0) as progress:
        progress.show(7)
    assert out.getvalue() == "import 7 blocks\n"


def test_quick_work_shows_nothing() -> None:
    out = io.StringIO()
    with Progress("import", None, out, interval_s=3600) as progress:
        for done in range(1000):
            progress.show(done)
    assert out.getvalue() == ""


def test_no_blocks_at_all() -> None:
    out = io.StringIO()
    with Progress("replay", 0, out, interval_s=0) as progress:
        progress.show(0)
    assert out.getvalue() == f"replay [{'.' * 30}] 0/0\n"

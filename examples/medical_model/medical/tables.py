"""What the story prints."""

from collections.abc import Sequence

WEI_PER_OPEN = 10**18


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; what is not text stands to the right."""
    texts = [[str(cell) if isinstance(cell, str) else f"{cell:,}" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *texts, strict=True)]
    right = [rows and not isinstance(cell, str) for cell in (rows[0] if rows else head)]

    def line(cells: Sequence[str]) -> str:
        parts = zip(cells, widths, right, strict=True)
        return (
            "  "
            + "  ".join(
                cell.rjust(width) if is_right else cell.ljust(width)
                for cell, width, is_right in parts
            ).rstrip()
        )

    return "\n".join(map(line, [head, ["-" * width for width in widths], *texts]))


def open_of(wei: int) -> str:
    """Return an amount of wei in OPEN.

    >>> open_of(1_250_000_000_000_000_000)
    '1.250000 OPEN'
    """
    return f"{wei / WEI_PER_OPEN:.6f} OPEN"


def percent(points: float) -> str:
    """Return basis points in per cent."""
    return f"{points / 100:.2f} %"


def chapter(number: int, title: str) -> None:
    """Print a heading."""
    print(f"\n{number}. {title}\n", flush=True)

"""What a step says when it is done: for people, or as one object of JSON."""

import sys
from collections.abc import Sequence

import orjson

JsonResult = dict[str, object]


def show(result: JsonResult, lines: Sequence[str], *, json: bool) -> None:
    """Print the outcome to standard output."""
    text = orjson.dumps(result).decode() if json else "\n".join(lines)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

"""Two interpreters, one message: finding the first thing in which they differ."""

from collections.abc import Mapping
from typing import Any

from node.errors import CriticalError


def check_equal(
    expected: Any, actual: Any, expected_effects: Mapping[Any, Any], effects: Mapping[Any, Any]
) -> None:
    """Compare two outcomes and their effects on the world; CriticalError names a difference."""
    for field in type(expected).__slots__:
        _check(field, getattr(expected, field), getattr(actual, field))
    for key in sorted(expected_effects.keys() | effects.keys(), key=repr):
        _check(_text(key), expected_effects.get(key), effects.get(key))


def _check(field: str, expected: object, actual: object) -> None:
    if expected != actual:
        raise CriticalError(
            f"the interpreters differ: {field}: the reference has {_text(expected)}, "
            f"the fast one {_text(actual)}"
        )


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return "(" + ", ".join(_text(item) for item in value) + ")"
    return str(value)

"""Parameters of methods that answer in pages or take amounts of dollars."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from node.attribution_entries import Place
from node.errors import DecodingError
from node.types.primitives import BlockNumber
from rpc.encoding.hexadecimal import Json, describe, parse_fixed, parse_quantity
from rpc.params import block_count

MAX_RECEIPTS = 1_000
MAX_ENTRIES = 100
_MAX_DIGITS = 30


def cursor(value: Json) -> Place:
    """Read where a page ended: 16 bytes, as the page before said."""
    raw = parse_fixed(value, 16, "a cursor")
    number = int.from_bytes
    return Place(
        BlockNumber(number(raw[:8], "big")), number(raw[8:12], "big"), number(raw[12:], "big")
    )


def dataset_id(value: Json) -> int:
    """Read a dataset's id, a QUANTITY of 32 bits."""
    return parse_quantity(value, 32)


def _limit_up_to(most: int) -> Callable[[Json], int]:

    def limit(value: Json) -> int:
        number = block_count(value)
        if not 1 <= number <= most:
            raise DecodingError(f"limit: expected 1 to {most}, got {number}")
        return number

    return limit


receipt_limit = _limit_up_to(MAX_RECEIPTS)
"""Reads how many receipts a page has."""
entry_limit = _limit_up_to(MAX_ENTRIES)
"""Reads how many entries a page of anything else has."""


def dollars(value: Json) -> Fraction:
    """Read an amount of dollars above 0: a decimal string, or a number."""
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        raise DecodingError(f"expected dollars as a decimal string, got {describe(value)}")
    whole, _, part = text.partition(".")
    digits = whole + part
    if not (digits.isascii() and digits.isdecimal() and whole and len(text) <= _MAX_DIGITS):
        raise DecodingError(f'expected dollars as a decimal like "0.01", got {text!r:.40}')
    amount = Fraction(Decimal(text))
    if not amount:
        raise DecodingError("expected dollars above 0")
    return amount


def dollar_range(value: Json) -> tuple[Fraction, Fraction]:
    """Read a range of dollars: an array of the lower and the upper end, or one amount for both."""
    if not isinstance(value, list):
        amount = dollars(value)
        return amount, amount
    if len(value) != 2:
        raise DecodingError(f"expected a lower and an upper end, got {len(value)} items")
    low, high = dollars(value[0]), dollars(value[1])
    if low > high:
        raise DecodingError("expected the lower end first")
    return low, high

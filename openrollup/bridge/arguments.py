"""How the bridge's arguments are read."""

import argparse
import re

from node.types.primitives import (
    UINT64_MAX,
    Address,
    Hash32,
    checksum_address,
    hex_address,
    hex_hash,
)

_DECIMALS = 18
_AMOUNT = re.compile(r"([0-9]{1,60})(?:\.([0-9]{1,18}))?")


def amount(text: str) -> int:
    """Read an amount of OPEN, such as 1.5, in units of 10**-18."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"expected OPEN such as 1.5 (at most {_DECIMALS} decimals), got {text!r:.80}"
        )
    whole, fraction = match.groups()
    return int(whole + (fraction or "").ljust(_DECIMALS, "0"))


def open_text(value: int) -> str:
    """Write an amount as `amount` reads it."""
    whole, fraction = divmod(value, 10**_DECIMALS)
    digits = f"{fraction:0{_DECIMALS}}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def address(text: str) -> Address:
    """Read an address; if it has capitals and small letters, they must be EIP-55's."""
    try:
        found = hex_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"expected an address: {error}, got {text!r:.80}"
        ) from None
    digits = text.removeprefix("0x")
    is_mixed = digits not in (digits.lower(), digits.upper())
    if is_mixed and digits != checksum_address(found)[2:]:
        raise argparse.ArgumentTypeError(
            f"{text}: the capitals do not fit (EIP-55): a typing error?"
        )
    return found


def transaction_hash(text: str) -> Hash32:
    """Read a transaction's hash."""
    try:
        return hex_hash(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"expected a transaction's hash: {error}, got {text!r:.80}"
        ) from None


def gas(text: str) -> int:
    """Read a gas limit."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 20 or int(text) > UINT64_MAX:
        raise argparse.ArgumentTypeError(f"expected gas from 0 to 2**64 - 1, got {text!r:.80}")
    return int(text)


def hex_data(text: str) -> bytes:
    """Read bytes of hexadecimal, with 0x."""
    try:
        if not text.startswith("0x") or " " in text:
            raise ValueError
        return bytes.fromhex(text[2:])
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected hexadecimal data such as 0x1234, got {text!r:.80}"
        ) from None

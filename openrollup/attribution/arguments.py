"""How the arguments of attribution's commands are read. Money is in OPEN, in whole gwei of it."""

import argparse

from node.types.primitives import UINT64_MAX, Hash32, hex_hash
from openrollup.bridge.arguments import amount, open_text

GWEI = 10**9
_FULL_BPS = 10_000
_LAST_DATASET = 2**32 - 1


def open_gwei(text: str) -> int:
    """Read an amount of OPEN, such as 0.01, as gwei."""
    gwei, rest = divmod(amount(text), GWEI)
    if rest or gwei > UINT64_MAX:
        raise argparse.ArgumentTypeError(
            f"expected OPEN with at most 9 decimals (whole gwei), below 18446744073.7, got {text!r}"
        )
    return gwei


def gwei_text(gwei: int) -> str:
    """Write gwei as OPEN."""
    return open_text(gwei * GWEI)


def digest(text: str) -> Hash32:
    """Read a hash of 32 bytes."""
    try:
        return hex_hash(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"expected 32 bytes such as 0x12...: {error}, got {text!r:.80}"
        ) from None


def share(text: str) -> int:
    """Read basis points."""
    return _number(text, "basis points", 0, _FULL_BPS)


def dataset_id(text: str) -> int:
    """Read the number of a dataset."""
    return _number(text, "the number of a dataset", 0, _LAST_DATASET)


def dataset_ids(text: str) -> tuple[int, ...]:
    """Read numbers of datasets, with commas between."""
    return tuple(map(dataset_id, text.split(","))) if text else ()


def seconds(text: str) -> int:
    """Read a duration in seconds, or in days such as 30d."""
    if text.endswith("d"):
        return _number(text[:-1], "days", 0, 36_500) * 86_400
    return _number(text, "seconds, or days such as 30d", 0, 36_500 * 86_400)


def _number(text: str, what: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal()) or not least <= int(text[:20]) <= most:
        raise argparse.ArgumentTypeError(
            f"expected {what} from {least} to {most}, got {text!r:.80}"
        )
    return int(text)

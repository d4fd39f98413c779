"""Trie paths: strings of hexadecimal digits, and their compact encoding inside nodes.

Compact ("hex prefix") encoding is appendix C of the yellow paper: a first digit that says leaf (2)
or extension (0) and odd (+1), a zero digit to pad even paths, and then the path.
"""

from node.errors import DecodingError

_IS_LEAF = {"0": False, "1": False, "2": True, "3": True}


def compact(path: str, is_leaf: bool) -> bytes:
    """Return the compact encoding of a path."""
    if len(path) & 1:
        return bytes.fromhex(("3" if is_leaf else "1") + path)
    return bytes.fromhex(("20" if is_leaf else "00") + path)


def parse_compact(raw: bytes) -> tuple[str, bool]:
    """Return (path, is leaf) of a compact encoding; DecodingError if it is malformed."""
    digits = raw.hex()
    is_leaf = _IS_LEAF.get(digits[:1])
    if is_leaf is None:
        raise DecodingError(f"trie path: expected a first digit of 0 to 3, got 0x{digits[:2]}")
    if digits[0] in "13":
        return digits[1:], is_leaf
    if digits[1] != "0":
        raise DecodingError(f"trie path: expected zero padding, got 0x{digits[:2]}")
    return digits[2:], is_leaf

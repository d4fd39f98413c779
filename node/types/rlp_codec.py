"""RLP for hostile input: strict, canonical, with bounded nesting.

The native decoder recurses without a limit and takes the process down on deeply nested lists, so
everything that comes from outside is decoded here. Encoding is native. Tested against `rlp`.
"""

from collections.abc import Sequence
from typing import TypeAlias

from rusty_rlp import encode_raw as _encode_raw

from node.errors import DecodingError

RlpItem: TypeAlias = "bytes | Sequence[RlpItem]"
Decoded: TypeAlias = "bytes | list[Decoded]"

MAX_DEPTH = 16


def encode(item: RlpItem) -> bytes:
    """Encode bytes or nested sequences of bytes."""
    encoded: bytes = _encode_raw(item)
    return encoded


def encode_uint(value: int) -> bytes:
    """Return the big-endian payload of an integer: no leading zeros, empty for zero."""
    return value.to_bytes((value.bit_length() + 7) >> 3, "big")


def decode(data: bytes, max_depth: int = MAX_DEPTH) -> Decoded:
    """Decode exactly one item that fills `data`; DecodingError for anything else."""
    item, end = decode_prefix(data, 0, max_depth)
    if end != len(data):
        raise DecodingError(f"RLP: {len(data) - end} bytes after the item")
    return item


def decode_prefix(data: bytes, start: int, max_depth: int = MAX_DEPTH) -> tuple[Decoded, int]:
    """Decode the item at `start`; return it and the offset behind it."""
    is_list, begin, end = item_span(data, start, len(data))
    if not is_list:
        return data[begin:end], end
    return _decode_list(data, begin, end, max_depth), end


def _decode_list(data: bytes, start: int, end: int, depth: int) -> list[Decoded]:
    if depth <= 0:
        raise DecodingError("RLP: lists are nested too deeply")
    items: list[Decoded] = []
    while start < end:
        prefix = data[start]
        if 0x81 < prefix < 0xB8 or prefix == 0x80:  # most items: strings whose size is all to check
            stop = start + prefix - 0x7F
            if stop <= end:
                items.append(data[start + 1 : stop])
                start = stop
                continue
        is_list, begin, stop = item_span(data, start, end)
        if is_list:
            items.append(_decode_list(data, begin, stop, depth - 1))
        else:
            items.append(data[begin:stop])
        start = stop
    return items


def item_span(data: bytes, start: int, limit: int) -> tuple[bool, int, int]:
    """Return (is a list, payload start, payload end) of the item at `start`, within `limit`."""
    if start >= limit:
        raise DecodingError("RLP: input ends where an item should start")
    prefix = data[start]
    if prefix < 0x80:
        return False, start, start + 1
    is_list = prefix >= 0xC0
    short = prefix - (0xC0 if is_list else 0x80)
    if short < 56:
        begin, size = start + 1, short
        if not is_list and size == 1 and begin < limit and data[begin] < 0x80:
            raise DecodingError("RLP: a single byte below 0x80 has a length prefix")
    else:
        begin = start + 1 + short - 55
        if begin > limit:
            raise DecodingError("RLP: input ends inside a length")
        size = int.from_bytes(data[start + 1 : begin], "big")
        if data[start + 1] == 0 or size < 56:
            raise DecodingError("RLP: a length is not in its shortest form")
    if begin + size > limit:
        raise DecodingError(f"RLP: an item of {size} bytes, {max(0, limit - begin)} are left")
    return is_list, begin, begin + size


def as_bytes(item: Decoded, name: str, size: int | None = None) -> bytes:
    """Check that an item is a byte string, of exactly `size` bytes if given."""
    if not isinstance(item, bytes):
        raise DecodingError(f"{name}: expected bytes, got a list")
    if size is not None and len(item) != size:
        raise DecodingError(f"{name}: expected {size} bytes, got {len(item)}")
    return item


def as_uint(item: Decoded, name: str, bits: int = 256) -> int:
    """Check that an item is a canonical unsigned integer of at most `bits` bits."""
    if not isinstance(item, bytes):
        raise DecodingError(f"{name}: expected bytes, got a list")
    if item and not item[0]:
        raise DecodingError(f"{name}: an integer has leading zeros")
    if len(item) * 8 > bits:
        raise DecodingError(f"{name}: expected at most {bits} bits, got {len(item)} bytes")
    return int.from_bytes(item, "big")


def as_list(item: Decoded, name: str, length: int | None = None) -> list[Decoded]:
    """Check that an item is a list, of exactly `length` items if given."""
    if not isinstance(item, list):
        raise DecodingError(f"{name}: expected a list, got bytes")
    if length is not None and len(item) != length:
        raise DecodingError(f"{name}: expected {length} items, got {len(item)}")
    return item

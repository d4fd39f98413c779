"""Data in EIP-4844 blobs: 127 bytes in each four field elements.

Source: specs/protocol/ecotone/derivation, "Blob Encoding". A field element of 32 bytes holds 254
bits safely: 31 bytes, and 6 bits in its first byte. Four elements take the bytes A x B y C z D,
where capitals are runs of 31 bytes and the bits of x, y and z lie in the four first bytes. All
1,024 groups of a blob are packed at once, position by position.
"""

from typing import Final

from node.errors import DecodingError, InvalidInput

BLOB_SIZE: Final = 131_072
MAX_BLOB_DATA: Final = 130_044
"""The most bytes of data in one blob."""

_VERSION: Final = 0
_HEADER_SIZE: Final = 4
_GROUPS: Final = 1024
_GROUP_SIZE, _PACKED_SIZE = 128, 127
_X, _Y, _Z = 31, 63, 95  # where the spare bytes are in a group's 127
_RUNS: Final = [place for place in range(_PACKED_SIZE) if place not in (_X, _Y, _Z)]
"""Where the bytes of the runs are in a group's 127; in its 128 each is one place further."""


def _every_byte(value: int) -> int:
    return int.from_bytes(bytes([value]) * _GROUPS, "big")


_LOW_4, _LOW_6 = _every_byte(0x0F), _every_byte(0x3F)
_BITS_4_5, _TOP_2 = _every_byte(0x30), _every_byte(0xC0)
_FIRST_TOP_2: Final = 0xC0 << 8 * (_GROUPS - 1)


def encode_blob(data: bytes) -> bytes:
    """Pack up to MAX_BLOB_DATA bytes into a blob; InvalidInput for more."""
    if len(data) > MAX_BLOB_DATA:
        raise InvalidInput(f"blob: expected at most {MAX_BLOB_DATA} bytes, got {len(data)}")
    header = bytes([_VERSION]) + len(data).to_bytes(3, "big")
    stream = (header + data).ljust(_GROUPS * _PACKED_SIZE, b"\0")
    x, y, z = (int.from_bytes(stream[place::_PACKED_SIZE], "big") for place in (_X, _Y, _Z))
    first_bytes = (
        x & _LOW_6,
        (y & _LOW_4) | ((x >> 2) & _BITS_4_5),
        z & _LOW_6,
        ((z >> 2) & _BITS_4_5) | ((y >> 4) & _LOW_4),
    )
    blob = bytearray(BLOB_SIZE)
    for element, bits in enumerate(first_bytes):
        blob[32 * element :: _GROUP_SIZE] = bits.to_bytes(_GROUPS, "big")
    for place in _RUNS:
        blob[place + 1 :: _GROUP_SIZE] = stream[place::_PACKED_SIZE]
    return bytes(blob)


def decode_blob(blob: bytes) -> bytes:
    """Return the data of a blob; DecodingError if it is not what `encode_blob` makes.

    Only the two top bits of the first element are read past, as the reference implementations do.
    """
    if len(blob) != BLOB_SIZE:
        raise DecodingError(f"blob: expected {BLOB_SIZE} bytes, got {len(blob)}")
    if blob[1] != _VERSION:
        raise DecodingError(f"blob: expected encoding version {_VERSION}, got {blob[1]}")
    size = int.from_bytes(blob[2:5], "big")
    if size > MAX_BLOB_DATA:
        raise DecodingError(f"blob: expected at most {MAX_BLOB_DATA} bytes, it claims {size}")
    a, b, c, d = (int.from_bytes(blob[32 * e :: _GROUP_SIZE], "big") for e in range(4))
    a &= ~_FIRST_TOP_2
    if (a | b | c | d) & _TOP_2:
        raise DecodingError("blob: expected field elements of 254 bits")
    stream = bytearray(_GROUPS * _PACKED_SIZE)
    spare_bytes = (
        (_X, a | ((b & _BITS_4_5) << 2)),
        (_Y, (b & _LOW_4) | ((d & _LOW_4) << 4)),
        (_Z, c | ((d & _BITS_4_5) << 2)),
    )
    for place, bits in spare_bytes:
        stream[place::_PACKED_SIZE] = bits.to_bytes(_GROUPS, "big")
    for place in _RUNS:
        stream[place::_PACKED_SIZE] = blob[place + 1 :: _GROUP_SIZE]
    end = _HEADER_SIZE + size
    if any(stream[end:]):
        raise DecodingError(f"blob: expected zeros behind its {size} bytes of data")
    return bytes(stream[_HEADER_SIZE:end])

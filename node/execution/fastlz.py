"""The length that FastLZ compression would give: the size estimate of the L1 data fee since Fjord.

Consensus depends on every quirk of the reference (op-geth's `FlzCompressLen`, after Solady's
JavaScript): matches are looked up by a hash of three bytes, 8,191 bytes back at most, and counted
one byte past the first difference.
"""

from array import array
from functools import lru_cache
from struct import unpack

_HASH_MULTIPLIER = 2654435769
_HASH_MASK = 0x1FFF
_WINDOW = 0x1FFF
_TAIL = 13
"""The last bytes of the input, where no match may start."""
_STRIDE = 32
"""How many bytes of a match are compared at once."""
_SMALL = 2_048
"""Up to this size many inputs are remembered, above it few: they stay in memory meanwhile."""


def fastlz_length(data: bytes) -> int:
    """Return how many bytes `data` would take; remembered, as each use asks for it again."""
    return _small(data) if len(data) <= _SMALL else _large(data)


def _length(data: bytes) -> int:
    size = len(data)
    limit = max(size - _TAIL, 0)
    total = anchor = 0
    words, slots = _words_and_slots(data)
    last_seen = array("I", bytes(4 * (_HASH_MASK + 1)))
    position = 2
    while position < limit:
        reference = -1
        for candidate in range(position, limit):
            slot = slots[candidate]
            reference = last_seen[slot]
            last_seen[slot] = candidate
            if words[candidate] == words[reference] and candidate - reference <= _WINDOW:
                break
        else:
            break
        # The search stops one step early: a match found at the very last place does not count.
        if candidate + 1 >= limit:
            break
        total += _literals(candidate - anchor)
        length = _match_length(data, reference + 3, candidate + 3, limit + 9)
        total += _match_cost(length)
        position = candidate + length
        for skipped in (position, position + 1):
            last_seen[slots[skipped]] = skipped
        position += 2
        anchor = position
    return total + _literals(size - anchor)


def _words_and_slots(data: bytes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the three bytes from each place on as a little-endian word, and the hash of each.

    All are computed at once, as lanes of 64 bits in one integer: no product reaches the next lane.
    """
    count = max(len(data) - 2, 0)
    lanes = bytearray(8 * count)
    for place in range(3):
        lanes[place::8] = data[place : place + count]
    product = _HASH_MULTIPLIER * int.from_bytes(lanes, "little")
    mask = int.from_bytes(_HASH_MASK.to_bytes(8, "little") * count, "little")
    hashes = product >> 19 & mask
    layout = f"<{count}Q"
    return unpack(layout, lanes), unpack(layout, hashes.to_bytes(8 * count, "little"))


def _literals(count: int) -> int:
    """Bytes that a run of literals takes: a length byte for each 32."""
    runs, rest = divmod(count, 32)
    return 33 * runs + (rest + 1 if rest else 0)


def _match_length(data: bytes, left: int, right: int, end: int) -> int:
    """How far both places agree, plus one if they differ before `end`."""
    first = right
    gap = right - left
    while right + _STRIDE <= end and (
        data[right : right + _STRIDE] == data[right - gap : right - gap + _STRIDE]
    ):
        right += _STRIDE
    for place in range(right, end):
        if data[place] != data[place - gap]:
            return place + 1 - first
    return end - first


def _match_cost(length: int) -> int:
    full, rest = divmod(length - 1, 262)
    return 3 * full + (3 if rest >= 6 else 2)


_small = lru_cache(maxsize=8_192)(_length)
_large = lru_cache(maxsize=128)(_length)

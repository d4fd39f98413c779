"""The length that FastLZ compression would give: the size estimate of the L1 data fee since Fjord.

Consensus depends on every quirk of the reference (op-geth's `FlzCompressLen`, after Solady's
JavaScript): matches are looked up by a hash of three bytes, 8,191 bytes back at most, and counted
one byte past the first difference.
"""

import threading
from struct import unpack

_HASH_MULTIPLIER = 2654435769
_SLOTS = 0x2000
_WINDOW = 0x1FFF
_TAIL = 13
"""The last bytes of the input, where no match may start."""
_STRIDE = 8
"""How many bytes of a match are compared at once."""
_LONGEST = 262
"""A match of more bytes is written as several."""
_LANE = 7
"""Bytes that three bytes times the multiplier fit into."""
_LOW_FIVE_BITS = bytes(value & 0x1F for value in range(256))
_PLACES = 2**29
"""Numbers above are slower."""


class _LastSeen(threading.local):
    """For each hash the place where it was last seen, in one table for all inputs of a thread.

    A table takes longer to make than a short input to count. So places go on from one input to
    the next, and whatever lies before the beginning of an input belongs to those before it.
    """

    def __init__(self) -> None:
        self.table = [-1] * _SLOTS
        self.end = 0

    def begin(self, size: int) -> int:
        """Return the place of an input's first byte, and reserve all of its places."""
        if self.end + size > _PLACES:
            self.table = [-1] * _SLOTS
            self.end = 0
        begin = self.end
        self.end += size
        return begin


_last_seen = _LastSeen()


def fastlz_length(data: bytes) -> int:
    """Return how many bytes `data` would take."""
    size = len(data)
    limit = size - _TAIL
    if limit <= 0:
        return _literals_cost(size)
    slots = _slots(data)
    begin = _last_seen.begin(size)
    last_seen = _last_seen.table
    last_seen[slots[0]] = begin  # in the reference, all that was not seen was seen here
    total = anchor = 0
    position = 2
    while position < limit:
        for candidate in range(position, limit):
            slot = slots[candidate]
            place = last_seen[slot]
            last_seen[slot] = begin + candidate
            if (
                place >= begin
                and data[place - begin] == data[candidate]  # most places of one hash differ here
                and _is_match(data, place - begin, candidate)
            ):
                break
        else:
            break
        # The search stops one step early: a match found at the very last place does not count.
        if candidate + 1 == limit:
            break
        length = _match_length(data, place - begin + 3, candidate + 3, limit + 9)
        total += _literals_cost(candidate - anchor) + _match_cost(length)
        position = candidate + length
        last_seen[slots[position]] = begin + position
        last_seen[slots[position + 1]] = begin + position + 1
        position += 2
        anchor = position
    return total + _literals_cost(size - anchor)


def _slots(data: bytes) -> tuple[int, ...]:
    """Return the hash of the three bytes from each place on.

    All are computed at once, as lanes of one integer: no product reaches the next lane.
    """
    count = len(data) - 2
    lanes = bytearray(_LANE * count)
    for place in range(3):
        lanes[place::_LANE] = data[place : place + count]
    products = _HASH_MULTIPLIER * int.from_bytes(lanes, "little")
    # A hash is bits 19 to 31 of its product: now bits 16 to 28, most of two whole bytes.
    shifted = (products >> 3).to_bytes(_LANE * count, "little")
    hashes = bytearray(2 * count)
    hashes[::2] = shifted[2::_LANE]
    hashes[1::2] = shifted[3::_LANE].translate(_LOW_FIVE_BITS)
    return unpack(f"<{count}H", hashes)


def _is_match(data: bytes, left: int, right: int) -> bool:
    """Whether three bytes agree, and near enough."""
    return data[left : left + 3] == data[right : right + 3] and right - left <= _WINDOW


def _match_length(data: bytes, left: int, right: int, end: int) -> int:
    """How far both places agree, plus one if they differ before `end`."""
    first, gap = right, right - left
    while right < end and data[right] == data[right - gap]:
        right += 1
        while (
            right % _STRIDE == 0
            and right + _STRIDE <= end
            and (data[right : right + _STRIDE] == data[right - gap : right - gap + _STRIDE])
        ):
            right += _STRIDE
    return right - first + (right < end)


def _literals_cost(count: int) -> int:
    """Bytes that a run of literals takes: a length byte for each 32."""
    return count + (count + 31) // 32


def _match_cost(length: int) -> int:
    full, rest = divmod(length - 1, _LONGEST)
    return 3 * full + (3 if rest >= 6 else 2)

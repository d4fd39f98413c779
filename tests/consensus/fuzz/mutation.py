"""Small changes to bytes and numbers, drawn from a seeded source."""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

_INTERESTING = (0, 1, 2, 3, 4, 5, 0x7E, 0x7F, 0x80, 0xB7, 0xB8, 0xBF, 0xC0, 0xF7, 0xF8, 0xFF)
_EDGES = (0, 1, 2, 23, 255, 256, 2**16 - 1, 10**6, 10**6 + 1, 10**7, 10**7 + 1, 2**32, 2**64 - 1)


def changed_bytes(choice: random.Random, data: bytes) -> bytes:
    """Change, insert, remove, repeat or cut off something in a byte string."""
    raw = bytearray(data)
    for _ in range(choice.choice((1, 1, 1, 2, 4))):
        choice.choice(_BYTE_CHANGES)(choice, raw)
    return bytes(raw)


def changed_number(choice: random.Random, number: int, bits: int = 64) -> int:
    """Return a number near `number`, or one where something ends."""
    kind = choice.randrange(4)
    if kind == 0:
        number += choice.choice((-1, 1))
    elif kind == 1:
        number += choice.randrange(-20, 21)
    elif kind == 2:
        number = choice.choice(_EDGES)
    else:
        number ^= 1 << choice.randrange(bits)
    return number % (1 << bits)


def changed_order(choice: random.Random, items: Sequence[T]) -> list[T]:
    """Lose, double, swap or shuffle items."""
    found = list(items)
    kind = choice.randrange(5)
    if not found:
        return found
    place = choice.randrange(len(found))
    if kind == 0:
        del found[place]
    elif kind == 1:
        found.insert(choice.randrange(len(found) + 1), found[place])
    elif kind == 2:
        other = choice.randrange(len(found))
        found[place], found[other] = found[other], found[place]
    elif kind == 3:
        choice.shuffle(found)
    else:
        del found[place:]
    return found


def _flip(choice: random.Random, raw: bytearray) -> None:
    if raw:
        raw[choice.randrange(len(raw))] ^= 1 << choice.randrange(8)


def _set(choice: random.Random, raw: bytearray) -> None:
    if raw:
        raw[choice.randrange(len(raw))] = choice.choice(_INTERESTING)


def _insert(choice: random.Random, raw: bytearray) -> None:
    place = choice.randrange(len(raw) + 1)
    raw[place:place] = choice.randbytes(choice.choice((1, 1, 2, 8, 33)))


def _remove(choice: random.Random, raw: bytearray) -> None:
    place = choice.randrange(len(raw) + 1)
    del raw[place : place + choice.choice((1, 1, 2, 8, 33))]


def _repeat(choice: random.Random, raw: bytearray) -> None:
    place = choice.randrange(len(raw) + 1)
    piece = raw[place : place + choice.choice((1, 4, 32, 100))]
    raw[place:place] = piece * choice.choice((1, 2, 9))


def _cut(choice: random.Random, raw: bytearray) -> None:
    del raw[choice.randrange(len(raw) + 1) :]


def _number(choice: random.Random, raw: bytearray) -> None:
    size = choice.choice((2, 4, 8))
    place = choice.randrange(max(1, len(raw) - size + 1))
    edge = choice.choice(_EDGES) % (1 << 8 * size)
    raw[place : place + size] = edge.to_bytes(size, "big")


_BYTE_CHANGES: tuple[Callable[[random.Random, bytearray], None], ...] = (
    _flip,
    _flip,
    _set,
    _insert,
    _remove,
    _repeat,
    _cut,
    _number,
)

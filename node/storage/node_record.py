"""What one commit did to the tries: the nodes that they gained, and those that it let go.

The encoding is a sealed index and the nodes, one after another:

    seal (8) | how many nodes, held again, let go (4 each) | sizes of the nodes (4 each)
    | their hashes | hashes held again | hashes let go | nodes

The seal is of all but the nodes, which their hashes vouch for.
"""

import struct
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Self

from node.errors import CorruptStore
from node.storage.schema import Table
from node.storage.seal import SEAL_SIZE, seal, unseal

_COUNTS = struct.Struct(">III")
_SIZE, _HASH = 4, 32


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """Hashes are in order. `held_again` has one for each holding of one of `nodes` beyond the
    first; `let_go` one for each holding that ends.
    """

    nodes: Mapping[bytes, bytes]
    held: Sequence[bytes]
    held_again: Sequence[bytes]
    let_go: Sequence[bytes]

    @classmethod
    def of(
        cls, nodes: Mapping[bytes, bytes], held_again: Iterable[bytes], let_go: Iterable[bytes]
    ) -> Self:
        """Make a record of what comes in any order."""
        return cls(nodes, sorted(nodes), sorted(held_again), sorted(let_go))

    def encode(self, key: bytes) -> bytes:
        """Return what is stored under `key`."""
        nodes = [self.nodes[node_hash] for node_hash in self.held]
        counts = _COUNTS.pack(len(nodes), len(self.held_again), len(self.let_go))
        sizes = struct.pack(f">{len(nodes)}I", *map(len, nodes))
        index = b"".join((counts, sizes, *self.held, *self.held_again, *self.let_go))
        return b"".join((seal(key, index), *nodes))


def between(hashes: Sequence[bytes], first: int, last: int) -> Sequence[bytes]:
    """Return those of the ordered hashes whose first byte is `first`, `last` or in between."""
    start = bisect_left(hashes, bytes([first]))
    end = len(hashes) if last == 255 else bisect_left(hashes, bytes([last + 1]), start)
    return hashes[start:end]


def decode_record(key: bytes, stored: bytes) -> NodeRecord:
    """Read what is stored under `key`; CorruptStore names it if it is not what was written."""
    if len(stored) < SEAL_SIZE + _COUNTS.size:
        raise _corrupt(key, f"expected at least {SEAL_SIZE + _COUNTS.size} bytes", len(stored))
    held, again, let_go = _COUNTS.unpack_from(stored, SEAL_SIZE)
    size = SEAL_SIZE + _COUNTS.size + _SIZE * held + _HASH * (held + again + let_go)
    if len(stored) < size:
        raise _corrupt(key, f"expected an index of {size} bytes", len(stored))
    index = unseal(Table.NODE_JOURNAL, key, stored[:size])
    sizes = struct.unpack_from(f">{held}I", index, _COUNTS.size)
    if len(stored) != size + sum(sizes):
        raise _corrupt(key, f"expected {size + sum(sizes)} bytes", len(stored))
    start = _COUNTS.size + _SIZE * held
    hashes = [index[offset : offset + _HASH] for offset in range(start, len(index), _HASH)]
    ends = accumulate(sizes, initial=size)
    nodes = [stored[begin:end] for begin, end in pairwise(ends)]
    return NodeRecord(
        dict(zip(hashes[:held], nodes, strict=True)),
        hashes[:held],
        hashes[held : held + again],
        hashes[held + again :],
    )


def _corrupt(key: bytes, expected: str, actual: int) -> CorruptStore:
    return CorruptStore(f"{Table.NODE_JOURNAL}: record 0x{key.hex()}: {expected}, got {actual}")

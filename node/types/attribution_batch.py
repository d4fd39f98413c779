"""The Merkle tree over the records of one `append`: leaves, root and proofs.

leaf = keccak(0x00, logger, stream, seq, record); inner node = keccak(0x01, left, right); a node
without a partner moves up unchanged. The prefixes keep a leaf from passing for an inner node.
"""

from collections.abc import Sequence

from node.errors import InvalidInput
from node.types.primitives import UINT64_MAX, Address, Hash32, keccak256

LEAF_OVERHEAD = 1 + 20 + 8 + 8
"""Bytes that a leaf's preimage has besides the record."""


def leaf_hash(logger: Address, stream: int, seq: int, record: bytes) -> Hash32:
    """Return the leaf of an encoded record; `seq` is its place in the logger's stream."""
    return keccak256(leaf_prefix(logger, stream) + seq.to_bytes(8, "big") + record)


def leaf_prefix(logger: Address, stream: int) -> bytes:
    """Return the part of the preimage that all leaves of a stream share."""
    return b"\x00" + logger + stream.to_bytes(8, "big")


def batch_root(leaves: Sequence[Hash32]) -> Hash32:
    """Return the root over one or more leaves; a single leaf is its own root."""
    if not leaves:
        raise InvalidInput("batch: expected one or more leaves, got none")
    level = list(leaves)
    while len(level) > 1:
        level = _parents(level)
    return level[0]


def batch_path(leaves: Sequence[Hash32], index: int) -> tuple[Hash32, ...]:
    """Return the siblings of leaf `index` from the bottom up, for `is_in_batch`."""
    if not 0 <= index < len(leaves):
        raise InvalidInput(f"leaf: expected an index below {len(leaves)}, got {index}")
    path: list[Hash32] = []
    level = list(leaves)
    while len(level) > 1:
        if (sibling := index ^ 1) < len(level):
            path.append(level[sibling])
        level = _parents(level)
        index >>= 1
    return tuple(path)


def is_in_batch(root: Hash32, count: int, index: int, leaf: Hash32, path: Sequence[Hash32]) -> bool:
    """Whether `path` proves that `leaf` is number `index` of the `count` leaves under `root`.

    Any input is safe: a path that is too short, too long or of wrong sizes proves nothing.
    """
    if not 0 <= index < count <= UINT64_MAX or len(leaf) != 32:
        return False
    siblings = iter(path)
    node, last = leaf, count - 1
    while last:
        if index ^ 1 <= last:
            sibling = next(siblings, None)
            if sibling is None or len(sibling) != 32:
                return False
            node = _inner(sibling, node) if index & 1 else _inner(node, sibling)
        index >>= 1
        last >>= 1
    return next(siblings, None) is None and node == root


def _parents(level: list[Hash32]) -> list[Hash32]:
    pairs = zip(level[::2], level[1::2], strict=False)
    parents = [_inner(left, right) for left, right in pairs]
    return parents + level[-1:] if len(level) & 1 else parents


def _inner(left: Hash32, right: Hash32) -> Hash32:
    return keccak256(b"\x01" + left + right)

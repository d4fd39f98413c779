"""Merkle proofs of blob commitments in a beacon block's body (deneb/p2p-interface.md)."""

import hashlib
from collections.abc import Sequence

_LIST_DEPTH = 12  # MAX_BLOB_COMMITMENTS_PER_BLOCK = 4096
_BODY_DEPTH = 4
_BODY_FIELD = 11  # blob_kzg_commitments
PROOF_DEPTH = _LIST_DEPTH + 1 + _BODY_DEPTH


def _hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(left + right).digest()


def _zero_roots(depth: int) -> tuple[bytes, ...]:
    roots = [bytes(32)]
    while len(roots) <= depth:
        roots.append(_hash(roots[-1], roots[-1]))
    return tuple(roots)


_ZERO_ROOTS = _zero_roots(_LIST_DEPTH)


def commitment_proofs(
    commitments: Sequence[bytes],
) -> tuple[bytes, tuple[tuple[bytes, ...], ...]]:
    """Return the root of a body with these commitments, and the branch of each to that root.

    There is no beacon chain: the other fields of the body count as zero.
    """
    levels = [[_hash(c[:32], c[32:].ljust(32, b"\0")) for c in commitments]]
    for depth in range(_LIST_DEPTH):
        nodes = levels[-1]
        padded = [*nodes, _ZERO_ROOTS[depth]] if len(nodes) % 2 else nodes
        pairs = range(0, len(padded), 2)
        levels.append([_hash(padded[place], padded[place + 1]) for place in pairs])
    length = len(commitments).to_bytes(32, "little")
    root = _hash(levels[-1][0] if commitments else _ZERO_ROOTS[_LIST_DEPTH], length)
    for depth in range(_BODY_DEPTH):
        sibling = _ZERO_ROOTS[depth]
        is_right = _BODY_FIELD >> depth & 1
        root = _hash(sibling, root) if is_right else _hash(root, sibling)
    tail = (length, *_ZERO_ROOTS[:_BODY_DEPTH])
    branches = (_branch(levels, index) + tail for index in range(len(commitments)))
    return root, tuple(branches)


def _branch(levels: Sequence[Sequence[bytes]], index: int) -> tuple[bytes, ...]:
    siblings = []
    for depth in range(_LIST_DEPTH):
        nodes, place = levels[depth], (index >> depth) ^ 1
        siblings.append(nodes[place] if place < len(nodes) else _ZERO_ROOTS[depth])
    return tuple(siblings)

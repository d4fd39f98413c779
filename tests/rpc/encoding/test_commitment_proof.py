import hashlib
from collections.abc import Sequence

import pytest

from rpc.encoding.commitment_proof import PROOF_DEPTH, commitment_proofs


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def climb(leaf: bytes, branch: Sequence[bytes], index: int) -> bytes:
    """Return the root that a branch leads to (is_valid_merkle_branch of the specification)."""
    for depth, sibling in enumerate(branch):
        leaf = sha256(sibling + leaf if index >> depth & 1 else leaf + sibling)
    return leaf


def merkle_root(chunks: Sequence[bytes], limit: int) -> bytes:
    """Return the root of chunks padded to `limit`, the plain way."""
    nodes = [*chunks, *[bytes(32)] * (limit - len(chunks))]
    while len(nodes) > 1:
        nodes = [sha256(nodes[place] + nodes[place + 1]) for place in range(0, len(nodes), 2)]
    return nodes[0]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 6, 9, 64])
def test_branches_lead_to_the_root_of_the_body(count: int) -> None:
    commitments = [bytes([number]) * 48 for number in range(count)]
    leaves = [sha256(item + bytes(16)) for item in commitments]
    root, branches = commitment_proofs(commitments)
    listed = sha256(merkle_root(leaves, 4096) + count.to_bytes(32, "little"))
    assert root == merkle_root([bytes(32)] * 11 + [listed], 16)
    assert len(branches) == count
    for index, (leaf, branch) in enumerate(zip(leaves, branches, strict=True)):
        assert len(branch) == PROOF_DEPTH == 17
        # get_subtree_index of the element's generalised index: below the list, field 11 of 16.
        assert climb(leaf, branch, index + (11 << 13)) == root

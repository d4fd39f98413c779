"""The Merkle tree of a batch: the definition written out, and proofs against hostile paths."""

import pytest
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from node.errors import InvalidInput
from node.types.attribution_batch import batch_path, batch_root, is_in_batch, leaf_hash
from node.types.primitives import Address, Hash32
from tests.node.types.attribution_strategies import hashes

leaf_lists = st.lists(hashes, min_size=1, max_size=40)


def reference_root(leaves: list[Hash32]) -> bytes:
    """The definition, recursively: the left subtree is the largest full one below the count."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return keccak(b"\x01" + reference_root(leaves[:split]) + reference_root(leaves[split:]))


def test_leaf_layout() -> None:
    logger = Address(b"\x11" * 20)
    preimage = b"\x00" + logger + (7).to_bytes(8, "big") + (9).to_bytes(8, "big") + b"record"
    assert leaf_hash(logger, 7, 9, b"record") == keccak(preimage)


@given(leaf_lists)
def test_root_is_the_definition(leaves: list[Hash32]) -> None:
    assert batch_root(leaves) == reference_root(leaves)


def test_no_leaves_no_root() -> None:
    with pytest.raises(InvalidInput, match="got none"):
        batch_root([])


@given(leaf_lists, st.data())
def test_every_path_proves(leaves: list[Hash32], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = batch_path(leaves, index)
    root = batch_root(leaves)
    assert is_in_batch(root, len(leaves), index, leaves[index], path)
    assert len(path) <= (len(leaves) - 1).bit_length()


@given(leaf_lists, st.data())
def test_changed_proofs_fail(leaves: list[Hash32], data: st.DataObject) -> None:
    count = len(leaves)
    index = data.draw(st.integers(0, count - 1))
    path = batch_path(leaves, index)
    root, leaf = batch_root(leaves), leaves[index]
    other = data.draw(hashes.filter(lambda candidate: candidate != leaf))
    assert not is_in_batch(root, count, index, other, path)
    assert not is_in_batch(other, count, index, leaf, path) or other == root
    assert not is_in_batch(root, count, index, leaf, (*path, other))
    for position in range(len(path)):
        assert not is_in_batch(root, count, index, leaf, path[:position] + path[position + 1 :])
        short = Hash32(path[position][:-1])
        damaged = (*path[:position], short, *path[position + 1 :])
        assert not is_in_batch(root, count, index, leaf, damaged)


@given(st.lists(hashes, min_size=2, max_size=20, unique=True), st.data())
def test_index_is_proved_too(leaves: list[Hash32], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    wrong = data.draw(st.integers(0, len(leaves) - 1).filter(lambda number: number != index))
    path = batch_path(leaves, index)
    assert not is_in_batch(batch_root(leaves), len(leaves), wrong, leaves[index], path)


@given(
    st.integers(-(2**70), 2**70), st.integers(-(2**70), 2**70), st.lists(st.binary(), max_size=80)
)
def test_hostile_proofs_are_refused_quietly(count: int, index: int, path: list[bytes]) -> None:
    root, leaf = Hash32(b"\x01" * 32), Hash32(b"\x02" * 32)
    assert not is_in_batch(root, count, index, leaf, [Hash32(entry) for entry in path])


def test_inner_node_is_no_leaf() -> None:
    leaves = [Hash32(bytes([n]) * 32) for n in range(4)]
    inner = batch_root(leaves[:2])
    path = (batch_root(leaves[2:]),)
    assert not is_in_batch(batch_root(leaves), 4, 0, inner, path)


def test_no_path_outside() -> None:
    with pytest.raises(InvalidInput, match="below 1, got 1"):
        batch_path([Hash32(bytes(32))], 1)

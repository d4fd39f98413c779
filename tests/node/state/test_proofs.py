"""Proofs: made by us and by `trie.HexaryTrie`, checked by both, and spoilt in every way."""

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from node.errors import CorruptStore, DecodingError
from node.state.linked_node import (
    LinkedNode,
    Reference,
    checked_node,
    no_nodes,
    root_hash,
)
from node.state.proofs import (
    account_proof,
    ordered_proof,
    prove,
    storage_proof,
    storage_root,
    verify_proof,
)
from node.state.trie import ordered_key, ordered_root
from node.state.trie_state import empty_state
from node.state.view import decode_account
from node.state.world_state import WorldState
from node.types.primitives import EMPTY_TRIE_ROOT, Address, Hash32, keccak256
from node.types.rlp_codec import encode, encode_uint
from tests.node.state.strategies import contents, keys
from tests.node.state.test_trie import built


@given(contents, keys)
def test_presence_and_absence(content: dict[bytes, bytes], other: bytes) -> None:
    trie = built(content)
    root = root_hash(trie.root)
    for key in [*content, other]:
        proof = prove(trie.node, trie.root, key)
        assert verify_proof(root, key, proof) == content.get(key)


@given(contents.filter(bool), keys)
def test_the_reference_accepts_our_proofs(content: dict[bytes, bytes], other: bytes) -> None:
    # Of keys that begin other keys it refuses even its own proofs: state keys have one length.
    content = {keccak256(key): value for key, value in content.items()}
    trie = built(content)
    root = root_hash(trie.root)
    for key in [*content, keccak256(other)]:
        proof = [rlp.decode(node) for node in prove(trie.node, trie.root, key)]
        assert HexaryTrie.get_from_proof(root, key, proof) == content.get(key, b"")


@given(contents, keys)
def test_we_make_the_proofs_of_the_reference(content: dict[bytes, bytes], other: bytes) -> None:
    """The reference lists inline nodes as well; what has 32 bytes or is the root must be equal."""
    trie = built(content)
    reference = HexaryTrie({})
    for key, value in content.items():
        reference[key] = value
    for key in [*content, other]:
        expected = [rlp.encode(node) for node in reference.get_proof(key)]
        listed = [raw for index, raw in enumerate(expected) if index == 0 or len(raw) >= 32]
        if not content:
            listed = []
        assert list(prove(trie.node, trie.root, key)) == listed


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=200), st.integers(0, 210))
def test_ordered_proof(items: list[bytes], index: int) -> None:
    expected = items[index] if index < len(items) else None
    proof = ordered_proof(items, index)
    assert verify_proof(ordered_root(items), ordered_key(index), proof) == expected


def test_account_and_storage_proofs() -> None:
    world = WorldState(empty_state())
    owners = [Address(keccak256(bytes([number]))[12:]) for number in range(20)]
    for number, owner in enumerate(owners):
        world.set_balance(owner, number)
        for slot in range(number):
            world.set_storage(owner, slot, 1000 + slot)
    changes = world.changes()

    def nodes(reference: Reference) -> LinkedNode:
        found = changes.nodes.find(reference)
        assert found is not None
        return found

    for number, owner in enumerate(owners):
        key = keccak256(owner)
        raw = verify_proof(changes.state_root, key, account_proof(nodes, changes.root, owner))
        assert raw is not None
        root = decode_account(raw).storage_root
        storage = storage_root(nodes, changes.root, owner)
        assert root_hash(storage) == root
        for slot in range(20):
            proof = storage_proof(nodes, storage, slot)
            value = verify_proof(root, keccak256(slot.to_bytes(32, "big")), proof)
            assert value == (encode(encode_uint(1000 + slot)) if slot < number else None)
    stranger = Address(bytes(20))
    proof = account_proof(nodes, changes.root, stranger)
    assert proof
    assert verify_proof(changes.state_root, keccak256(stranger), proof) is None


def test_the_empty_trie_needs_no_proof() -> None:
    assert prove(no_nodes, None, b"key") == ()
    assert verify_proof(EMPTY_TRIE_ROOT, b"key", ()) is None


@given(contents.filter(bool), st.data())
def test_spoilt_proofs_are_refused(content: dict[bytes, bytes], data: st.DataObject) -> None:
    trie = built(content)
    root = root_hash(trie.root)
    key = data.draw(st.sampled_from(sorted(content)))
    proof = list(prove(trie.node, trie.root, key))
    place = data.draw(st.integers(0, len(proof) - 1))
    change = data.draw(st.integers(1, 255))
    spot = data.draw(st.integers(0, len(proof[place]) - 1))
    flipped = bytearray(proof[place])
    flipped[spot] ^= change
    spoilt = [
        [*proof[:place], bytes(flipped), *proof[place + 1 :]],
        [*proof, proof[place]],
        [*proof, b""],
        proof[:place],
        proof[place + 1 :],
        [*proof[:place], proof[place], *proof[place:]],
    ]
    for wrong in spoilt:
        with pytest.raises(DecodingError, match="proof"):
            verify_proof(root, key, wrong)
    with pytest.raises(DecodingError):
        verify_proof(Hash32(keccak256(root)), key, proof)


@given(st.lists(st.binary(max_size=80), min_size=1, max_size=3), st.binary(max_size=8))
def test_any_bytes_end_in_an_answer_or_a_decoding_error(proof: list[bytes], key: bytes) -> None:
    """Even under a root that the prover chose."""
    try:
        verify_proof(keccak256(proof[0]), key, proof)
    except DecodingError:
        return


@pytest.mark.parametrize("raw", [b"", b"\xc1" * 5000 + b"\xc0", b"\xf9\xff\xff", b"\xc2\x20\x80"])
def test_malformed_root_nodes_are_refused(raw: bytes) -> None:
    with pytest.raises(DecodingError, match="proof node 0"):
        verify_proof(keccak256(raw), b"key", (raw,))


def test_proving_from_a_damaged_store_is_corruption() -> None:
    trie = built({b"key": bytes(40)})
    assert trie.root is not None
    stored = trie.node(trie.root)
    with pytest.raises(CorruptStore, match="another hash"):
        prove(lambda at: checked_node(at, stored + b"\x00"), trie.root, b"key")
    with pytest.raises(CorruptStore, match="2 or 17 items"):
        prove(lambda _: b"\x00\xc0", trie.root, b"key")

"""Our trie against `trie.HexaryTrie`, over random histories with commits and reloads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from trie import HexaryTrie

from node.errors import CorruptStore, DecodingError
from node.state.trie import Trie, no_nodes, ordered_key, ordered_root
from node.state.trie_node import Branch, Child, Extension, decode_node
from node.state.view import checked_node
from node.types.primitives import EMPTY_TRIE_ROOT, Hash32, keccak256
from node.types.rlp_codec import RlpItem, encode
from tests.node.state.strategies import contents, keys, values


class NodeStore(dict[Hash32, bytes]):
    """Nodes by hash, as a source for a trie."""

    def source(self, node_hash: Hash32) -> bytes:
        if node_hash not in self:
            raise CorruptStore(f"trie node 0x{node_hash.hex()} is missing")
        return self[node_hash]


class TrieHistory(RuleBasedStateMachine):
    """Random puts, deletes, commits and reloads give the reference's roots, a dictionary's values.

    The reference is not asked about absent keys: it fails on some that are shorter than others.
    """

    @initialize()
    def begin(self) -> None:
        self.nodes = NodeStore()
        self.ours = Trie(self.nodes.source)
        self.reference = HexaryTrie({})
        self.model: dict[bytes, bytes] = {}

    @rule(key=keys, value=values)
    def put(self, key: bytes, value: bytes) -> None:
        self.ours.put(key, value)
        self.reference[key] = value
        self.model[key] = value

    @rule(data=st.data())
    def delete_present(self, data: st.DataObject) -> None:
        if self.model:
            self.delete(data.draw(st.sampled_from(sorted(self.model))))

    @rule(key=keys)
    def delete(self, key: bytes) -> None:
        self.ours.delete(key)
        if self.model.pop(key, None) is not None:
            self.reference.delete(key)

    @rule(key=keys)
    def get(self, key: bytes) -> None:
        assert self.ours.get(key) == self.model.get(key)

    @rule()
    def commit(self) -> None:
        root, fresh = self.ours.commit()
        assert root == self.reference.root_hash
        assert all(keccak256(node) == node_hash for node_hash, node in fresh.items())
        self.nodes.update(fresh)

    @rule()
    def reload(self) -> None:
        root, fresh = self.ours.commit()
        self.nodes.update(fresh)
        self.ours = Trie(self.nodes.source, root)

    @invariant()
    def holds_the_model(self) -> None:
        for key, value in self.model.items():
            assert self.ours.get(key) == value


TestTrieHistory = TrieHistory.TestCase


def reachable(nodes: NodeStore, root: Hash32) -> set[bytes]:
    """Return the hashes of all nodes of a trie."""
    found: set[bytes] = set()
    pending: list[Child | None] = [None if root == EMPTY_TRIE_ROOT else root]
    while pending:
        child = pending.pop()
        if isinstance(child, bytes):
            found.add(child)
            child = decode_node(nodes.source(Hash32(child)))
        if isinstance(child, Branch):
            pending += child.children
        elif isinstance(child, Extension):
            pending.append(child.child)
    return found


class SecureTrieHistory(RuleBasedStateMachine):
    """A commit of a secure trie tells exactly which nodes it gained and lost."""

    @initialize()
    def begin(self) -> None:
        self.nodes = NodeStore()
        self.trie = Trie(self.nodes.source)
        self.present: set[bytes] = set()

    @rule(keys=st.lists(st.integers(0, 40), max_size=8), value=st.sampled_from([b"a", b"b" * 40]))
    def put(self, keys: list[int], value: bytes) -> None:
        for key in keys:
            self.trie.put(keccak256(b"%d" % key), value)

    @rule(keys=st.lists(st.integers(0, 40), max_size=8))
    def delete(self, keys: list[int]) -> None:
        for key in keys:
            self.trie.delete(keccak256(b"%d" % key))

    @rule(reload=st.booleans())
    def commit(self, reload: bool) -> None:
        root, fresh = self.trie.commit()
        self.nodes.update(fresh)
        now = reachable(self.nodes, root)
        assert fresh.keys() == now - self.present
        assert set(self.trie.obsolete) == self.present - now
        assert len(self.trie.obsolete) == len(self.present - now)
        self.present = now
        if reload:
            self.trie = Trie(self.nodes.source, root)


TestSecureTrieHistory = SecureTrieHistory.TestCase


@given(contents)
def test_the_root_does_not_depend_on_the_order(content: dict[bytes, bytes]) -> None:
    forwards, backwards = Trie(no_nodes), Trie(no_nodes)
    for key, value in content.items():
        forwards.put(key, value)
    for key, value in reversed(content.items()):
        backwards.put(key, bytes([1]) + value)
        backwards.put(key, value)
    assert forwards.commit() == backwards.commit()


@given(contents)
def test_deleting_everything_leaves_the_empty_trie(content: dict[bytes, bytes]) -> None:
    trie = Trie(no_nodes)
    for key, value in content.items():
        trie.put(key, value)
    trie.commit()
    for key in content:
        trie.delete(key)
    assert trie.commit() == (EMPTY_TRIE_ROOT, {})


@given(contents, st.lists(keys, max_size=5))
def test_reads_and_idle_deletes_change_nothing(
    content: dict[bytes, bytes], absent: list[bytes]
) -> None:
    trie = Trie(no_nodes)
    for key, value in content.items():
        trie.put(key, value)
    root, _ = trie.commit()
    for key in [*content, *absent]:
        trie.get(key)
    for key in absent:
        if key not in content:
            trie.delete(key)
    again, fresh = trie.commit()
    assert again == root
    assert all(len(node) < 32 for node in fresh.values())  # a root that would fit into a parent


def test_an_empty_value_is_refused() -> None:
    with pytest.raises(ValueError, match="empty value"):
        Trie(no_nodes).put(b"key", b"")


@given(st.dictionaries(keys, st.binary(min_size=40, max_size=40), min_size=1))
def test_a_missing_node_is_corruption(content: dict[bytes, bytes]) -> None:
    """Whichever node is gone, some key notices, and no key gets a wrong answer."""
    trie = Trie(no_nodes)
    for key, value in content.items():
        trie.put(key, value)
    root, nodes = trie.commit()
    for lost in nodes:
        partial = NodeStore({key: node for key, node in nodes.items() if key != lost})
        noticed = 0
        for key, value in content.items():
            try:
                assert Trie(partial.source, root).get(key) == value
            except CorruptStore as error:
                assert lost.hex() in str(error)
                noticed += 1
        assert noticed


def test_a_changed_node_is_corruption() -> None:
    trie = Trie(no_nodes)
    trie.put(b"key", bytes(40))
    root, nodes = trie.commit()
    with pytest.raises(CorruptStore, match="another hash"):
        Trie(lambda key: checked_node(key, nodes[root] + b"\x00"), root).get(b"key")


_HASH = bytes(range(32))


@pytest.mark.parametrize(
    ("structure", "reason"),
    [
        (b"bytes", "expected a list"),
        ([], "2 or 17 items"),
        ([b"\x20"], "2 or 17 items"),
        ([b"\x20", b"v", b"w"], "2 or 17 items"),
        ([[b"\x20"], b"v"], "start with a path"),
        ([b"\x40", b"v"], "first digit"),
        ([b"\x20", b""], "leaf value"),
        ([b"\x20", [b"v"]], "leaf value"),
        ([b"\x00", _HASH], "one digit"),
        ([b"\x11", _HASH[1:]], "32 bytes"),
        ([b"\x11", b""], "32 bytes"),
        ([_HASH[1:], *[b""] * 16], "32 bytes"),
        ([[], *[b""] * 16], "2 or 17 items"),
        ([b""] * 16 + [[]], "branch value"),
        ([b""] * 18, "2 or 17 items"),
    ],
)
def test_malformed_nodes_are_refused(structure: RlpItem, reason: str) -> None:
    raw = encode(structure)
    with pytest.raises(DecodingError, match=reason):
        decode_node(raw)
    with pytest.raises(CorruptStore, match=reason):
        Trie(lambda _: raw, keccak256(raw)).get(b"key")
    with pytest.raises(CorruptStore, match=reason):
        changed = Trie(lambda _: raw, keccak256(raw))
        changed.put(b"key", b"value")
        changed.commit()


def test_deep_nesting_is_refused() -> None:
    raw = b"\xc0"
    for _ in range(1000):
        size = len(raw).to_bytes(2, "big")
        raw = (bytes([0xC0 + len(raw)]) if len(raw) < 56 else b"\xf9" + size) + raw
        raw = raw.replace(b"\xf9\x00", b"\xf8", 1)
    with pytest.raises(DecodingError, match="nested too deeply"):
        decode_node(raw)


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=300))
def test_ordered_root_equals_the_reference(items: list[bytes]) -> None:
    reference = HexaryTrie({})
    for index, item in enumerate(items):
        reference[ordered_key(index)] = item
    assert ordered_root(items) == reference.root_hash


def test_ordered_root_of_nothing_and_of_an_empty_item() -> None:
    assert ordered_root([]) == EMPTY_TRIE_ROOT
    with pytest.raises(ValueError, match="empty value"):
        ordered_root([b"item", b""])

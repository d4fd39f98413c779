"""Our trie against `trie.HexaryTrie`, over random histories with commits and reloads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from trie import HexaryTrie

from node.errors import CorruptStore, DecodingError
from node.state.linked_node import (
    LinkedNode,
    NewNodes,
    Reference,
    checked_node,
    linked,
    links_of,
    moved_number,
    no_nodes,
    number_bytes,
    rlp_of,
    root_hash,
)
from node.state.trie import Trie, ordered_key, ordered_root
from node.state.trie_node import Branch, Child, Extension, decode_linked, decode_node
from node.types.primitives import EMPTY_TRIE_ROOT, keccak256
from node.types.rlp_codec import RlpItem, encode
from tests.node.state.strategies import contents, keys, values


class NodeStore(dict[bytes, LinkedNode]):
    """Nodes by number, as a source for a trie, each checked as those of a store are."""

    next = 1

    def source(self, reference: Reference) -> LinkedNode:
        return checked_node(reference, self.get(reference[32:]))

    def take(self, trie: Trie) -> Trie:
        """Take what a trie has made; return the trie as one of these nodes."""
        self.update(trie.new.items())
        self.next = trie.new.next
        return self.trie(trie.root)

    def trie(self, root: Reference | None) -> Trie:
        return Trie(self.source, root, NewNodes(self.next))


def built(content: dict[bytes, bytes]) -> Trie:
    """Return a trie in memory, committed."""
    trie = Trie(no_nodes)
    for key, value in content.items():
        trie.put(key, value)
    trie.commit()
    return trie


class TrieHistory(RuleBasedStateMachine):
    """Random puts, deletes, commits and reloads give the reference's roots, a dictionary's values.

    The reference is not asked about absent keys: it fails on some that are shorter than others.
    """

    @initialize()
    def begin(self) -> None:
        self.nodes = NodeStore()
        self.ours = self.nodes.trie(None)
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
        assert self.ours.commit() == self.reference.root_hash

    @rule()
    def reload(self) -> None:
        self.ours.commit()
        self.ours = self.nodes.take(self.ours)

    @invariant()
    def holds_the_model(self) -> None:
        for key, value in self.model.items():
            assert self.ours.get(key) == value


TestTrieHistory = TrieHistory.TestCase


def reachable(trie: Trie) -> set[bytes]:
    """Return the numbers of all nodes of a trie."""
    found: set[bytes] = set()
    pending: list[Child | None] = [trie.root]
    while pending:
        child = pending.pop()
        if isinstance(child, bytes):
            assert child[32:] not in found
            found.add(child[32:])
            child = decode_linked(trie.node(child))
        if isinstance(child, Branch):
            pending += child.children
        elif isinstance(child, Extension):
            pending.append(child.child)
    return found


class SecureTrieHistory(RuleBasedStateMachine):
    """A commit of a secure trie tells exactly which nodes it gained and lost; links stay."""

    @initialize()
    def begin(self) -> None:
        self.nodes = NodeStore()
        self.trie = self.nodes.trie(None)
        self.present: set[bytes] = set()
        self.made = 0
        self.model: dict[bytes, tuple[bytes, bytes]] = {}

    @rule(
        keys=st.lists(st.integers(0, 40), max_size=8),
        value=st.sampled_from([b"a", b"b" * 40]),
        link=st.sampled_from([b"", b"\x01" * 6, b"\x02" * 6]),
    )
    def put(self, keys: list[int], value: bytes, link: bytes) -> None:
        for key in keys:
            self.model[keccak256(b"%d" % key)] = value, link
            self.trie.put(keccak256(b"%d" % key), value, link)

    @rule(keys=st.lists(st.integers(0, 40), max_size=8))
    def delete(self, keys: list[int]) -> None:
        for key in keys:
            self.model.pop(keccak256(b"%d" % key), None)
            self.trie.delete(keccak256(b"%d" % key))

    @rule(reload=st.booleans())
    def commit(self, reload: bool) -> None:
        self.trie.commit()
        gained = {number for number, _ in self.trie.new.items()} - self.present
        gained = {number for number in gained if int.from_bytes(number, "big") > self.made}
        now = reachable(self.trie)
        assert gained == now - self.present
        assert set(self.trie.lost) == self.present - now
        assert len(self.trie.lost) == len(self.present - now)
        for key, leaf in self.model.items():
            assert self.trie.leaf(key) == leaf
        self.present = now
        self.made = self.trie.new.next - 1
        if reload:
            self.trie = self.nodes.take(self.trie)


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
    assert forwards.new == backwards.new


@given(contents)
def test_deleting_everything_leaves_the_empty_trie(content: dict[bytes, bytes]) -> None:
    trie = built(content)
    made = trie.new.next
    for key in content:
        trie.delete(key)
    assert trie.commit() == EMPTY_TRIE_ROOT
    assert trie.root is None
    assert trie.new.next == made


@given(contents, st.lists(keys, max_size=5))
def test_reads_and_idle_deletes_change_nothing(
    content: dict[bytes, bytes], absent: list[bytes]
) -> None:
    trie = built(content)
    root, made = trie.root, trie.new.next
    for key in [*content, *absent]:
        trie.get(key)
    for key in absent:
        if key not in content:
            trie.delete(key)
    trie.commit()
    assert root_hash(trie.root) == root_hash(root)
    # A root that would fit into a parent may be made again.
    assert all(len(node) <= 32 for node in trie.new.nodes[made - 1 :])


def test_an_empty_value_is_refused() -> None:
    with pytest.raises(ValueError, match="empty value"):
        Trie(no_nodes).put(b"key", b"")


@given(st.dictionaries(keys, st.binary(min_size=40, max_size=40), min_size=1))
def test_a_missing_node_is_corruption(content: dict[bytes, bytes]) -> None:
    """Whichever node is gone, some key notices, and no key gets a wrong answer."""
    trie = built(content)
    nodes = dict(trie.new.items())
    for lost in nodes:
        partial = NodeStore({key: node for key, node in nodes.items() if key != lost})
        noticed = 0
        for key, value in content.items():
            try:
                assert Trie(partial.source, trie.root).get(key) == value
            except CorruptStore as error:
                assert keccak256(rlp_of(nodes[lost])).hex() in str(error)
                assert f"number {int.from_bytes(lost, 'big')}" in str(error)
                noticed += 1
        assert noticed


@given(st.dictionaries(keys, st.binary(min_size=40, max_size=40), min_size=2), st.data())
def test_a_wrong_link_is_corruption(content: dict[bytes, bytes], data: st.DataObject) -> None:
    """It leads to no node, or to one with another hash."""
    trie = built(content)
    nodes = NodeStore(trie.new.items())
    number = data.draw(st.sampled_from([key for key, node in nodes.items() if node[0]]))
    rlp, links = rlp_of(nodes[number]), links_of(nodes[number])
    at = data.draw(st.sampled_from(range(0, len(links), 6)))
    wrong = data.draw(
        st.sampled_from([*nodes, bytes(6), b"\xff" * 6]).filter(lambda n: n not in links)
    )
    nodes[number] = linked(rlp, links[:at] + wrong + links[at + 6 :])
    noticed = 0
    for key, value in content.items():
        try:
            assert Trie(nodes.source, trie.root).get(key) == value
        except CorruptStore:
            noticed += 1
    assert noticed


@given(st.binary(max_size=700))
def test_what_is_no_node_is_corruption(stored: bytes) -> None:
    with pytest.raises(CorruptStore, match=r"trie node 0x.* \(number 1\): .*another hash"):
        checked_node(bytes(37) + b"\x01", stored)


@given(contents, st.integers(1, 10**9))
def test_nodes_move_to_other_numbers(content: dict[bytes, bytes], first: int) -> None:
    trie = built(content)
    moved = trie.new.moved(first)
    assert trie.new.moved(1) == trie.new
    assert moved.moved(1) == trie.new
    assert moved.next - first == trie.new.next - 1
    root = trie.root and trie.root[:32] + moved_number(trie.root[32:], 1, first)
    other = Trie(NodeStore(moved.items()).source, root)
    for key, value in content.items():
        assert other.get(key) == value


def test_old_links_stay_when_nodes_move() -> None:
    nodes = NewNodes(100, [linked(b"rlp", number_bytes(99) + number_bytes(100))])
    assert nodes.moved(150).nodes == [linked(b"rlp", number_bytes(99) + number_bytes(150))]


_HASH = bytes(range(32))
_NOWHERE = bytes(38)


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
        Trie(lambda _: b"\x00" + raw, _NOWHERE).get(b"key")
    with pytest.raises(CorruptStore, match=reason):
        changed = Trie(lambda _: b"\x00" + raw, _NOWHERE)
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

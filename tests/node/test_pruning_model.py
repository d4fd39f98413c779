"""Pruning over random histories: nothing that is kept is ever lost, and nothing else stays."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from node.block_store import get_block
from node.chain import state_view
from node.engine import Engine
from node.errors import PrunedHistory
from node.execution.transition import ExecutedBlock
from node.history import first_kept
from node.state.flat_check import check_flat_state
from node.state.trie_node import Branch, Child, Extension, Leaf, decode_node
from node.state.view import decode_account
from node.storage.database import Snapshot
from node.storage.schema import Table
from node.types.block import BlockRef, Header
from node.types.primitives import EMPTY_TRIE_ROOT, Hash32, create_address, keccak256
from node.types.transaction import Transaction
from tests.node.chains import ALICE, GENESIS, open_chain
from tests.node.storage.stored_nodes import held_nodes

Held = frozenset[tuple[str, bytes]]
"""The nodes of a state: the account's key (empty for the state trie) and the node's hash."""


def trie_nodes(snapshot: Snapshot, root: Hash32) -> Iterator[tuple[bytes, dict[str, bytes]]]:
    """Yield the hash of each node of a trie, with the leaves in it by the end of their paths."""
    pending = [] if root == EMPTY_TRIE_ROOT else [("", root)]
    while pending:
        path, node_hash = pending.pop()
        raw = snapshot.trie_node(node_hash)
        assert raw is not None, "a node that is in use is gone"
        assert keccak256(raw) == node_hash
        leaves: dict[str, bytes] = {}
        inside: list[tuple[str, Child | None]] = [(path, decode_node(raw))]
        while inside:
            path, child = inside.pop()
            match child:
                case bytes():
                    pending.append((path, Hash32(child)))
                case Leaf():
                    leaves[path + child.path] = child.value
                case Extension():
                    inside.append((path + child.path, child.child))
                case Branch():
                    inside += [(f"{path}{n:x}", below) for n, below in enumerate(child.children)]
        yield node_hash, leaves


def state_nodes(snapshot: Snapshot, root: Hash32) -> Held:
    """Walk a whole state."""
    held: set[tuple[str, bytes]] = set()
    for node_hash, leaves in trie_nodes(snapshot, root):
        held.add(("", node_hash))
        for key, value in leaves.items():
            storage = trie_nodes(snapshot, decode_account(value).storage_root)
            held.update((key, below) for below, _ in storage)
    return frozenset(held)


@dataclass(frozen=True)
class Action:
    """A transaction: a contract is created, or a slot of one of the first two is set."""

    contract: int | None
    slot: int = 0
    value: int = 0


actions = st.lists(
    st.one_of(
        st.just(Action(None)),
        st.builds(Action, st.integers(0, 1), st.integers(0, 2), st.integers(0, 2)),
    ),
    max_size=3,
)


class History(RuleBasedStateMachine):
    """Blocks, reorgs, finality, restarts with other bounds; the model is the set of all states."""

    @initialize()
    def begin(self) -> None:
        self.opened = open_chain()
        self.chain = self.opened.__enter__()
        self.kept_blocks: int | None = None
        self.salt = 0
        self.contracts = [create_address(ALICE.address, nonce) for nonce in (0, 1)]
        self.path: list[Header] = [self.chain.head()]
        self.branches: dict[Hash32, Header] = {}
        # What unwound blocks left, by number; a block that was unwound twice is there twice.
        self.left: list[tuple[int, Held]] = []
        self.held: dict[Hash32, Held] = {}
        self.finalized = 0
        self.first = 0
        self.walk(self.path[0])
        self.add([Action(None), Action(None)])

    def teardown(self) -> None:
        self.opened.__exit__(None, None, None)

    def walk(self, header: Header) -> None:
        with self.chain.database.read() as snapshot:
            self.held[header.hash] = state_nodes(snapshot, header.state_root)

    def transactions(self, wanted: list[Action], parent: Header) -> list[Transaction]:
        return [
            self.chain.creation(parent=parent, nonce_offset=offset)
            if action.contract is None
            else self.chain.store(
                self.contracts[action.contract],
                action.slot,
                action.value,
                parent=parent,
                nonce_offset=offset,
            )
            for offset, action in enumerate(wanted)
        ]

    def build(self, wanted: list[Action], parent: Header) -> ExecutedBlock:
        self.salt += 1
        transactions = self.transactions(wanted, parent)
        return self.chain.build(*transactions, parent=parent, salt=self.salt)

    def insert(self, executed: ExecutedBlock, finalized: BlockRef | None = None) -> None:
        header = executed.block.header
        self.chain.engine.insert(executed, safe=finalized, finalized=finalized)
        for lost in reversed(self.path[header.number :]):
            self.branches[lost.hash] = lost
            self.left.append((lost.number, self.held[lost.hash] - self.held[lost.parent_hash]))
        self.path[header.number :] = [header]
        self.branches.pop(header.hash, None)
        self.walk(header)

    @rule(wanted=actions)
    def add(self, wanted: list[Action]) -> None:
        self.insert(self.build(wanted, self.path[-1]))

    @rule(wanted=actions, distance=st.integers(0, 3))
    def add_and_finalize(self, wanted: list[Action], distance: int) -> None:
        number = max(self.finalized, len(self.path) - 1 - distance)
        self.insert(self.build(wanted, self.path[-1]), self.path[number].ref)
        self.finalized = number

    @rule(wanted=actions, back=st.integers(1, 4))
    def fork(self, wanted: list[Action], back: int) -> None:
        number = max(self.finalized, len(self.path) - 1 - back)
        self.insert(self.build(wanted, self.path[number]))

    @rule(back=st.integers(1, 3))
    def return_to_a_branch(self, back: int) -> None:
        """Unwind, and put the first of the same blocks back."""
        number = max(self.finalized, len(self.path) - 1 - back)
        if number + 1 < len(self.path):
            block = self.chain.reader.block_by_hash(self.path[number + 1].hash)
            assert block is not None
            executed = self.chain.engine.execute(block)
            other = self.build([], self.path[number])
            self.insert(other)
            self.insert(executed)

    @rule(kept_blocks=st.sampled_from([None, 1, 2, 4]))
    def restart(self, kept_blocks: int | None) -> None:
        self.kept_blocks = kept_blocks
        self.chain.engine = Engine(self.chain.database, GENESIS.config, kept_blocks=kept_blocks)

    def is_kept(self, header: Header) -> bool:
        """Whether a block, or the canonical block that its branch began at, is kept."""
        while header.hash in self.branches:
            parent = header.parent_hash
            header = self.branches.get(parent) or self.path[header.number - 1]
            assert header.hash == parent
        return header.number >= self.first

    @invariant()
    def what_is_kept_is_whole(self) -> None:
        with self.chain.database.read() as snapshot:
            before, self.first = self.first, first_kept(snapshot)
            assert self.first >= before
            if self.kept_blocks is not None:
                oldest = max(0, len(self.path) - self.kept_blocks)
                assert self.first >= min(oldest, self.finalized) or self.first == before
            assert self.first <= max(self.finalized, before)
            for header in (*self.path, *self.branches.values()):
                if self.is_kept(header):
                    state_view(snapshot, header)
                    assert state_nodes(snapshot, header.state_root) == self.held[header.hash]
                    assert get_block(snapshot, header.hash) is not None
                elif header.state_root != self.path[-1].state_root:
                    with pytest.raises(PrunedHistory):
                        state_view(snapshot, header)
            check_flat_state(snapshot, self.path[-1].state_root)

    @invariant()
    def what_is_not_kept_is_gone(self) -> None:
        expected = {
            node for header in self.path[self.first :] for _, node in self.held[header.hash]
        }
        for number, left in self.left:
            if number > self.first:
                expected |= {node for _, node in left}
        with self.chain.database.read() as snapshot:
            assert held_nodes(snapshot).keys() == expected
            bodies = {key for key, _ in snapshot.items(Table.BODIES)}
            receipts = {key for key, _ in snapshot.items(Table.RECEIPTS)}
            places = {raw[:32] for _, raw in snapshot.items(Table.TRANSACTIONS)}
        canonical = {header.hash for header in self.path[self.first :]} | {self.path[0].hash}
        branches = {h.hash for h in self.branches.values() if h.number > self.first}
        assert bodies == receipts == canonical | branches
        assert places <= canonical

    @rule()
    def settle(self) -> None:
        """With one block kept and no branch left, each node is held once for each of its tries."""
        self.restart(1)
        for _ in range(3):
            self.add_and_finalize([], 0)
        self.add_and_finalize([], 0)
        with self.chain.database.read() as snapshot:
            first = first_kept(snapshot)
            assert first == len(self.path) - 2 == self.finalized
            self.first = first
            expected: Counter[bytes] = Counter()
            for _, node in self.held[self.path[first].hash]:
                expected[node] += 1
            new = self.held[self.path[-1].hash] - self.held[self.path[first].hash]
            expected.update(node for _, node in new)
            assert held_nodes(snapshot) == expected


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)

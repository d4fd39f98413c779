"""Pruning over random histories: nothing that is kept is ever lost, and nothing else stays."""

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
from node.state.linked_node import Reference, reference_to
from node.state.trie_node import Branch, Child, Extension, Leaf, decode_linked
from node.state.view import decode_account
from node.storage.database import Snapshot
from node.storage.node_table import state_root, stored_node
from node.storage.schema import Table
from node.types.block import BlockRef, Header
from node.types.primitives import Hash32, create_address
from node.types.transaction import Transaction
from tests.node.chains import ALICE, GENESIS, open_chain
from tests.node.storage.stored_nodes import stored_nodes

Held = frozenset[bytes]
"""The numbers of the nodes of a state."""


def trie_nodes(snapshot: Snapshot, root: Reference | None) -> Iterator[tuple[bytes, list[Leaf]]]:
    """Yield the number of each node of a trie, with the leaves in it."""
    pending = [] if root is None else [root]
    while pending:
        reference = pending.pop()
        leaves: list[Leaf] = []
        inside: list[Child | None] = [decode_linked(stored_node(snapshot, reference))]
        while inside:
            match inside.pop():
                case bytes() as child:
                    pending.append(child)
                case Leaf() as leaf:
                    leaves.append(leaf)
                case Extension() as extension:
                    inside.append(extension.child)
                case Branch() as branch:
                    inside += branch.children
        yield reference[32:], leaves


def state_nodes(snapshot: Snapshot, header: Header) -> Held:
    """Walk a whole state; no node is in it twice."""
    held: list[bytes] = []
    for number, leaves in trie_nodes(
        snapshot, state_root(snapshot, header.hash, header.state_root)
    ):
        held.append(number)
        for leaf in leaves:
            root = reference_to(decode_account(leaf.value).storage_root, leaf.link)
            held += (below for below, _ in trie_nodes(snapshot, root))
    assert len(held) == len(set(held))
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
        self.held: dict[Hash32, Held] = {}
        self.finalized = 0
        self.first = 0
        self.walk(self.path[0])
        self.add([Action(None), Action(None)])

    def teardown(self) -> None:
        self.opened.__exit__(None, None, None)

    def walk(self, header: Header) -> None:
        with self.chain.database.read() as snapshot:
            self.held[header.hash] = state_nodes(snapshot, header)

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
                    assert state_nodes(snapshot, header) == self.held[header.hash]
                    assert get_block(snapshot, header.hash) is not None
                elif header.state_root != self.path[-1].state_root:
                    with pytest.raises(PrunedHistory):
                        state_view(snapshot, header)
            check_flat_state(snapshot, self.path[-1].state_root)

    @invariant()
    def what_is_not_kept_is_gone(self) -> None:
        expected: set[bytes] = set()
        for header in self.path[self.first :]:
            expected |= self.held[header.hash]
        for header in self.branches.values():
            if header.number > self.first:
                expected |= self.held[header.hash] - self.held[header.parent_hash]
        with self.chain.database.read() as snapshot:
            assert stored_nodes(snapshot).keys() == expected
            states = {key for key, _ in snapshot.items(Table.STATES)}
            bodies = {key for key, _ in snapshot.items(Table.BODIES)}
            receipts = {key for key, _ in snapshot.items(Table.RECEIPTS)}
            places = {raw[:32] for _, raw in snapshot.items(Table.TRANSACTIONS)}
        canonical = {header.hash for header in self.path[self.first :]}
        branches = {h.hash for h in self.branches.values() if h.number > self.first}
        assert states == canonical | branches
        canonical.add(self.path[0].hash)
        assert bodies == receipts == canonical | branches
        assert places <= canonical

    @rule()
    def settle(self) -> None:
        """With one block kept and no branch left, there are the nodes of two states."""
        self.restart(1)
        for _ in range(3):
            self.add_and_finalize([], 0)
        self.add_and_finalize([], 0)
        with self.chain.database.read() as snapshot:
            first = first_kept(snapshot)
            assert first == len(self.path) - 2 == self.finalized
            self.first = first
            held = self.held[self.path[first].hash] | self.held[self.path[-1].hash]
            assert stored_nodes(snapshot).keys() == held


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)

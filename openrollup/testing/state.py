"""The state between two transactions of a block, to be asked and called."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from node.chain import ancestor_hashes, state_view
from node.execution.simulate import CallRequest, call
from node.reader import Reader
from node.state.linked_node import LinkedNode, Reference
from node.state.view import EMPTY_ACCOUNT, Account, StateChanges, StateView
from node.types.block import Block, Header
from node.types.primitives import (
    ZERO_ADDRESS,
    Address,
    BlockNumber,
    Hash32,
    hex_address,
)


@dataclass(frozen=True, slots=True)
class State:
    """The state of `block`'s parent, changed by some of the block's transactions.

    Addresses are given as bytes or in hexadecimal, amounts are in wei.
    """

    reader: Reader
    parent: Header
    block: Block
    changes: StateChanges

    def balance(self, address: str | bytes) -> int:
        """Return what an account owns."""
        return self._account(address).balance

    def nonce(self, address: str | bytes) -> int:
        """Return how many transactions an account has sent."""
        return self._account(address).nonce

    def code(self, address: str | bytes) -> bytes:
        """Return a contract's code, empty for other accounts."""
        code_hash = self._account(address).code_hash
        with self._view() as (view, _):
            return view.code(code_hash)

    def storage(self, address: str | bytes, slot: int) -> int:
        """Return a storage slot, 0 where nothing is stored."""
        with self._view() as (view, _):
            return view.storage(_address(address), slot)

    def call(
        self,
        to: str | bytes,
        data: bytes = b"",
        *,
        sender: str | bytes = ZERO_ADDRESS,
        value: int = 0,
    ) -> bytes:
        """Return what a contract answers to a message in this block, which changes nothing.

        ExecutionReverted with its reason, ExecutionFailed for any other failure.
        """
        request = CallRequest(
            sender=_address(sender), to=_address(to), data=bytes(data), value=value
        )
        with self._view() as (view, block_hash):
            outcome = call(
                self.reader.config,
                self.block.header,
                view,
                request,
                block_hash,
                interpreter=self.reader.interpreter,
            )
        return outcome.output

    def _account(self, address: str | bytes) -> Account:
        with self._view() as (view, _):
            return view.account(_address(address)) or EMPTY_ACCOUNT

    @contextmanager
    def _view(self) -> Iterator[tuple[StateView, Callable[[BlockNumber], Hash32]]]:
        with self.reader.snapshot() as snapshot:
            view = ChangedView(state_view(snapshot, self.parent), self.changes)
            yield view, ancestor_hashes(snapshot, self.parent)


class ChangedView:
    """A StateView on another one and the changes to it."""

    def __init__(self, view: StateView, changes: StateChanges) -> None:
        self._view = view
        self._changes = changes

    @property
    def state_root(self) -> Hash32:
        """StateView."""
        return self._changes.state_root

    def account(self, address: Address) -> Account | None:
        """StateView."""
        accounts = self._changes.accounts
        return accounts[address] if address in accounts else self._view.account(address)

    def storage(self, address: Address, slot: int) -> int:
        """StateView."""
        value = self._changes.storage.get((address, slot))
        if value is not None:
            return value
        if address in self._changes.cleared_storage or self.account(address) is None:
            return 0
        return self._view.storage(address, slot)

    def code(self, code_hash: Hash32) -> bytes:
        """StateView."""
        code = self._changes.codes.get(code_hash)
        return self._view.code(code_hash) if code is None else code

    @property
    def root(self) -> Reference | None:
        """StateView."""
        return self._changes.root

    @property
    def next_node(self) -> int:
        """StateView."""
        return self._changes.nodes.next

    def trie_node(self, reference: Reference) -> LinkedNode:
        """StateView."""
        return self._changes.nodes.find(reference) or self._view.trie_node(reference)


def _address(given: str | bytes) -> Address:
    return hex_address(given) if isinstance(given, str) else Address(bytes(given))

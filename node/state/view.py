"""What the rest of the node knows about state: accounts, read-only views, and a block's changes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from node.errors import CorruptStore
from node.state.linked_node import LinkedNode, NewNodes, Reference, moved_number
from node.types.primitives import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    UINT64_MAX,
    Address,
    Hash32,
    keccak256,
)
from node.types.rlp_codec import as_bytes, as_list, as_uint, decode, encode, encode_uint

_HASH_PART_SIZE = 33


class Account(NamedTuple):
    """The four fields of an account in the state trie; `balance` is in wei."""

    nonce: int
    balance: int
    storage_root: Hash32
    code_hash: Hash32

    def encode(self) -> bytes:
        """Return the RLP encoding that the state trie commits to."""
        numbers = (encode_uint(self.nonce), encode_uint(self.balance))
        return encode([*numbers, self.storage_root, self.code_hash])

    @property
    def is_empty(self) -> bool:
        """Empty in the sense of EIP-161: no nonce, no balance and no code."""
        return self.nonce == 0 and self.balance == 0 and self.code_hash == EMPTY_CODE_HASH


EMPTY_ACCOUNT = Account(0, 0, EMPTY_TRIE_ROOT, EMPTY_CODE_HASH)


def decode_account(raw: bytes) -> Account:
    """Decode what `Account.encode` wrote; DecodingError for anything else."""
    # Every account that a block touches comes through here: the usual form is taken apart by hand.
    size = len(raw)
    tail = size - 2 * _HASH_PART_SIZE
    if tail > 3 and raw[0] == 0xF8 and raw[1] == size - 2 and raw[tail] == raw[-33] == 0xA0:
        nonce, middle = _short_uint(raw, 2)
        balance, end = _short_uint(raw, middle)
        if end == tail and nonce <= UINT64_MAX:
            return Account(
                nonce, balance, Hash32(raw[tail + 1 : tail + 33]), Hash32(raw[tail + 34 :])
            )
    fields = as_list(decode(raw, 1), "account", 4)
    return Account(
        as_uint(fields[0], "account nonce", 64),
        as_uint(fields[1], "account balance"),
        Hash32(as_bytes(fields[2], "account storage root", 32)),
        Hash32(as_bytes(fields[3], "account code hash", 32)),
    )


def _short_uint(raw: bytes, start: int) -> tuple[int, int]:
    """Return an integer that is encoded at `start`, and its end; an end of 0 if it is none."""
    prefix = raw[start]
    if 0 < prefix < 0x80:
        return prefix, start + 1
    end = start + prefix - 0x7F
    value = int.from_bytes(raw[start + 1 : end], "big")
    # As long as it must be, and not a single byte that needs no prefix.
    is_shortest = (value.bit_length() + 7) >> 3 == prefix - 0x80 and not 0 < value < 0x80
    if 0x80 <= prefix <= 0xA0 and is_shortest:
        return value, end
    return 0, 0


class StateView(Protocol):
    """The whole state, read-only, as it is after one block."""

    @property
    def state_root(self) -> Hash32:
        """The root of the state trie."""
        ...

    def account(self, address: Address) -> Account | None:
        """Return an account, None if it does not exist."""
        ...

    def storage(self, address: Address, slot: int) -> int:
        """Return the value of a storage slot, 0 where nothing is stored."""
        ...

    def code(self, code_hash: Hash32) -> bytes:
        """Return the code with this hash; CorruptStore if it is missing."""
        ...

    @property
    def root(self) -> Reference | None:
        """Where the state trie is; None if it is empty."""
        ...

    @property
    def next_node(self) -> int:
        """The number that the next trie node gets."""
        ...

    def trie_node(self, reference: Reference) -> LinkedNode:
        """Return a trie node; CorruptStore if it is missing or damaged."""
        ...


def checked_code(code_hash: Hash32, found: bytes | None) -> bytes:
    """Return what was found under a code hash, if it is that code; CorruptStore otherwise."""
    if code_hash == EMPTY_CODE_HASH:
        return b""
    if found is None:
        raise CorruptStore(f"code 0x{code_hash.hex()} is missing")
    if keccak256(found) != code_hash:
        raise CorruptStore(f"code 0x{code_hash.hex()}: the stored bytes have another hash")
    return found


@dataclass(frozen=True, slots=True)
class StateChanges:
    """What a block did to the state of its parent; values that stayed the same are left out.

    None stands for an account that does not exist, 0 for a slot that is not set. Accounts in
    `cleared_storage` lost all storage that the parent had (they were deleted, or created anew over
    it): their `storage` entries are what was set afterwards, and `previous_storage` does not list
    what was lost, since a view cannot list an account's slots.

    `nodes` are those that the tries gained; the state trie is at `root` then. `lost_nodes` are the
    numbers of those that they lost, but for the tries of `cleared_storage`, which were not read:
    they are lost as a whole, from `lost_tries` on.
    """

    parent_root: Hash32
    state_root: Hash32
    accounts: Mapping[Address, Account | None]
    storage: Mapping[tuple[Address, int], int]
    previous_accounts: Mapping[Address, Account | None]
    previous_storage: Mapping[tuple[Address, int], int]
    cleared_storage: frozenset[Address]
    codes: Mapping[Hash32, bytes]
    nodes: NewNodes
    root: Reference | None
    lost_nodes: tuple[bytes, ...]
    lost_tries: tuple[Reference, ...]

    def moved(self, first: int) -> "StateChanges":
        """Return the changes with their nodes numbered from `first`: others were written since."""
        before, root = self.nodes.first, self.root
        if first == before:
            return self
        if root is not None:
            root = root[:32] + moved_number(root[32:], before, first)
        return replace(self, nodes=self.nodes.moved(first), root=root)

"""A state in plain dictionaries that are copied at every checkpoint: slow and obvious."""

from copy import deepcopy
from dataclasses import dataclass, field

from trie import HexaryTrie

from node.state.view import Account
from node.types.primitives import Address, Hash32, keccak256
from node.types.rlp_codec import encode, encode_uint


@dataclass
class ModelAccount:
    """An account and its code in full."""

    nonce: int = 0
    balance: int = 0
    code: bytes = b""

    @property
    def is_empty(self) -> bool:
        return self == ModelAccount()


Slots = dict[int, int]


@dataclass
class Model:
    """Everything that a checkpoint covers."""

    accounts: dict[Address, ModelAccount] = field(default_factory=dict)
    storage: dict[Address, Slots] = field(default_factory=dict)
    original: dict[Address, Slots] = field(default_factory=dict)
    transient: dict[tuple[Address, int], bytes] = field(default_factory=dict)
    warm: set[Address | tuple[Address, int]] = field(default_factory=set)
    touched: set[Address] = field(default_factory=set)

    def copy(self) -> "Model":
        return deepcopy(self)

    def touch(self, address: Address) -> ModelAccount:
        self.touched.add(address)
        return self.accounts.setdefault(address, ModelAccount())

    def delete_storage(self, address: Address) -> None:
        self.storage.pop(address, None)
        self.original.pop(address, None)

    def delete_account(self, address: Address) -> None:
        self.touched.add(address)
        self.accounts.pop(address, None)
        self.delete_storage(address)

    def end_transaction(self) -> None:
        for address in list(self.touched):
            account = self.accounts.get(address)
            if account is not None and account.is_empty:
                self.delete_account(address)
        self.original = deepcopy(self.storage)
        self.transient.clear()
        self.warm.clear()
        self.touched.clear()

    def root(self) -> Hash32:
        """The state root by the reference trie."""
        state = HexaryTrie({})
        for address, account in self.accounts.items():
            storage = HexaryTrie({})
            for slot, value in self.storage.get(address, {}).items():
                if value:
                    storage[keccak256(slot.to_bytes(32, "big"))] = encode(encode_uint(value))
            root, code_hash = Hash32(storage.root_hash), keccak256(account.code)
            encoded = Account(account.nonce, account.balance, root, code_hash).encode()
            state[keccak256(address)] = encoded
        return Hash32(state.root_hash)

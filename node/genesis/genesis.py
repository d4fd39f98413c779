"""The first block of a chain and the state it starts from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from node.config import ChainConfig
from node.execution.transition import ExecutedBlock
from node.state.linked_node import NewNodes, no_nodes
from node.state.trie import Trie
from node.state.view import Account, StateChanges
from node.types.block import Block, Header
from node.types.primitives import (
    EMPTY_BLOOM,
    EMPTY_CODE_HASH,
    EMPTY_REQUESTS_HASH,
    EMPTY_TRIE_ROOT,
    ZERO_ADDRESS,
    ZERO_HASH,
    Address,
    BlockNumber,
    Hash32,
    hex_address,
    keccak256,
)
from node.types.rlp_codec import encode, encode_uint

DEFAULT_BASE_FEE = 10**9
MESSAGE_PASSER = hex_address("0x4200000000000000000000000000000000000016")


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """An account that exists before the first block. `balance` is in wei."""

    balance: int = 0
    nonce: int = 0
    code: bytes = b""
    storage: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Genesis:
    """What a geth-format genesis file says. `timestamp` is in seconds, `base_fee` in wei per gas.

    `raw_config` is the file's own `config` object, kept so that writing the file loses nothing.
    """

    config: ChainConfig
    raw_config: Mapping[str, Any]
    timestamp: int
    gas_limit: int
    alloc: Mapping[Address, GenesisAccount]
    extra_data: bytes = b""
    base_fee: int = DEFAULT_BASE_FEE
    coinbase: Address = ZERO_ADDRESS
    prev_randao: Hash32 = ZERO_HASH
    difficulty: int = 0
    nonce: bytes = bytes(8)
    gas_used: int = 0
    blob_gas_used: int = 0
    excess_blob_gas: int = 0
    parent_hash: Hash32 = ZERO_HASH
    _made: list[Block] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def block(self) -> Block:
        """Block 0, which takes milliseconds to make: it is made once."""
        if not self._made:
            self._made.append(genesis_block(self).block)
        return self._made[0]


def genesis_block(genesis: Genesis) -> ExecutedBlock:
    """Return block 0 with the state it creates, as geth's genesis construction defines them.

    All of that is in memory; `write_genesis` is for large states.
    """
    changes = _state(genesis.alloc)
    passer = changes.accounts.get(MESSAGE_PASSER)
    passer_root = passer.storage_root if passer else EMPTY_TRIE_ROOT
    block = first_block(genesis, changes.state_root, passer_root)
    return ExecutedBlock(block=block, receipts=(), changes=changes)


def first_block(genesis: Genesis, state_root: Hash32, passer_root: Hash32) -> Block:
    """Return block 0 over a state; `passer_root` is the storage root of the message passer."""
    is_prague = genesis.config.is_prague(genesis.timestamp)
    # Isthmus puts that root where Ethereum has the withdrawals root.
    is_isthmus = is_prague and genesis.config.rollup is not None
    header = Header(
        parent_hash=genesis.parent_hash,
        coinbase=genesis.coinbase,
        state_root=state_root,
        transactions_root=EMPTY_TRIE_ROOT,
        receipts_root=EMPTY_TRIE_ROOT,
        bloom=EMPTY_BLOOM,
        number=BlockNumber(0),
        gas_limit=genesis.gas_limit,
        gas_used=genesis.gas_used,
        timestamp=genesis.timestamp,
        extra_data=genesis.extra_data,
        prev_randao=genesis.prev_randao,
        base_fee=genesis.base_fee,
        withdrawals_root=passer_root if is_isthmus else EMPTY_TRIE_ROOT,
        blob_gas_used=genesis.blob_gas_used,
        excess_blob_gas=genesis.excess_blob_gas,
        parent_beacon_block_root=ZERO_HASH,
        requests_hash=EMPTY_REQUESTS_HASH if is_prague else None,
        difficulty=genesis.difficulty,
        nonce=genesis.nonce,
    )
    return Block(header, ())


def _state(alloc: Mapping[Address, GenesisAccount]) -> StateChanges:
    accounts: dict[Address, Account | None] = {}
    storage: dict[tuple[Address, int], int] = {}
    codes: dict[Hash32, bytes] = {}
    nodes = NewNodes(1)
    state = Trie(no_nodes, None, nodes)
    for address, content in alloc.items():
        slots = {slot: value for slot, value in content.storage.items() if value}
        storage_trie = Trie(no_nodes, None, nodes)
        for slot, value in slots.items():
            storage_trie.put(keccak256(slot.to_bytes(32, "big")), encode(encode_uint(value)))
        code_hash = keccak256(content.code) if content.code else EMPTY_CODE_HASH
        if content.code:
            codes[code_hash] = content.code
        account = Account(content.nonce, content.balance, storage_trie.commit(), code_hash)
        # Empty accounts are kept: geth does not apply EIP-161 to the genesis allocation.
        link = b"" if storage_trie.root is None else storage_trie.root[32:]
        state.put(keccak256(address), account.encode(), link)
        accounts[address] = account
        storage.update({(address, slot): value for slot, value in slots.items()})
    return StateChanges(
        parent_root=EMPTY_TRIE_ROOT,
        state_root=state.commit(),
        accounts=accounts,
        storage=storage,
        previous_accounts=dict.fromkeys(accounts),
        previous_storage=dict.fromkeys(storage, 0),
        cleared_storage=frozenset(),
        codes=codes,
        nodes=nodes,
        root=state.root,
        lost_nodes=(),
        lost_tries=(),
    )

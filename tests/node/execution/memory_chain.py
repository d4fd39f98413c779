"""A chain in memory: blocks executed on the trie state of their parents, nothing stored."""

from collections.abc import Mapping
from dataclasses import replace

from node.config import ChainConfig
from node.execution.transition import (
    DEPOSITOR,
    BlockExecution,
    ExecutedBlock,
    build_block,
    execute_block,
)
from node.genesis import Genesis, genesis_block
from node.state.linked_node import LinkedNode, NewNodes, Reference, checked_node
from node.state.trie_state import TrieState
from node.state.view import Account, StateChanges
from node.state.world_state import WorldState
from node.types.block import AnyTransaction, Block, Header, Withdrawal
from node.types.deposit import DepositTransaction, make_deposit
from node.types.payload import PayloadAttributes
from node.types.primitives import (
    EMPTY_TRIE_ROOT,
    Address,
    BlockNumber,
    Hash32,
    hex_address,
    keccak256,
)

L1_BLOCK = hex_address("4200000000000000000000000000000000000015")
SEQUENCER_VAULT = hex_address("4200000000000000000000000000000000000011")


class StateStore:
    """Trie nodes by number, codes by hash, fed with the changes of blocks."""

    def __init__(self) -> None:
        self.nodes = NewNodes(1)
        self.roots: dict[Hash32, Reference | None] = {EMPTY_TRIE_ROOT: None}
        self.codes: dict[Hash32, bytes] = {}

    def view(self, root: Hash32) -> TrieState:
        return TrieState(self.node, self.roots[root], self.codes.get, self.nodes.next)

    def node(self, reference: Reference) -> LinkedNode:
        return checked_node(reference, self.nodes.find(reference))

    def world(self) -> WorldState:
        """A new, empty state to fill and `add`."""
        return WorldState(self.view(EMPTY_TRIE_ROOT))

    def add(self, changes: StateChanges) -> Hash32:
        changes = changes.moved(self.nodes.next)
        self.nodes.nodes += changes.nodes.nodes
        self.roots[changes.state_root] = changes.root
        self.codes.update(changes.codes)
        return changes.state_root


class MemoryChain:
    """Blocks on a genesis. `config` replaces the genesis' own, to try other forks."""

    def __init__(self, genesis: Genesis, config: ChainConfig | None = None) -> None:
        first = genesis_block(genesis)
        self.config = config or genesis.config
        self.store = StateStore()
        self.store.add(first.changes)
        self.head: Header = first.block.header
        if not self.config.is_prague(self.head.timestamp):
            self.head = replace(self.head, requests_hash=None)
        self.hashes = {self.head.number: self.head.hash}

    def block_hash(self, number: BlockNumber) -> Hash32:
        return self.hashes[number]

    def attributes(
        self,
        *transactions: AnyTransaction,
        extra_data: bytes | None = None,
        gas_limit: int | None = None,
        timestamp: int | None = None,
        withdrawals: tuple[Withdrawal, ...] = (),
        fee_recipient: Address = SEQUENCER_VAULT,
    ) -> PayloadAttributes:
        return PayloadAttributes(
            timestamp=self.head.timestamp + 2 if timestamp is None else timestamp,
            prev_randao=keccak256(b"randao" + self.head.hash),
            fee_recipient=fee_recipient,
            parent_beacon_block_root=keccak256(b"beacon" + self.head.hash),
            gas_limit=gas_limit or self.head.gas_limit,
            extra_data=self.head.extra_data if extra_data is None else extra_data,
            transactions=transactions,
            withdrawals=withdrawals,
        )

    def view(self) -> TrieState:
        return self.store.view(self.head.state_root)

    def begin(self, attributes: PayloadAttributes | None = None) -> BlockExecution:
        attributes = attributes or self.attributes()
        return BlockExecution(self.config, self.head, attributes, self.view(), self.block_hash)

    def build(self, attributes: PayloadAttributes) -> ExecutedBlock:
        return build_block(self.config, self.head, attributes, self.view(), self.block_hash)

    def execute(self, block: Block) -> ExecutedBlock:
        return execute_block(self.config, self.head, block, self.view(), self.block_hash)

    def add(self, executed: ExecutedBlock) -> ExecutedBlock:
        self.store.add(executed.changes)
        self.head = executed.block.header
        self.hashes[self.head.number] = self.head.hash
        return executed

    def extend(self, *transactions: AnyTransaction) -> ExecutedBlock:
        return self.add(self.build(self.attributes(*transactions)))

    def account(self, address: Address) -> Account | None:
        return self.view().account(address)

    def balance(self, address: Address) -> int:
        account = self.account(address)
        return 0 if account is None else account.balance

    def nonce(self, address: Address) -> int:
        account = self.account(address)
        return 0 if account is None else account.nonce

    def storage(self, address: Address, slot: int) -> int:
        return self.view().storage(address, slot)


def l1_attributes(
    *,
    l1_base_fee: int = 10**9,
    l1_blob_base_fee: int = 10**8,
    base_fee_scalar: int = 1_368,
    blob_base_fee_scalar: int = 810_949,
    operator_fee_scalar: int = 0,
    operator_fee_constant: int = 0,
    da_footprint_gas_scalar: int | None = None,
    is_isthmus: bool = True,
) -> DepositTransaction:
    """The deposit that opens a block, in the newest layout that its arguments allow."""
    data = base_fee_scalar.to_bytes(4, "big") + blob_base_fee_scalar.to_bytes(4, "big")
    data += (0).to_bytes(8, "big") + (1_700_000_000).to_bytes(8, "big") + (7).to_bytes(8, "big")
    data += l1_base_fee.to_bytes(32, "big") + l1_blob_base_fee.to_bytes(32, "big")
    data += bytes(64)
    selector = "440a5e20"
    if is_isthmus:
        selector = "098999be"
        data += operator_fee_scalar.to_bytes(4, "big") + operator_fee_constant.to_bytes(8, "big")
    if da_footprint_gas_scalar is not None:
        selector = "3db6be2b"
        data += da_footprint_gas_scalar.to_bytes(2, "big")
    return make_deposit(
        source_hash=keccak256(data),
        sender=DEPOSITOR,
        to=L1_BLOCK,
        mint=0,
        value=0,
        gas=1_000_000,
        data=bytes.fromhex(selector) + data,
    )


def changed(header: Header, fields: Mapping[str, object]) -> Header:
    """A copy of a header with some fields replaced."""
    return replace(header, **fields)

"""Small chains of real blocks, for the tests of what stores and reads them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from node.engine import Engine
from node.execution.transition import ExecutedBlock
from node.genesis import Genesis, dev_accounts, l1_dev_genesis, l2_genesis
from node.genesis.predeploys import L1_BLOCK_ADDRESS
from node.reader import Reader
from node.storage.database import Database
from node.types.block import AnyTransaction, Header, Withdrawal
from node.types.deposit import DepositTransaction, l1_attributes_source_hash, make_deposit
from node.types.payload import PayloadAttributes
from node.types.primitives import Address, Hash32, create_address, hex_address, keccak256
from node.types.transaction import Transaction, sign_dynamic_fee

ALICE, BOB, CAROL = dev_accounts()[:3]
GENESIS = l1_dev_genesis(timestamp=1_700_000_000)
ROLLUP_GENESIS = l2_genesis(chain_id=901, timestamp=1_700_000_000)
DEPOSITOR = hex_address("0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001")
# Stores word 1 of its input under word 0, and logs word 0 as a topic.
STORE_AND_LOG = bytes.fromhex("60203560003555" + "600035" + "60206000a1" + "00")
CREATION_CODE = bytes.fromhex("60%02x600c60003960%02x6000f3" % ((len(STORE_AND_LOG),) * 2))
CREATION_CODE += STORE_AND_LOG


@dataclass
class Chain:
    """A store with its engine and reader, and the next nonce of each account."""

    database: Database
    engine: Engine
    reader: Reader

    def head(self) -> Header:
        return self.reader.head_header()

    def build(
        self,
        *transactions: AnyTransaction,
        parent: Header | None = None,
        salt: int = 0,
        withdrawals: tuple[Withdrawal, ...] = (),
    ) -> ExecutedBlock:
        """Execute a block on `parent`; `salt` tells siblings apart.

        On a rollup an L1-attributes deposit comes before the transactions.
        """
        parent = parent or self.head()
        attributes = replace(self.attributes(parent, salt), withdrawals=withdrawals)
        if self.reader.config.rollup is not None:
            transactions = (l1_attributes(parent), *transactions)
        with self.engine.begin(parent, attributes) as execution:
            for tx in transactions:
                execution.apply(tx)
            return execution.seal()

    @staticmethod
    def attributes(parent: Header, salt: int = 0) -> PayloadAttributes:
        """Return attributes, without transactions, of a block one second after `parent`."""
        return PayloadAttributes(
            timestamp=parent.timestamp + 1,
            prev_randao=Hash32(salt.to_bytes(32, "big")),
            fee_recipient=Address(b"\xfe" * 20),
            parent_beacon_block_root=keccak256(parent.hash),
            gas_limit=parent.gas_limit,
            extra_data=parent.extra_data,
        )

    def extend(self, *transactions: AnyTransaction, salt: int = 0) -> ExecutedBlock:
        """Insert a block on the head."""
        executed = self.build(*transactions, salt=salt)
        self.engine.insert(executed)
        return executed

    def transfer(
        self, value: int = 1, *, parent: Header | None = None, nonce_offset: int = 0
    ) -> Transaction:
        """Sign a payment from Alice to Bob that can be included on `parent`."""
        return self._sign(parent, nonce_offset, to=BOB.address, value=value)

    def pay(self, to: Address, value: int) -> Transaction:
        """Sign a payment from Alice that can be included on the head."""
        return self._sign(None, 0, to=to, value=value)

    def creation(self, *, parent: Header | None = None, nonce_offset: int = 0) -> Transaction:
        """Sign the creation of the contract that stores and logs."""
        return self._sign(parent, nonce_offset, to=None, data=CREATION_CODE)

    def store(
        self,
        contract: Address,
        slot: int,
        value: int,
        *,
        parent: Header | None = None,
        nonce_offset: int = 0,
    ) -> Transaction:
        """Sign a call that sets a slot of the contract."""
        data = slot.to_bytes(32, "big") + value.to_bytes(32, "big")
        return self._sign(parent, nonce_offset, to=contract, data=data)

    def _sign(
        self,
        parent: Header | None,
        nonce_offset: int,
        *,
        to: Address | None,
        value: int = 0,
        data: bytes = b"",
    ) -> Transaction:
        account = self.reader.account(ALICE.address, parent or self.head())
        assert account is not None
        return sign_dynamic_fee(
            ALICE.private_key,
            chain_id=self.reader.config.chain_id,
            nonce=account.nonce + nonce_offset,
            max_priority_fee_per_gas=10**9,
            max_fee_per_gas=10**11,
            gas=200_000,
            to=to,
            value=value,
            data=data,
        )


def l1_attributes(parent: Header) -> DepositTransaction:
    """Return the deposit that opens the block after `parent`, with fees and numbers of zero."""
    return make_deposit(
        source_hash=l1_attributes_source_hash(parent.hash, 0),
        sender=DEPOSITOR,
        to=L1_BLOCK_ADDRESS,
        mint=0,
        value=0,
        gas=1_000_000,
        data=bytes.fromhex("098999be") + bytes(172),
    )


@contextmanager
def open_chain(path: Path | None = None, genesis: Genesis = GENESIS) -> Iterator[Chain]:
    """Open a store (a temporary one without `path`) and give it its first block if it is new."""
    with Database.open(path) as database:
        engine = Engine(database, genesis.config)
        engine.initialise(genesis)
        yield Chain(database, engine, Reader(database, genesis.config))


def contract_of(creation: Transaction) -> Address:
    """Return the address that a creation makes."""
    return create_address(creation.sender, creation.nonce)


def numbered_from_1(executed: ExecutedBlock) -> ExecutedBlock:
    """Return a block without regard to what was written between its parent and it."""
    return replace(executed, changes=executed.changes.moved(1))

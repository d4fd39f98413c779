"""From a parent block, attributes and transactions to a block, its receipts and its state.

Nothing here writes, waits or looks at a clock: the same inputs give the same block everywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from node.config import ChainConfig
from node.errors import (
    InvalidBlock,
    InvalidTransaction,
    TransactionTypeNotSupported,
)
from node.evm.environment import BlockEnvironment, Interrupt, no_interrupt
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter, rules_at
from node.execution.block_usage import NOTHING, BlockUsage, limits_of, usage_of
from node.execution.fees import blob_base_fee_at, next_base_fee, next_excess_blob_gas
from node.execution.header import check_attributes, check_header, check_same
from node.execution.l1_fees import (
    L1_BLOCK,
    L1FeeParameters,
    da_footprint_gas_scalar,
    read_l1_fee_parameters,
)
from node.execution.requests import begin_block, collect_requests, requests_hash
from node.execution.transaction import Effect, apply_deposit, apply_signed
from node.state.trie import ordered_root
from node.state.view import StateChanges, StateView
from node.state.world_state import WorldState
from node.types.block import AnyTransaction, Block, Header
from node.types.deposit import DepositTransaction
from node.types.payload import PayloadAttributes, attributes_of
from node.types.primitives import (
    EMPTY_REQUESTS_HASH,
    EMPTY_TRIE_ROOT,
    ZERO_HASH,
    Address,
    BlockNumber,
    Hash32,
    create_address,
    hex_address,
)
from node.types.receipt import Receipt, logs_bloom
from node.types.transaction import Transaction

DEPOSITOR = hex_address("deaddeaddeaddeaddeaddeaddeaddeaddead0001")
MESSAGE_PASSER = hex_address("4200000000000000000000000000000000000016")

_GWEI = 10**9


@dataclass(frozen=True, slots=True)
class ExecutedBlock:
    """A block with everything that its execution gave; `changes` are relative to its parent."""

    block: Block
    receipts: tuple[Receipt, ...]
    changes: StateChanges


class BlockExecution:
    """One block in the making, on top of `parent`, whose state is `view`.

    The system calls at its beginning have run when the constructor returns; transactions, those
    of the attributes too, are the caller's to `apply`. InvalidBlock for attributes that no block
    on this parent can have.
    """

    def __init__(
        self,
        config: ChainConfig,
        parent: Header,
        attributes: PayloadAttributes,
        view: StateView,
        block_hash: Callable[[BlockNumber], Hash32],
        interpreter: Interpreter = DEFAULT_INTERPRETER,
    ) -> None:
        check_attributes(config, parent, attributes)
        self._config = config
        self._parent = parent
        self._attributes = attributes
        self._view = view
        self._rules = rules_at(config, attributes.timestamp, interpreter)
        self._excess_blob_gas = next_excess_blob_gas(config, parent, attributes.timestamp)
        self._environment = BlockEnvironment(
            chain_id=config.chain_id,
            coinbase=attributes.fee_recipient,
            timestamp=attributes.timestamp,
            number=BlockNumber(parent.number + 1),
            gas_limit=attributes.gas_limit,
            base_fee=next_base_fee(config, parent),
            prev_randao=attributes.prev_randao,
            blob_base_fee=blob_base_fee_at(config, attributes.timestamp, self._excess_blob_gas),
            block_hash=block_hash,
        )
        self._interruptible = self._environment
        self._world = WorldState(view)
        self._limits = limits_of(config, self._rules, attributes)
        self._used = NOTHING
        self._gas_used = 0
        self._transactions: list[AnyTransaction] = []
        self._receipts: list[Receipt] = []
        self._l1_fees: L1FeeParameters | None = None
        begin_block(
            self._world,
            self._environment,
            self._rules,
            parent.hash,
            attributes.parent_beacon_block_root,
        )

    @property
    def base_fee(self) -> int:
        """The block's base fee, in wei."""
        return self._environment.base_fee

    @property
    def gas_used(self) -> int:
        """The gas of all transactions so far."""
        return self._gas_used

    @property
    def gas_left(self) -> int:
        """How high the gas limit of the next transaction may be."""
        return self._attributes.gas_limit - self._gas_used

    @property
    def da_bytes(self) -> int:
        """The size of all signed transactions so far: what a batcher has to publish."""
        return self._used.da_bytes

    def changes(self) -> StateChanges:
        """Return what the block has done to its parent's state so far."""
        return self._world.changes()

    def has_spent(self, address: Address) -> bool:
        """Whether an account owns less by now than on the parent's state."""
        before = self._view.account(address)
        return before is not None and self._world.get_balance(address) < before.balance

    def apply(self, tx: AnyTransaction, interrupt: Interrupt = no_interrupt) -> Receipt:
        """Run a transaction and make it the block's next.

        InvalidTransaction says why it cannot be included here, and leaves no trace, like anything
        that `interrupt` raises; InvalidBlock if a rollup's first transaction is not an
        L1-attributes deposit.
        """
        share = self._check_share(tx)
        checkpoint = self._world.record()
        try:
            nonce, effect = self._run(tx, interrupt)
        except BaseException:
            self._world.discard(checkpoint)
            raise
        self._world.end_transaction()
        return self._add(tx, share, nonce, effect)

    def seal(self) -> ExecutedBlock:
        """Finish the block: requests, withdrawals, roots and header. Only once."""
        if self._rules.is_rollup and not self._transactions:
            raise InvalidBlock("transactions", "an L1-attributes deposit", "no transactions")
        requests = self._requests()
        for withdrawal in self._attributes.withdrawals:
            self._world.add_balance(withdrawal.address, withdrawal.amount * _GWEI)
        self._world.end_transaction()
        changes = self._world.changes()
        receipts = tuple(self._receipts)
        block = Block(
            self._header(changes, requests),
            tuple(self._transactions),
            self._attributes.withdrawals,
        )
        return ExecutedBlock(block, receipts, changes)

    def _run(self, tx: AnyTransaction, interrupt: Interrupt) -> tuple[int, Effect]:
        """Return the sender's nonce before the transaction, and its effect."""
        world, rules = self._world, self._rules
        environment = self._environment_with(interrupt)
        if isinstance(tx, DepositTransaction):
            nonce = world.get_nonce(tx.sender)
            return nonce, apply_deposit(tx, world, environment, rules, self.gas_left)
        l1_fees = self._read_l1_fees()
        return tx.nonce, apply_signed(tx, world, environment, rules, l1_fees, self.gas_left)

    def _environment_with(self, interrupt: Interrupt) -> BlockEnvironment:
        """Return the block's environment; whoever fills a block has one interrupt for all of it."""
        if interrupt is no_interrupt:
            return self._environment
        if interrupt is not self._interruptible.interrupt:
            self._interruptible = replace(self._environment, interrupt=interrupt)
        return self._interruptible

    def _read_l1_fees(self) -> L1FeeParameters | None:
        """Read L1Block at the first signed transaction, when all deposits before it have run."""
        if self._l1_fees is None and self._rules.is_rollup:
            self._l1_fees = read_l1_fee_parameters(self._world.get_storage, self._rules)
        return self._l1_fees

    def _check_share(self, tx: AnyTransaction) -> BlockUsage:
        """Check that a transaction may come next, gas aside, and return what it takes."""
        if self._rules.is_rollup and not self._transactions:
            _check_l1_attributes(tx)
        if isinstance(tx, Transaction):
            share = usage_of(tx, self._rules, self._da_footprint_gas_scalar())
            self._limits.check(self._used, share)
            return share
        if not self._rules.is_rollup:
            raise TransactionTypeNotSupported(f"transaction type not supported: {tx.type}")
        return NOTHING

    def _da_footprint_gas_scalar(self) -> int:
        """Return what a byte of a signed transaction counts for in the DA footprint, in gas."""
        if not self._rules.is_jovian:
            return 0
        attributes = self._transactions[0].data
        scalar = da_footprint_gas_scalar(attributes)
        if scalar is None:
            raise InvalidBlock(
                "transactions[0]",
                "Jovian L1 attributes, with a DA footprint scalar",
                attributes[:4],
            )
        return scalar

    def _add(self, tx: AnyTransaction, share: BlockUsage, nonce: int, effect: Effect) -> Receipt:
        self._used = self._used.plus(share)
        self._gas_used += effect.gas_used
        receipt = Receipt(
            type=tx.type,
            status=1 if effect.outcome.success else 0,
            cumulative_gas_used=self._gas_used,
            gas_used=effect.gas_used,
            logs=effect.outcome.logs,
            bloom=logs_bloom(effect.outcome.logs),
            deposit_nonce=nonce if isinstance(tx, DepositTransaction) else None,
            contract_address=create_address(tx.sender, nonce) if tx.to is None else None,
        )
        self._transactions.append(tx)
        self._receipts.append(receipt)
        return receipt

    def _requests(self) -> Hash32 | None:
        if not self._rules.is_prague:
            return None
        if self._rules.is_rollup:
            return EMPTY_REQUESTS_HASH
        contract = self._config.deposit_contract
        return requests_hash(
            collect_requests(self._world, self._environment, self._rules, self._receipts, contract)
        )

    def _header(self, changes: StateChanges, requests: Hash32 | None) -> Header:
        used, attributes = self._used, self._attributes
        bloom = 0
        for receipt in self._receipts:
            bloom |= int.from_bytes(receipt.bloom, "big")
        return Header(
            parent_hash=self._parent.hash,
            coinbase=attributes.fee_recipient,
            state_root=changes.state_root,
            transactions_root=ordered_root([tx.raw for tx in self._transactions]),
            receipts_root=ordered_root([receipt.encode() for receipt in self._receipts]),
            bloom=bloom.to_bytes(256, "big"),
            number=self._environment.number,
            gas_limit=attributes.gas_limit,
            gas_used=self._gas_used,
            timestamp=attributes.timestamp,
            extra_data=attributes.extra_data,
            prev_randao=attributes.prev_randao,
            base_fee=self._environment.base_fee,
            withdrawals_root=self._withdrawals_root(changes),
            blob_gas_used=used.da_footprint if self._rules.is_rollup else used.blob_gas,
            excess_blob_gas=self._excess_blob_gas,
            parent_beacon_block_root=attributes.parent_beacon_block_root,
            requests_hash=requests,
        )

    def _withdrawals_root(self, changes: StateChanges) -> Hash32:
        """Since Isthmus a rollup's header commits to the messages that left it."""
        if not self._rules.is_rollup:
            return ordered_root([item.encode() for item in self._attributes.withdrawals])
        if not self._rules.is_prague:
            return EMPTY_TRIE_ROOT
        if MESSAGE_PASSER in changes.accounts:
            account = changes.accounts[MESSAGE_PASSER]
        else:
            account = self._view.account(MESSAGE_PASSER)
        return ZERO_HASH if account is None else account.storage_root


def _check_l1_attributes(tx: AnyTransaction) -> None:
    is_deposit = isinstance(tx, DepositTransaction)
    if not (is_deposit and tx.sender == DEPOSITOR and tx.to == L1_BLOCK):
        raise InvalidBlock(
            "transactions[0]",
            f"an L1-attributes deposit from 0x{DEPOSITOR.hex()}",
            f"a transaction of type {tx.type} from 0x{tx.sender.hex()}",
        )


def build_block(
    config: ChainConfig,
    parent: Header,
    attributes: PayloadAttributes,
    view: StateView,
    block_hash: Callable[[BlockNumber], Hash32],
    interpreter: Interpreter = DEFAULT_INTERPRETER,
) -> ExecutedBlock:
    """Build the block that holds exactly the attributes' transactions.

    InvalidBlock names the index of a transaction that cannot be included, and why.
    """
    execution = BlockExecution(config, parent, attributes, view, block_hash, interpreter)
    for index, tx in enumerate(attributes.transactions):
        try:
            execution.apply(tx)
        except InvalidTransaction as error:
            raise InvalidBlock(
                f"transactions[{index}]", "a transaction that can be included", error
            ) from error
    return execution.seal()


def execute_block(
    config: ChainConfig,
    parent: Header,
    block: Block,
    view: StateView,
    block_hash: Callable[[BlockNumber], Hash32],
    interpreter: Interpreter = DEFAULT_INTERPRETER,
) -> ExecutedBlock:
    """Execute a block that somebody claims to be valid; InvalidBlock names what is not."""
    header = block.header
    check_header(config, parent, header)
    executed = build_block(config, parent, attributes_of(block), view, block_hash, interpreter)
    check_same(executed.block.header, header)
    return ExecutedBlock(block, executed.receipts, executed.changes)

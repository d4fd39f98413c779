"""A chain that is executed again from its genesis on, in a store that nobody else sees."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from node.difference import Differs
from node.engine import Engine
from node.errors import InvalidBlock, InvalidTransaction
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from node.execution.header import check_header, check_same
from node.execution.transition import BlockExecution, ExecutedBlock
from node.genesis.genesis import Genesis
from node.reader import Reader
from node.state.trie import ordered_root
from node.storage.database import Database
from node.types.block import AnyTransaction, Block, BlockRef
from node.types.payload import attributes_of
from node.types.receipt import Receipt

CheckReceipt = Callable[[int, Receipt], None]
"""Is shown each receipt with its index as soon as there is one; Differs ends the block."""


def no_check(index: int, receipt: Receipt) -> None:
    """Compare a receipt with nothing."""


class ReplayedChain:
    """Blocks that came from anywhere, executed again. `reader` shows the chain as it is so far."""

    def __init__(self, database: Database, genesis: Genesis, interpreter: Interpreter) -> None:
        self._config = genesis.config
        self._engine = Engine(database, genesis.config, interpreter=interpreter)
        self._engine.initialise(genesis)
        self.reader = Reader(database, genesis.config, interpreter)

    @classmethod
    @contextmanager
    def open(
        cls, genesis: Genesis, interpreter: Interpreter = DEFAULT_INTERPRETER
    ) -> Iterator[Self]:
        """Begin with block 0, in a temporary store that goes when the `with` block ends."""
        with Database.open(None) as database:
            yield cls(database, genesis, interpreter)

    @property
    def head(self) -> BlockRef:
        """The newest block."""
        return self._engine.heads.unsafe

    def add(self, block: Block, check_receipt: CheckReceipt = no_check) -> None:
        """Execute a block on its parent and make it the head; Differs if it is not what comes out.

        Blocks above the parent, which is the head or one of its ancestors, are taken back.
        """
        check_transactions(block)
        with naming_differences(), self._begin(block) as execution:
            for index, tx in enumerate(block.transactions):
                check_receipt(index, apply_transaction(execution, index, tx))
            executed = execution.seal()
            check_same(executed.block.header, block.header)
        self._engine.insert(ExecutedBlock(block, executed.receipts, executed.changes))

    def execute_part(
        self, block: Block, count: int, check_receipt: CheckReceipt = no_check
    ) -> tuple[Receipt, ...]:
        """Execute the first `count` transactions of a block on its parent; nothing is kept."""
        receipts: list[Receipt] = []
        with naming_differences(), self._begin(block) as execution:
            for index, tx in enumerate(block.transactions[:count]):
                receipts.append(apply_transaction(execution, index, tx))
                check_receipt(index, receipts[-1])
        return tuple(receipts)

    @contextmanager
    def _begin(self, block: Block) -> Iterator[BlockExecution]:
        parent = self.reader.header_by_hash(block.header.parent_hash)
        if parent is None or not self.reader.is_canonical(parent.hash):
            raise Differs("parentHash", self.head.hash, block.header.parent_hash)
        check_header(self._config, parent, block.header)
        with self._engine.begin(parent, attributes_of(block)) as execution:
            yield execution


def check_transactions(block: Block) -> None:
    """Raise Differs unless a block's transactions are those that its header commits to."""
    root = ordered_root([tx.raw for tx in block.transactions])
    if root != block.header.transactions_root:
        raise Differs("transactionsRoot", root, block.header.transactions_root)


def apply_transaction(execution: BlockExecution, index: int, tx: AnyTransaction) -> Receipt:
    """Run a block's next transaction; Differs if it cannot be in this place."""
    try:
        return execution.apply(tx)
    except InvalidTransaction as error:
        raise Differs("transaction", "a valid transaction", error, index) from error


@contextmanager
def naming_differences() -> Iterator[None]:
    """Let what makes a block invalid be its difference."""
    try:
        yield
    except InvalidBlock as error:
        raise Differs(error.field, error.expected, error.actual) from error

"""One call or creation as the loop runs it: what it is, how it begins and how it ends."""

from typing import TYPE_CHECKING, Final

from eth.exceptions import OutOfGas, VMError

from node.evm.call_message import CallMessage
from node.evm.frame import (
    CODE_DEPOSIT_GAS,
    ExecutionState,
    TransactionContext,
    check_new_code,
)

if TYPE_CHECKING:  # a program's steps hold functions of a frame
    from node.evm.fast.program import Program


class CallFrame:
    """The parts of a frame. `context` is what opcodes can read that never changes in it."""

    __slots__ = (
        "address",
        "context",
        "data",
        "error",
        "gas",
        "is_static",
        "memory",
        "message",
        "output",
        "parent",
        "program",
        "result_size",
        "result_start",
        "return_data",
        "segment",
        "snapshot",
        "stack",
        "state",
        "transaction",
    )

    output: bytes
    error: VMError | None

    def __init__(
        self,
        state: ExecutionState,
        transaction: TransactionContext,
        message: CallMessage,
        program: "Program",
        parent: "CallFrame | None",
    ) -> None:
        self.state: Final = state
        self.transaction: Final = transaction
        self.message: Final = message
        self.parent: Final = parent
        self.address: Final = message.address
        self.data: Final = message.data
        self.is_static: Final = message.is_static
        self.gas = message.gas
        self.program = program
        self.segment = self.program.begin()
        self.stack: Final[list[int]] = []
        self.memory: Final = bytearray()
        self.return_data = b""
        self.output = b""
        self.error = None
        # Where the caller wants the output, and at most how much of it.
        self.result_start = self.result_size = 0
        self.context: Final[tuple[int, ...]] = (
            int.from_bytes(message.address, "big"),
            int.from_bytes(message.caller, "big"),
            message.value,
            len(message.data),
            *(block_context(state, transaction) if parent is None else parent.context[4:]),
        )
        self.snapshot: Final = state.snapshot()

    def begin(self) -> None:
        """Make the account, if this creates one, and transfer the value."""
        state, message = self.state, self.message
        if message.creates:
            state.created.add(message.address)
            state.increment_nonce(message.address)
        state.transfer(message)

    def fail(self, error: VMError) -> None:
        """End with an error; unless it is a REVERT, all gas is gone and there is no output."""
        self.error = error
        if error.burns_gas:
            self.gas = 0
            self.output = b""

    def finish(self) -> None:
        """Keep the new account's code, and undo everything if the frame failed."""
        if self.message.creates and self.error is None:
            self._deposit_code()
        if self.error is not None:
            self.state.revert(self.snapshot)
        self.message.release_data()

    def _deposit_code(self) -> None:
        gas = self.gas - CODE_DEPOSIT_GAS * len(self.output)
        try:
            check_new_code(self.output)
            if gas < 0:
                raise OutOfGas(f"code deposit: {-gas} gas missing")
        except VMError as error:
            error.__traceback__ = None  # it would keep this frame alive
            self.fail(error)
            return
        self.gas = gas
        if self.output:
            self.state.set_code(self.address, self.output)


def block_context(state: ExecutionState, transaction: TransactionContext) -> tuple[int, ...]:
    """Return what every frame of a transaction sees in the same way, in the order of its opcodes:
    ORIGIN, GASPRICE, COINBASE, TIMESTAMP, NUMBER, PREVRANDAO, GASLIMIT, CHAINID, BASEFEE,
    BLOBBASEFEE.
    """
    return (
        int.from_bytes(transaction.origin, "big"),
        transaction.gas_price,
        int.from_bytes(state.coinbase, "big"),
        state.timestamp,
        state.block_number,
        int.from_bytes(state.mix_hash, "big"),
        state.gas_limit,
        state.execution_context.chain_id,
        state.base_fee,
        state.blob_base_fee,
    )

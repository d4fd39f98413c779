"""py-evm's opcodes run here: what they see as their state, and one call frame.

py-evm keeps logs, refunds and deletions in a tree of finished computations that it walks and sorts
again at each level. Here they are lists of the whole transaction that a failing frame cuts back,
like the journal of the world state.
"""

from typing import Any, NamedTuple

from eth.exceptions import Halt, OutOfGas, VMError
from eth.vm.computation import BaseComputation, memory_gas_cost
from eth.vm.memory import Memory
from eth.vm.message import Message

from node.evm.call_message import CallMessage
from node.evm.code import Code
from node.evm.environment import BlockEnvironment
from node.evm.rules import Rules
from node.evm.word_stack import WordStack
from node.state.world_state import WorldState
from node.types.primitives import UINT256_MAX, Address, BlockNumber, Hash32
from node.types.receipt import Log

MAX_CODE_SIZE = 24_576
"""Bytes of code that an account may have (EIP-170)."""

CODE_DEPOSIT_GAS = 200
"""What a byte of a new account's code costs."""
_UNINTERRUPTED = range(1024)
"""Opcodes that run between two looks at whether to go on: about a millisecond's worth."""
_ANCESTORS = 256
_ABSENT_HASH = b""
"""py-evm's way to say that BLOCKHASH has no answer: its stack takes it for zero."""


class TransactionContext(NamedTuple):
    """What every frame of a transaction can see of it."""

    origin: Address
    gas_price: int
    blob_versioned_hashes: tuple[Hash32, ...]


class Snapshot(NamedTuple):
    """Where to return to when a frame fails."""

    checkpoint: int
    logs: int
    refund: int
    destroyed: int


class Ended(NamedTuple):
    """How the first frame of a message ended. `error` is None on success."""

    gas_left: int
    output: bytes
    error: VMError | None


class ExecutionState:
    """The world state, the block and the transaction's results, by the names that py-evm uses."""

    def __init__(self, world: WorldState, environment: BlockEnvironment, rules: Rules) -> None:
        self.world = world
        self.rules = rules
        self.execution_context = environment  # py-evm reads its chain_id
        self.logs: list[Log] = []
        self.refund = 0
        self.destroyed: list[Address] = []
        self.created: set[Address] = set()
        self.coinbase = environment.coinbase
        self.timestamp = environment.timestamp
        self.block_number = environment.number
        self.gas_limit = environment.gas_limit
        self.base_fee = environment.base_fee
        self.mix_hash = environment.prev_randao
        self.blob_base_fee = environment.blob_base_fee
        # Straight through to the world state: a method of our own would cost a call for each.
        self.get_balance = world.get_balance
        self.set_balance = world.set_balance
        self.get_nonce = world.get_nonce
        self.set_nonce = world.set_nonce
        self.increment_nonce = world.increment_nonce
        self.get_code = world.get_code
        self.get_code_hash = world.get_code_hash
        self.set_code = world.set_code
        self.get_storage = world.get_storage
        self.set_storage = world.set_storage
        self.delete_storage = world.delete_storage
        self.account_exists = world.account_exists
        self.account_is_empty = world.account_is_empty
        self.touch_account = world.touch_account
        self.is_storage_warm = world.is_storage_warm
        self.mark_storage_warm = world.mark_storage_warm
        self.mark_address_warm = world.mark_address_warm
        self.get_transient_storage = world.get_transient_storage
        self.set_transient_storage = world.set_transient_storage

    def has_code_or_nonce(self, address: Address) -> bool:
        """Tell whether a contract cannot be created here (EIP-684 and, for storage, EIP-7610)."""
        world = self.world
        return world.account_has_code_or_nonce(address) or world.has_storage(address)

    def is_address_warm(self, address: Address) -> bool:
        """Tell whether the transaction has touched the account before (EIP-2929)."""
        return self.world.is_address_warm(address) or address in self.rules.precompiles

    def delta_balance(self, address: Address, delta: int) -> None:
        """Change a balance. It wraps at 256 bits: only absurd mints can get there."""
        self.set_balance(address, (self.get_balance(address) + delta) & UINT256_MAX)

    def transfer(self, message: CallMessage) -> None:
        """Move the value of a message, if it does, and touch the account that it goes to."""
        address, value = message.address, message.value
        if value and message.transfers_value:
            self.delta_balance(message.caller, -value)
            self.delta_balance(address, value)
        self.touch_account(address)

    def get_ancestor_hash(self, number: int) -> bytes:
        """Return the hash of one of the 256 blocks before this one."""
        if not 0 < self.block_number - number <= _ANCESTORS:
            return _ABSENT_HASH
        return self.execution_context.block_hash(BlockNumber(number))

    def add_log_entry(self, account: Address, topics: tuple[int, ...], data: bytes) -> None:
        """Append an event to the transaction's."""
        hashes = tuple(Hash32(topic.to_bytes(32, "big")) for topic in topics)
        self.logs.append(Log(account, hashes, data))

    def snapshot(self) -> Snapshot:
        """Mark this moment."""
        return Snapshot(self.world.record(), len(self.logs), self.refund, len(self.destroyed))

    def revert(self, snapshot: Snapshot) -> None:
        """Undo everything since `snapshot`."""
        self.world.discard(snapshot.checkpoint)
        del self.logs[snapshot.logs :]
        del self.destroyed[snapshot.destroyed :]
        self.refund = snapshot.refund

    def commit(self, snapshot: Snapshot) -> None:
        """Keep what happened since `snapshot`."""
        self.world.commit(snapshot.checkpoint)


class GasMeter:
    """The gas of one frame."""

    __slots__ = ("gas_remaining", "start_gas")

    def __init__(self, gas: int) -> None:
        self.start_gas = gas
        self.gas_remaining = gas

    def consume_gas(self, amount: int, reason: str) -> None:
        """Take gas for what follows; OutOfGas leaves the rest for the frame's end to burn."""
        if amount > self.gas_remaining:
            raise OutOfGas(f"{reason}: needed {amount}, {self.gas_remaining} left")
        self.gas_remaining -= amount

    def return_gas(self, amount: int) -> None:
        """Give back what a callee did not use."""
        self.gas_remaining += amount


class Frame(BaseComputation):  # type: ignore[misc]
    """One call or creation: code, stack, memory and gas."""

    state: ExecutionState

    def __init__(
        self, state: ExecutionState, message: Message, transaction_context: TransactionContext
    ) -> None:
        self.state = state
        self.msg = message
        self.transaction_context = transaction_context
        self.code = Code(message.code)
        self.beneficiaries: list[Address] = []
        self._gas_meter = GasMeter(message.gas)
        self._stack = WordStack()
        self._memory = Memory()
        # Straight to the parts: py-evm's methods in between would cost a call for each opcode.
        self.consume_gas = self._gas_meter.consume_gas
        self.stack_swap = self._stack.swap
        self.stack_dup = self._stack.dup
        self.memory_write = self._memory.write
        self.memory_read_bytes = self._memory.read_bytes

    @classmethod
    def apply_message(
        cls,
        state: ExecutionState,
        message: Message,
        transaction_context: TransactionContext,
        parent_computation: "Frame | None" = None,
    ) -> "Frame":
        """Transfer the value and run the code; a failure undoes both."""
        snapshot = state.snapshot()
        if message.should_transfer_value and message.value:
            state.delta_balance(message.sender, -message.value)
            state.delta_balance(message.storage_address, message.value)
        state.touch_account(message.storage_address)
        frame = cls.apply_computation(state, message, transaction_context, parent_computation)
        if frame.is_error:
            state.revert(snapshot)
        else:
            state.commit(snapshot)
        return frame

    @classmethod
    def apply_create_message(
        cls,
        state: ExecutionState,
        message: Message,
        transaction_context: TransactionContext,
        parent_computation: "Frame | None" = None,
    ) -> "Frame":
        """Run init code at a fresh address and keep what it returns as the account's code."""
        snapshot = state.snapshot()
        state.created.add(message.storage_address)
        state.increment_nonce(message.storage_address)
        frame = cls.apply_message(state, message, transaction_context, parent_computation)
        if not frame.is_error:
            frame.deposit_code()
        if frame.is_error:
            state.revert(snapshot)
        else:
            state.commit(snapshot)
        return frame

    @classmethod
    def apply_computation(
        cls,
        state: ExecutionState,
        message: Message,
        transaction_context: TransactionContext,
        parent_computation: "Frame | None" = None,
    ) -> "Frame":
        """Run a precompile or code; VMError becomes the frame's outcome."""
        frame = cls(state, message, transaction_context)
        precompile = state.rules.precompiles.get(message.code_address)
        try:
            if precompile is None:
                frame.run()
            elif not message.is_delegation:  # delegated to a precompile: runs nothing (EIP-7702)
                precompile(frame)
        except VMError as error:
            frame.fail(error)
        return frame

    def run(self) -> None:
        """Execute opcodes until one halts; the end of the code is a STOP."""
        opcodes = self.state.rules.opcodes
        interrupt = self.state.execution_context.interrupt
        code = self.code
        raw, size = code._raw_code_bytes, len(code)
        try:
            while True:
                interrupt()  # for each frame at least once: calls of calls may all be short
                for _ in _UNINTERRUPTED:
                    position = code.program_counter
                    opcode = raw[position] if position < size else 0
                    code.program_counter = position + 1
                    opcodes[opcode](self)
        except Halt:
            return

    def continue_at(
        self, position: int, stack: list[int], memory: bytearray, return_data: bytes
    ) -> None:
        """Take over what another interpreter began: the next opcode is at `position`."""
        self.code.program_counter = position
        self._stack.values = stack
        self._memory._bytes = memory
        self.return_data = return_data

    def extend_memory(self, start_position: int, size: int) -> None:
        """Charge for memory up to the end of a range and make it as long; no bytes need none."""
        before = len(self._memory)
        if size and start_position + size > before:
            gas = memory_gas_cost(start_position + size) - memory_gas_cost(before)
            self.consume_gas(gas, "memory")
            self._memory.extend(start_position, size)

    def deposit_code(self) -> None:
        """Make the output the new account's code, or fail (EIP-170, EIP-3541)."""
        code: bytes = self.output
        try:
            check_new_code(code)
            self.consume_gas(CODE_DEPOSIT_GAS * len(code), "code deposit")
        except VMError as error:
            self.fail(error)
            return
        if code:
            self.state.set_code(self.msg.storage_address, code)

    def fail(self, error: VMError) -> None:
        """End the frame with an error; unless it is a REVERT, all its gas is gone."""
        self._error = error
        if error.burns_gas:
            self._gas_meter.gas_remaining = 0

    def add_child_computation(self, child_computation: "Frame") -> None:
        """Make a callee's output the return data; a creation returns data only by reverting."""
        child = child_computation
        is_created = child.msg.is_create and not child.is_error
        self.return_data = b"" if is_created else child.output

    def add_log_entry(self, account: Address, topics: tuple[int, ...], data: bytes) -> None:
        """Append an event to the transaction's."""
        self.state.add_log_entry(account, topics, data)

    def refund_gas(self, amount: int) -> None:
        """Add to the transaction's refund counter; a negative amount takes back."""
        self.state.refund += amount

    @property
    def contracts_created(self) -> Any:
        """The accounts that SELFDESTRUCT may delete (EIP-6780)."""
        return self.state.created

    def register_account_for_deletion(self, beneficiary: Address) -> None:
        """Delete this account at the end of the transaction."""
        self.state.destroyed.append(self.msg.storage_address)


class InvalidCode(VMError):  # type: ignore[misc]
    """Init code returned something that cannot be an account's code."""


def check_new_code(code: bytes) -> None:
    """Check what may become an account's code; InvalidCode says what may not."""
    if code[:1] == b"\xef":
        raise InvalidCode("invalid code: must not begin with 0xef")
    if len(code) > MAX_CODE_SIZE:
        raise InvalidCode(f"max code size exceeded: {len(code)}, limit {MAX_CODE_SIZE}")


def run_reference(
    state: ExecutionState, message: CallMessage, context: TransactionContext
) -> Ended:
    """Run a message with py-evm's opcodes; a failure has been undone."""
    apply = Frame.apply_create_message if message.creates else Frame.apply_message
    frame = apply(state, message.to_py_evm(), context)
    return Ended(frame.get_gas_remaining(), frame.output, frame._error)

"""A Prague EVM in memory that runs one message at a time: contracts without a node around them."""

from dataclasses import dataclass, field
from typing import Any

from eth._utils.address import generate_contract_address
from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.exceptions import Revert
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.prague.state import PragueState
from eth.vm.message import Message
from eth_abi import decode, encode
from eth_utils import keccak
from eth_utils.abi import (
    event_abi_to_log_topic,
    function_abi_to_4byte_selector,
    get_abi_input_types,
    get_abi_output_types,
)

from node.artifacts import load_artifact

GAS = 30_000_000
NO_ADDRESS = b""


class Reverted(Exception):
    """The message has reverted; `name` and `arguments` are its decoded custom error."""

    def __init__(self, name: str, arguments: tuple[Any, ...]) -> None:
        super().__init__(f"{name}{arguments}")
        self.name = name
        self.arguments = arguments


class OutOfGas(Exception):
    """The message has ended by an exception of the machine, not by a revert."""


@dataclass(frozen=True, slots=True)
class Log:
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    output: bytes
    logs: tuple[Log, ...]
    gas_used: int


@dataclass(slots=True)
class LocalChain:
    """State between messages; tests set `block_number`, `timestamp` and `base_fee` as they like."""

    block_number: int = 100
    timestamp: int = 1_700_000_000
    base_fee: int = 1_000_000_000
    block_hashes: list[bytes] = field(default_factory=list)
    state: PragueState = field(init=False)

    def __post_init__(self) -> None:
        self.state = PragueState(AtomicDB(), self._context(), BLANK_ROOT_HASH)

    def fund(self, address: bytes, amount: int) -> None:
        self.state.set_balance(address, amount)

    def balance(self, address: bytes) -> int:
        return self.state.get_balance(address)

    def storage(self, address: bytes, slot: int) -> int:
        return self.state.get_storage(address, slot)

    def send(
        self,
        to: bytes,
        data: bytes,
        *,
        sender: bytes,
        origin: bytes | None = None,
        value: int = 0,
        gas: int = GAS,
    ) -> Outcome:
        """Run a message call and keep its effects; a revert raises `Revert` with its data."""
        message = Message(
            gas=gas, to=to, sender=sender, value=value, data=data, code=self.state.get_code(to)
        )
        return self._run(message, origin or sender)

    def create(self, code: bytes, *, sender: bytes) -> bytes:
        """Run creation code and return the new address."""
        nonce = self.state.get_nonce(sender)
        self.state.increment_nonce(sender)
        address = generate_contract_address(sender, nonce)
        message = Message(
            gas=GAS,
            to=NO_ADDRESS,
            sender=sender,
            value=0,
            data=b"",
            code=code,
            create_address=address,
        )
        self._run(message, sender)
        return address

    def next_address(self, sender: bytes, ahead: int = 0) -> bytes:
        """Where the sender's creation after `ahead` others will be."""
        return generate_contract_address(sender, self.state.get_nonce(sender) + ahead)

    def _context(self) -> ExecutionContext:
        return ExecutionContext(
            coinbase=b"\0" * 20,
            timestamp=self.timestamp,
            block_number=self.block_number,
            difficulty=0,
            mix_hash=b"\0" * 32,
            gas_limit=GAS,
            prev_hashes=self.block_hashes,
            chain_id=900,
            base_fee_per_gas=self.base_fee,
            excess_blob_gas=0,
        )

    def _run(self, message: Message, origin: bytes) -> Outcome:
        self.state.execution_context = self._context()
        context = self.state.transaction_context_class(gas_price=self.base_fee, origin=origin)
        machine = self.state.computation_class
        apply = machine.apply_create_message if message.is_create else machine.apply_message
        computation = apply(self.state, message, context)
        for address in computation.get_accounts_for_deletion():
            self.state.delete_account(address)
        self.state.lock_changes()
        self.state.clear_transient_storage()
        if computation.is_error:
            if isinstance(computation.error, Revert):
                raise Revert(computation.output)
            raise OutOfGas(str(computation.error))
        logs = tuple(
            Log(address, tuple(topic.to_bytes(32, "big") for topic in topics), data)
            for address, topics, data in computation.get_log_entries()
        )
        return Outcome(computation.output, logs, computation.get_gas_used())


@dataclass(frozen=True, slots=True)
class Contract:
    """A deployed contract together with its ABI."""

    chain: LocalChain
    name: str
    address: bytes

    @classmethod
    def deploy(cls, chain: LocalChain, name: str, *arguments: Any, sender: bytes) -> "Contract":
        abi = load_artifact(name).abi
        constructor = next((item for item in abi if item["type"] == "constructor"), None)
        types = get_abi_input_types(constructor) if constructor else []
        code = load_artifact(name).bytecode + encode(types, arguments)
        try:
            return cls(chain, name, chain.create(code, sender=sender))
        except Revert as error:
            raise decoded_error(abi, error) from None

    @classmethod
    def place(cls, chain: LocalChain, name: str, address: bytes) -> "Contract":
        """Put runtime code at an address, as genesis does."""
        chain.state.set_code(address, load_artifact(name).deployed_bytecode)
        chain.state.set_nonce(address, 1)
        chain.state.lock_changes()
        return cls(chain, name, address)

    def calldata(self, function: str, *arguments: Any) -> bytes:
        return encode_call(self.name, function, *arguments)

    def send(self, function: str, *arguments: Any, sender: bytes, **options: Any) -> Outcome:
        return self.send_raw(self.calldata(function, *arguments), sender=sender, **options)

    def send_raw(self, data: bytes, *, sender: bytes, **options: Any) -> Outcome:
        try:
            return self.chain.send(self.address, data, sender=sender, **options)
        except Revert as error:
            raise decoded_error(load_artifact(self.name).abi, error) from None

    def read(self, function: str, *arguments: Any, sender: bytes = b"\x99" * 20) -> Any:
        """Call a getter; a single output comes without its tuple, addresses as `0x` text."""
        outcome = self.send(function, *arguments, sender=sender)
        types = get_abi_output_types(abi_item(self.name, "function", function))
        values = decode(types, outcome.output)
        return values[0] if len(values) == 1 else values

    def events(self, outcome: Outcome, event: str) -> list[Log]:
        topic = event_abi_to_log_topic(abi_item(self.name, "event", event))
        return [
            log for log in outcome.logs if log.address == self.address and log.topics[0] == topic
        ]


def abi_item(contract: str, kind: str, name: str) -> Any:
    """The one entry of that kind and name."""
    abi = load_artifact(contract).abi
    (item,) = [item for item in abi if item["type"] == kind and item["name"] == name]
    return item


def encode_call(contract: str, function: str, *arguments: Any) -> bytes:
    """Calldata of a function."""
    item = abi_item(contract, "function", function)
    return function_abi_to_4byte_selector(item) + encode(get_abi_input_types(item), arguments)


def address_text(address: bytes) -> str:
    """As eth-abi decodes addresses."""
    return "0x" + address.hex()


def word(value: int) -> bytes:
    """A big-endian 32-byte word."""
    return value.to_bytes(32, "big")


def decoded_error(abi: list[dict[str, Any]], error: Revert) -> Reverted:
    """The custom error of an ABI that a revert's data encodes, or Error(string)."""
    data = bytes(error.args[0])
    for item in abi:
        if item["type"] == "error":
            types = get_abi_input_types(item)
            if keccak(text=f"{item['name']}({','.join(types)})")[:4] == data[:4]:
                return Reverted(item["name"], decode(types, data[4:]))
    if data[:4] == keccak(text="Error(string)")[:4]:
        return Reverted("Error", decode(["string"], data[4:]))
    return Reverted(data.hex(), ())

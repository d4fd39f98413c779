"""A rollup's own chain: real blocks on a real genesis, in which everything is done by deposits."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from eth.exceptions import Revert
from eth_abi import decode, encode
from eth_utils import keccak
from eth_utils.abi import event_abi_to_log_topic, get_abi_input_types, get_abi_output_types

from node.artifacts import load_artifact
from node.errors import ExecutionReverted
from node.execution.simulate import CallRequest
from node.genesis import l2_genesis
from node.genesis.predeploy_settings import PredeploySettings
from node.types.deposit import DepositTransaction, make_deposit
from node.types.primitives import Address, Hash32, create_address
from node.types.receipt import Log, Receipt
from tests.contracts.local_chain import abi_item, decoded_error, encode_call
from tests.node.chains import Chain, open_chain

GAS = 5_000_000
CHAIN_ID = 901
GENESIS_TIME = 1_700_000_000


@dataclass(slots=True)
class Rollup:
    """L2. Its users need no keys: each of their transactions is a deposit of theirs."""

    chain: Chain
    _count: int = field(default=0)

    @classmethod
    @contextmanager
    def opened(cls, l1_messenger: bytes, l1_bridge: bytes) -> Iterator["Rollup"]:
        """A new one whose predeploys know these contracts on L1."""
        settings = PredeploySettings.owned_by(
            Address(b"\x01" * 20),
            l1_cross_domain_messenger=Address(l1_messenger),
            l1_standard_bridge=Address(l1_bridge),
        )
        genesis = l2_genesis(chain_id=CHAIN_ID, timestamp=GENESIS_TIME, predeploy_settings=settings)
        with open_chain(genesis=genesis) as chain:
            yield cls(chain)

    def include(self, *deposits: DepositTransaction) -> tuple[Receipt, ...]:
        """Make a block of deposits and return their receipts."""
        return self.chain.extend(*deposits).receipts[1:]

    def transact(
        self, sender: bytes, to: bytes | None, data: bytes, *, gas: int = GAS, value: int = 0
    ) -> Receipt:
        """Make a block of one transaction; the sender gets the value that it sends."""
        (receipt,) = self.include(self.deposit(sender, to, data, gas=gas, value=value))
        return receipt

    def deposit(
        self, sender: bytes, to: bytes | None, data: bytes, *, gas: int = GAS, value: int = 0
    ) -> DepositTransaction:
        """A deposit that differs from all before."""
        self._count += 1
        return make_deposit(
            source_hash=Hash32(self._count.to_bytes(32, "big")),
            sender=Address(sender),
            to=None if to is None else Address(to),
            mint=value,
            value=value,
            gas=gas,
            data=data,
        )

    def create(self, code: bytes, *, sender: bytes) -> bytes:
        """Run creation code and return the new address."""
        receipt = self.transact(sender, None, code)
        assert receipt.status == 1
        assert receipt.deposit_nonce is not None
        return create_address(Address(sender), receipt.deposit_nonce)

    def ask(self, sender: bytes, to: bytes, data: bytes, value: int = 0) -> bytes:
        """Run a call without keeping its effects; a revert raises `Revert` with its data."""
        request = CallRequest(sender=Address(sender), to=Address(to), data=data, value=value)
        try:
            return self.chain.reader.call(request, self.chain.head()).output
        except ExecutionReverted as error:
            raise Revert(error.data) from None


@dataclass(frozen=True, slots=True)
class L2Contract:
    """A contract on the rollup together with its ABI."""

    rollup: Rollup
    name: str
    address: bytes

    @classmethod
    def deploy(cls, rollup: Rollup, name: str, *arguments: Any, sender: bytes) -> "L2Contract":
        artifact = load_artifact(name)
        constructor = next((item for item in artifact.abi if item["type"] == "constructor"), None)
        types = get_abi_input_types(constructor) if constructor else []
        code = artifact.bytecode + encode(types, arguments)
        return cls(rollup, name, rollup.create(code, sender=sender))

    def send(
        self, function: str, *arguments: Any, sender: bytes, gas: int = GAS, value: int = 0
    ) -> Receipt:
        """Call in a block of its own; whether that succeeds is in the receipt."""
        data = encode_call(self.name, function, *arguments)
        return self.rollup.transact(sender, self.address, data, gas=gas, value=value)

    def read(
        self, function: str, *arguments: Any, sender: bytes = b"\x99" * 20, value: int = 0
    ) -> Any:
        """Call without effects; a single output comes without its tuple."""
        data = encode_call(self.name, function, *arguments)
        try:
            output = self.rollup.ask(sender, self.address, data, value)
        except Revert as error:
            raise decoded_error(load_artifact(self.name).abi, error) from None
        types = get_abi_output_types(abi_item(self.name, "function", function))
        values = decode(types, output)
        return values[0] if len(values) == 1 else values

    def events(self, receipt: Receipt, event: str) -> list[Log]:
        topic = event_abi_to_log_topic(abi_item(self.name, "event", event))
        return [
            log for log in receipt.logs if log.address == self.address and log.topics[0] == topic
        ]


def event_data(contract: str, event: str, log: Any) -> tuple[Any, ...]:
    """The values of an event that are not topics."""
    inputs = abi_item(contract, "event", event)["inputs"]
    return decode([item["type"] for item in inputs if not item["indexed"]], log.data)


def message_hash(*fields: Any) -> bytes:
    """Hash of a message: of the call that relays it."""
    return keccak(encode_call("L1CrossDomainMessenger", "relayMessage", *fields))

"""The AttributionHub and the receipt precompile on a state in memory, one transaction at a time."""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eth.exceptions import Revert
from eth_abi.abi import decode
from eth_utils.abi import get_abi_output_types

from attribution.calldata import encode_append
from attribution.hub_events import HubEvent, decode_hub_event
from attribution.vouchers import SignedVoucher, Voucher, sign_voucher
from node.artifacts import load_artifact
from node.evm.attribution import ATTRIBUTION_ADDRESS
from node.evm.environment import BlockEnvironment
from node.evm.interpreter import Outcome
from node.evm.rules import Interpreter, rules_at
from node.genesis.predeploy_settings import EscrowSettings
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS, attribution_accounts
from node.state.world_state import WorldState
from node.types.attribution_record import Influence, Record
from node.types.primitives import Address, Hash32, keccak256
from node.types.receipt import Log
from node.types.transaction import address_of_key
from tests.contracts.local_chain import abi_item, decoded_error, encode_call
from tests.node.evm.receipt_machine import CONFIG, GAS, ReceiptMachine

CHAIN_ID = CONFIG.chain_id
GWEI = 10**9
NEVER = 2**64 - 1
HUB = ATTRIBUTION_HUB_ADDRESS


@dataclass(frozen=True, slots=True)
class Key:
    """An account with its key."""

    private_key: bytes
    address: Address

    @classmethod
    def named(cls, name: str) -> "Key":
        private_key = keccak256(name.encode())
        return cls(private_key, address_of_key(private_key))

    def voucher(
        self,
        model_key: bytes,
        cumulative_gwei: int,
        *,
        expiry: int = NEVER,
        payer: Address | None = None,
        chain_id: int = CHAIN_ID,
    ) -> SignedVoucher:
        """Sign a voucher, for this account's own escrow unless `payer` says whose."""
        voucher = Voucher(payer or self.address, Hash32(model_key), cumulative_gwei, expiry)
        return sign_voucher(self.private_key, voucher, chain_id)


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction as everybody sees it."""

    sender: Address
    to: Address
    data: bytes
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A block to come back to."""

    world: WorldState
    environment: BlockEnvironment
    history: tuple[Entry, ...]


class HubMachine(ReceiptMachine):
    """The Hub where genesis puts it; time stands still unless `sleep` is called.

    `history` lists the transactions that succeeded.
    """

    def __init__(self, interpreter: Interpreter = Interpreter.FAST) -> None:
        super().__init__()
        self.rules = rules_at(CONFIG, 0, interpreter)
        self.escrow_settings = EscrowSettings()
        self.history: list[Entry] = []
        account = attribution_accounts(self.escrow_settings)[HUB]
        self.place(HUB, account.code)
        for slot, value in account.storage.items():
            self.world.set_storage(HUB, slot, value)
        self.world.end_transaction()

    @property
    def now(self) -> int:
        return self.environment.timestamp

    def sleep(self, seconds: int) -> None:
        self.environment = replace(self.environment, timestamp=self.now + seconds)

    def fund(self, address: Address, amount_wei: int) -> None:
        self.world.add_balance(address, amount_wei)
        self.world.end_transaction()

    def balance(self, address: Address) -> int:
        return self.world.get_balance(address)

    def place_payee(self, address: Address) -> None:
        """Put a `Payee` there, which makes the calls that it is told to."""
        self.place(address, load_artifact("Payee").deployed_bytecode)
        self.world.end_transaction()

    def transact(
        self, sender: Address, to: Address, data: bytes, *, value: int = 0, gas: int = GAS
    ) -> Outcome:
        """Run a transaction; one that fails leaves nothing behind."""
        if value:
            self.world.add_balance(sender, value)
        checkpoint = self.world.record()
        outcome = self.call(data, sender=sender, to=to, value=value, gas=gas)
        if not outcome.success:
            self.world.discard(checkpoint)
            self.world.add_balance(sender, -value)
        else:
            self.history.append(Entry(sender, to, data, outcome.logs))
        self.world.end_transaction()
        return outcome

    def hub(self, function: str, *arguments: Any, sender: Address, value: int = 0) -> "HubOutcome":
        """Send the Hub a transaction, with `value` wei that the sender is given; Reverted if so."""
        data = encode_call("AttributionHub", function, *arguments)
        outcome = self.transact(sender, HUB, data, value=value)
        return HubOutcome(*_checked(outcome), _hub_events(outcome.logs), data)

    def ask(self, function: str, *arguments: Any) -> Any:
        """Call a view of the Hub; a single answer comes without its tuple."""
        data = encode_call("AttributionHub", function, *arguments)
        checkpoint = self.world.record()
        outcome = self.call(data, to=HUB)
        self.world.discard(checkpoint)
        output, _ = _checked(outcome)
        types = get_abi_output_types(abi_item("AttributionHub", "function", function))
        values = decode(types, output)
        return values[0] if len(values) == 1 else values

    def through(
        self, payee: Address, function: str, *arguments: Any, value: int = 0
    ) -> "HubOutcome":
        """Let a `Payee` call the Hub."""
        inner = encode_call("AttributionHub", function, *arguments)
        data = encode_call("Payee", "run", HUB, inner)
        outcome = self.transact(Address(b"\x77" * 20), payee, data, value=value)
        return HubOutcome(*_checked(outcome), _hub_events(outcome.logs), inner)

    def log_receipts(self, logger: Address, stream: int, *records: Record) -> None:
        """Append records to a stream of a logger, behind those that are there."""
        data = encode_append(stream, self.stream(logger, stream).count, records)
        outcome = self.transact(logger, ATTRIBUTION_ADDRESS, data)
        assert outcome.success, outcome

    def snapshot(self) -> Snapshot:
        """Return a copy of everything, for `restore`."""
        return Snapshot(copy.deepcopy(self.world), self.environment, tuple(self.history))

    def restore(self, snapshot: Snapshot) -> None:
        """Go back: everything since is unwound, as in a reorg."""
        self.world = copy.deepcopy(snapshot.world)
        self.environment = snapshot.environment
        self.history = list(snapshot.history)


@dataclass(frozen=True, slots=True)
class HubOutcome:
    """What a call of the Hub came to."""

    output: bytes
    gas_used: int
    events: tuple[HubEvent, ...]
    data: bytes

    def one(self, kind: type[Any]) -> Any:
        """The only event of a kind."""
        (event,) = self.all(kind)
        return event

    def all(self, kind: type[Any]) -> list[Any]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]


def receipt(amount: int, *influences: tuple[int, int]) -> Record:
    """A record with pairs of dataset and weight."""
    shaped = tuple(Influence(dataset, weight) for dataset, weight in influences)
    return Record(amount, shaped, Hash32(bytes([7]) * 32))


def arguments(vouchers: Iterable[SignedVoucher]) -> list[Any]:
    """Vouchers as `settle` takes them."""
    return [voucher.argument() for voucher in vouchers]


def _checked(outcome: Outcome) -> tuple[bytes, int]:
    if not outcome.success:
        assert outcome.error == "execution reverted", outcome.error
        raise decoded_error(load_artifact("AttributionHub").abi, Revert(outcome.output))
    return outcome.output, GAS - outcome.gas_left


def _hub_events(logs: Sequence[Log]) -> tuple[HubEvent, ...]:
    return tuple(decode_hub_event(log) for log in logs if log.address == HUB)

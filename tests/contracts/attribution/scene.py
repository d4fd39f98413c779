"""A model with three datasets, a logger and payers: what most tests of the Hub begin with."""

from collections.abc import Sequence
from dataclasses import dataclass

from attribution.vouchers import SignedVoucher
from node.types.attribution_record import Record
from node.types.primitives import ZERO_ADDRESS, Address, Hash32
from tests.contracts.attribution.hub_machine import (
    GWEI,
    HubMachine,
    HubOutcome,
    Key,
    arguments,
)

OWNER = Address(b"\x0e" * 20)
OWNER_PAYOUT = Address(b"\x0f" * 20)
LOGGER = Address(b"\x10" * 20)
STRANGER = Address(b"\x5a" * 20)
AUTHOR = Address(b"\xda" * 20)
PAYOUTS = tuple(Address(bytes([0xD0 + number]) * 20) for number in (1, 2, 3))
ANNA, BERT, CARL = (Key.named(name) for name in ("anna", "bert", "carl"))
HASH = b"\x4a" * 32
SALT = bytes(32)


@dataclass(slots=True)
class Scene:
    """`model_key` is a model of OWNER; datasets 1 to 3 of AUTHOR are paid to PAYOUTS."""

    machine: HubMachine
    model_key: Hash32
    stream: int

    @classmethod
    def made(
        cls,
        machine: HubMachine,
        *,
        owner_bps: int = 4000,
        declared: Sequence[int] = (),
        logger: Address = LOGGER,
    ) -> "Scene":
        for number, payout in enumerate(PAYOUTS, 1):
            content = bytes([number]) * 32
            machine.hub("registerDataset", content, f"ipfs://{number}", payout, sender=AUTHOR)
        terms = (1_000_000, owner_bps, OWNER_PAYOUT, list(declared))
        machine.hub("registerModel", HASH, "ipfs://m", SALT, logger, *terms, sender=OWNER)
        model_key = machine.ask("modelKeyOf", OWNER, HASH, SALT)
        return cls(machine, Hash32(model_key), int.from_bytes(model_key[:8], "big"))

    def deposit(self, payer: Address, gwei: int, signer: Address = ZERO_ADDRESS) -> None:
        self.machine.hub("deposit", self.model_key, signer, sender=payer, value=gwei * GWEI)

    def log(self, *records: Record, logger: Address = LOGGER) -> None:
        self.machine.log_receipts(logger, self.stream, *records)

    def settle(
        self,
        datasets: Sequence[int],
        *vouchers: SignedVoucher,
        logger: Address = LOGGER,
        sender: Address = STRANGER,
    ) -> HubOutcome:
        call = (self.model_key, logger, list(datasets), arguments(vouchers))
        return self.machine.hub("settle", *call, sender=sender)

    def appoint(self, logger: Address, datasets: Sequence[int] = ()) -> HubOutcome:
        call = (self.model_key, logger, list(datasets))
        return self.machine.hub("appointLogger", *call, sender=OWNER)

    def owed(self, account: Address) -> int:
        amount: int = self.machine.ask("owed", account)
        return amount

    def balance(self, payer: Address) -> int:
        """The payer's escrow, in gwei."""
        gwei: int = self.machine.ask("escrow", payer, self.model_key)[0]
        return gwei

    def spent(self, payer: Address) -> int:
        """What the payer's vouchers have cost it, in gwei."""
        gwei: int = self.machine.ask("escrow", payer, self.model_key)[1]
        return gwei

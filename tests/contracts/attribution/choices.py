"""What random histories of the Hub are made of: accounts, and choices that are mostly sensible."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from attribution.vouchers import SignedVoucher
from node.types.attribution_record import Record
from node.types.primitives import Address, Hash32
from tests.contracts.attribution.hub_machine import NEVER, HubMachine, Key, receipt
from tests.contracts.attribution.hub_model import FULL, HubModel
from tests.contracts.attribution.hub_state import Escrow

OWNERS = [Address(bytes([0x0A + n]) * 20) for n in range(2)]
LOGGERS = [Address(bytes([0x20 + n]) * 20) for n in range(8)]
PAYEES = [Address(bytes([0xD0 + n]) * 20) for n in range(5)]
PAYERS = [Key.named(f"payer {n}") for n in range(4)]
SIGNERS = [Key.named(f"signer {n}") for n in range(2)]
KEYS = {key.address: key for key in (*PAYERS, *SIGNERS)}
CONTENT = Hash32(b"\xc0" * 32)


class Choices:
    """Chooses by what the model says that there is."""

    def __init__(self, random: Random, machine: HubMachine) -> None:
        self.random = random
        self.machine = machine
        self.model = HubModel()

    def any_model(self) -> Hash32:
        return self.random.choice(list(self.model.models))

    def any_logger(self) -> Address:
        """Mostly one that is appointed."""
        present = [entry.logger for entry in self.model.models.values()]
        return self.random.choice([*present * 4, *LOGGERS, *OWNERS])

    def any_account(self) -> Address:
        return self.random.choice([*OWNERS, *LOGGERS, *PAYEES, *KEYS])

    def any_record(self) -> Record:
        """Any weights over datasets, some of which do not exist; the sum may be all or nothing."""
        numbers = sorted(self.random.sample(range(1, 9), self.random.randint(0, 4)))
        left, influences = FULL, []
        for number in numbers:
            weight = min(left, self.random.choice([1, 7, 2500, 3333, 9999, FULL]))
            if weight:
                influences.append((number, weight))
                left -= weight
        amount = self.random.choice([0, 1, 2, 3, 10, 997, 10**5])
        return receipt(amount, *influences)

    def any_voucher(self, key: Hash32) -> SignedVoucher:
        payer = self.random.choice(PAYERS)
        escrow = self.model.escrows.get((payer.address, key), Escrow(payer.address))
        rest = max(0, escrow.balance - escrow.requested)
        account = self.model.accounts.get((self.model.models[key].logger, key))
        whole = account.unsettled_gwei if account else 0
        few = self.random.choice([-1, 0, 1, 1, 2, 7, 500, rest // 3, rest, escrow.balance + 1])
        more = self.random.choice([few, few, whole])
        now = self.machine.now
        expiry = self.random.choice([NEVER] * 12 + [now, now - 1])
        signer = KEYS[escrow.signer]
        if not self.mostly(0.95):
            signer = self.random.choice(list(KEYS.values()))
        made = key if self.mostly(0.97) else self.any_model()
        total = max(0, escrow.spent + more)
        voucher = signer.voucher(made, total, expiry=expiry, payer=payer.address)
        return voucher if self.mostly(0.97) else replace(voucher, r=voucher.r ^ 1)

    def any_names(self, of: tuple[Address, Hash32]) -> Sequence[int]:
        """Mostly the datasets that have to be named, perhaps with more, with fewer, in disorder."""
        account = self.model.accounts.get(of)
        named = list(account.unpaid()) if account else []
        kind = self.random.random()
        if kind < 0.1 and named:
            named.remove(self.random.choice(named))
        elif kind < 0.2:
            named = sorted({*named, self.random.randint(0, 12)})
        elif kind < 0.23:
            named = [*named, *named[:1]]
        return named

    def mostly(self, often: float) -> bool:
        """True so often."""
        return self.random.random() < often

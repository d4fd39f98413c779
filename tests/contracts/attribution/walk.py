"""Random histories of the Hub, each step compared with the model of it."""

import copy
from collections.abc import Callable
from random import Random
from typing import Any

from attribution.hub_events import HubEvent
from node.evm.rules import Interpreter
from node.types.primitives import ZERO_ADDRESS, Address, Hash32
from tests.contracts.attribution.choices import (
    CONTENT,
    KEYS,
    LOGGERS,
    OWNERS,
    PAYEES,
    PAYERS,
    SIGNERS,
    Choices,
)
from tests.contracts.attribution.hub_machine import GWEI, HUB, HubMachine, Snapshot, arguments
from tests.contracts.attribution.hub_model import DELAY_S, FULL, WINDOW_S, HubModel, Refused
from tests.contracts.attribution.hub_state import Escrow, Model
from tests.contracts.local_chain import Reverted

Promises = dict[tuple[Address, Hash32], tuple[int, int]]


class Walk(Choices):
    """A machine and its model, which take the same steps.

    `promises` are vouchers that a gateway has accepted: total and time, by payer and model.
    """

    def __init__(self, seed: int, interpreter: Interpreter = Interpreter.FAST) -> None:
        super().__init__(Random(seed), HubMachine(interpreter))
        self.promises: Promises = {}
        self.saved: list[tuple[Snapshot, HubModel, Promises]] = []
        self.outcomes: set[str] = set()
        for _ in range(3):
            self.register_dataset()
        while len(self.model.models) < 2:
            self.register_model()

    def step(self) -> None:
        """Do one thing and check what must hold after everything."""
        steps, weights = zip(*self.choices(), strict=True)
        (choice,) = self.random.choices(steps, weights)
        choice()
        self.check_money()
        self.check_promises()

    def choices(self) -> list[tuple[Callable[[], None], int]]:
        return [
            (self.append, 20),
            (self.settle, 30),
            (self.deposit, 12),
            (self.promise, 8),
            (self.claim, 6),
            (self.request_withdrawal, 5),
            (self.withdraw, 5),
            (self.sleep, 5),
            (self.appoint, 6),
            (self.abandon, 1),
            (self.register_dataset, 2),
            (self.register_model, 1),
            (self.set_payout, 2),
            (self.save, 2),
            (self.reorg, 1),
        ]

    # Steps

    def append(self) -> None:
        key, logger = self.any_model(), self.any_logger()
        records = [self.any_record() for _ in range(self.random.randint(1, 4))]
        self.machine.log_receipts(logger, int.from_bytes(key[:8], "big"), *records)
        self.model.append(logger, key, records)

    def settle(self) -> None:
        key = self.any_model()
        known = [logger for logger, of in self.model.accounts if of == key]
        logger = self.random.choice(known) if known and self.mostly(0.95) else self.any_logger()
        vouchers = [self.any_voucher(key) for _ in range(self.random.randint(0, 4))]
        named = self.any_names((logger, key))
        call = (key, logger, named, arguments(vouchers))
        self.do(
            lambda: self.model.settle(key, logger, named, vouchers, self.machine.now),
            self.any_account(),
            "settle",
            *call,
        )

    def deposit(self) -> None:
        key, payer = self.any_model(), self.random.choice(PAYERS).address
        signer = self.random.choice([ZERO_ADDRESS] * 6 + [payer, SIGNERS[0].address])
        wei = self.random.choice([0, 1, 17, 1000, 10**6]) * GWEI + (not self.mostly(0.95))
        expected = lambda: self.model.deposit(payer, key, signer, wei)  # noqa: E731
        self.do(expected, payer, "deposit", key, signer, value=wei)

    def promise(self) -> None:
        """A gateway accepts a voucher: what is neither requested back nor spent covers it."""
        key, payer = self.any_model(), self.random.choice(PAYERS).address
        escrow = self.model.escrows.get((payer, key), Escrow(payer))
        covered = escrow.spent + max(0, escrow.balance - escrow.requested)
        self.promises[payer, key] = (covered, self.machine.now)

    def claim(self) -> None:
        sender = self.random.choice([*PAYEES, *OWNERS])
        to = self.random.choice([sender, sender, PAYEES[0], ZERO_ADDRESS, HUB])
        self.do(lambda: self.model.claim(sender, to), sender, "claimTo", to)

    def request_withdrawal(self) -> None:
        key, payer = self.any_model(), self.random.choice(PAYERS).address
        balance = self.model.escrows.get((payer, key), Escrow(payer)).balance
        gwei = self.random.choice([0, 1, balance // 2, balance, balance, balance + 1])
        expected = lambda: self.model.request_withdrawal(  # noqa: E731
            payer, key, gwei, self.machine.now
        )
        self.do(expected, payer, "requestWithdrawal", key, gwei)

    def withdraw(self) -> None:
        asked = [who for who, escrow in self.model.escrows.items() if escrow.requested_at]
        payer, key = (self.random.choice(PAYERS).address, self.any_model())
        if asked and self.mostly(0.9):
            payer, key = self.random.choice(asked)
            if self.mostly(0.6):
                due = self.model.escrows[payer, key].requested_at + DELAY_S
                jump = due + self.random.choice([-1, 0, WINDOW_S, WINDOW_S + 1])
                self.machine.sleep(max(0, jump - self.machine.now))
        expected = lambda: self.model.withdraw(payer, key, self.machine.now)  # noqa: E731
        self.do(expected, payer, "withdraw", key)

    def sleep(self) -> None:
        self.machine.sleep(self.random.choice([1, 3600, WINDOW_S, DELAY_S // 2, DELAY_S]))

    def appoint(self) -> None:
        key = self.any_model()
        model = self.model.models[key]
        sender = self.random.choice([model.owner] * 4 + [OWNERS[0]])
        logger = self.random.choice([*LOGGERS, ZERO_ADDRESS])
        named = self.any_names((model.logger, key))
        expected = lambda: self.model.appoint_logger(sender, key, logger, named)  # noqa: E731
        self.do(expected, sender, "appointLogger", key, logger, named)

    def abandon(self) -> None:
        key = self.any_model()
        sender = self.model.models[key].owner
        self.do(lambda: self.model.abandon_logger(sender, key), sender, "abandonLogger", key)

    def register_dataset(self) -> None:
        owner, payout = self.random.choice(PAYEES), self.random.choice([*PAYEES, *OWNERS])
        expected = lambda: self.model.register_dataset(owner, CONTENT, payout)  # noqa: E731
        self.do(expected, owner, "registerDataset", CONTENT, "", payout)

    def register_model(self) -> None:
        rng = self.random
        declared = [n for n in range(1, 7) if rng.random() < rng.choice([0, 0.4])]
        terms = Model(
            owner=rng.choice(OWNERS),
            owner_bps=rng.choice([0, 1, 2500, 3333, 9999, FULL, FULL + 1]),
            payout=rng.choice([*PAYEES, OWNERS[0]]),
            declared=tuple(declared),
            logger=rng.choice([*LOGGERS, ZERO_ADDRESS]),
        )
        salt = Hash32(rng.randrange(4).to_bytes(32, "big"))
        key = Hash32(self.machine.ask("modelKeyOf", terms.owner, CONTENT, salt))
        values = (0, terms.owner_bps, terms.payout, declared)
        self.do(
            lambda: self.model.register_model(key, terms, CONTENT, salt),
            terms.owner,
            "registerModel",
            *(CONTENT, "", salt, terms.logger, *values),
        )

    def set_payout(self) -> None:
        sender, to = self.any_account(), self.random.choice([*PAYEES, ZERO_ADDRESS])
        if self.mostly(0.5):
            number = self.random.randint(1, len(self.model.datasets) + 1)
            if number in self.model.datasets and self.mostly(0.8):
                sender = self.model.datasets[number][0]
            expected = lambda: self.model.set_dataset_payout(sender, number, to)  # noqa: E731
            self.do(expected, sender, "setDatasetPayout", number, to)
        else:
            key = self.any_model()
            sender = self.random.choice([sender, self.model.models[key].owner])
            expected = lambda: self.model.set_model_payout(sender, key, to)  # noqa: E731
            self.do(expected, sender, "setModelPayout", key, to)

    def save(self) -> None:
        kept = (self.machine.snapshot(), copy.deepcopy(self.model), dict(self.promises))
        self.saved = [*self.saved[-3:], kept]

    def reorg(self) -> None:
        """Unwind to a block before; what was saved after it is no more."""
        if not self.saved:
            return
        place = self.random.randrange(len(self.saved))
        snapshot, model, promises = self.saved[place]
        self.machine.restore(snapshot)
        self.model, self.promises = copy.deepcopy(model), dict(promises)
        self.saved = self.saved[: place + 1]

    def do(
        self,
        expected: Callable[[], list[HubEvent]],
        sender: Address,
        function: str,
        *call: Any,
        value: int = 0,
    ) -> None:
        """Send the call; it does exactly what the model does, or is refused as the model says."""
        try:
            events = tuple(expected())
        except Refused as refusal:
            events, error = (), str(refusal)
        else:
            error = "done"
        try:
            outcome = self.machine.hub(function, *call, sender=sender, value=value)
        except Reverted as reverted:
            assert reverted.name == error, (function, call, reverted, error)
        else:
            assert (outcome.events, "done") == (events, error), (function, call)
        self.outcomes.add(f"{function}: {error}")

    # What must hold

    def check_money(self) -> None:
        model = self.model
        owed = sum(model.owed.values())
        assert self.machine.balance(HUB) == model.escrowed_wei() + owed
        assert model.escrowed_wei() + owed + model.paid_out_wei == model.deposited_wei

    def check_promises(self) -> None:
        """What a gateway has accepted can be charged for as long as a withdrawal takes."""
        for (payer, key), (total, since) in self.promises.items():
            escrow = self.model.escrows.get((payer, key), Escrow(payer))
            if self.machine.now < since + DELAY_S:
                assert escrow.spent + escrow.balance >= total

    def check_all(self) -> None:
        """Everything that the contract says of itself is what the model says."""
        ask, model = self.machine.ask, self.model
        for (payer, key), escrow in model.escrows.items():
            said = ask("escrow", payer, key)
            signer = "0x" + escrow.signer.hex()
            asked = (escrow.requested, escrow.requested_at)
            assert said == (escrow.balance, escrow.spent, *asked, signer)
        for account in {*PAYEES, *OWNERS, *LOGGERS, *KEYS, *model.owed}:
            assert ask("owed", account) == model.owed.get(account, 0)
        for (logger, key), entry in model.accounts.items():
            unpaid = entry.unpaid()
            total = sum(unpaid.values())
            assert ask("unsettled", key, logger) == (entry.unsettled_gwei, total)
            # So that a settlement of everything pays every dataset for all that it is credited.
            assert total <= entry.unsettled_gwei * FULL
            for number in range(1, 9):
                assert ask("unsettledCredit", key, logger, number) == unpaid.get(number, 0)

    def settle_everything(self) -> None:
        """A payer with enough money pays for all receipts that count: no credit is left."""
        payer = PAYERS[0]
        for (logger, key), account in self.model.accounts.items():
            gwei = account.unsettled_gwei
            if gwei == 0:
                continue
            wei = gwei * GWEI
            escrow = self.model.escrows.get((payer.address, key), Escrow(payer.address))
            signer = KEYS[escrow.signer]
            deposit = lambda: self.model.deposit(payer.address, key, ZERO_ADDRESS, wei)  # noqa: B023, E731
            self.do(deposit, payer.address, "deposit", key, ZERO_ADDRESS, value=wei)
            voucher = signer.voucher(key, escrow.spent + gwei, payer=payer.address)
            named = list(account.unpaid())
            settle = lambda: self.model.settle(key, logger, named, [voucher], self.machine.now)  # noqa: B023, E731
            call = (key, logger, named, arguments([voucher]))
            self.do(settle, payer.address, "settle", *call)
            assert account.unsettled_gwei == 0
            assert account.paid == account.receipts.credits
        self.check_money()

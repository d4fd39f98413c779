"""The AttributionHub as plain Python: what each call does, or why it is refused.

It is written from the contract's description, with dictionaries for storage and fractions for
shares, so that a mistake would have to be made twice.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import floor

from attribution.hub_events import (
    Claimed,
    DatasetPaid,
    DatasetPayoutChanged,
    DatasetRegistered,
    Deposited,
    HubEvent,
    LoggerAbandoned,
    LoggerAppointed,
    LoggerRetired,
    ModelPayoutChanged,
    ModelRegistered,
    ModelTerms,
    Settled,
    SkipReason,
    VoucherCharged,
    VoucherSkipped,
    WithdrawalRequested,
    Withdrawn,
)
from attribution.vouchers import SignedVoucher
from node.types.attribution_record import Record
from node.types.primitives import ZERO_ADDRESS, Address, Hash32
from tests.contracts.attribution.hub_machine import CHAIN_ID, GWEI, HUB
from tests.contracts.attribution.hub_state import Account, Escrow, Model, Stream

DELAY_S, WINDOW_S = 7 * 86_400, 86_400
FULL = 10_000


class Refused(Exception):
    """The contract reverts with the error of this name."""


@dataclass(slots=True)
class HubModel:
    """All of the Hub's state, and the streams that it reads."""

    datasets: dict[int, list[Address]] = field(default_factory=dict)
    models: dict[Hash32, Model] = field(default_factory=dict)
    streams: dict[tuple[Address, Hash32], Stream] = field(
        default_factory=lambda: defaultdict(Stream)
    )
    accounts: dict[tuple[Address, Hash32], Account] = field(default_factory=dict)
    escrows: dict[tuple[Address, Hash32], Escrow] = field(default_factory=dict)
    owed: dict[Address, int] = field(default_factory=lambda: defaultdict(int))
    deposited_wei: int = 0
    paid_out_wei: int = 0

    def escrowed_wei(self) -> int:
        return GWEI * sum(escrow.balance for escrow in self.escrows.values())

    def append(self, logger: Address, key: Hash32, records: Sequence[Record]) -> None:
        stream = self.streams[logger, key]
        for entry in records:
            stream.count += 1
            stream.amount += entry.amount
            for influence in entry.influences:
                stream.credits[influence.dataset] += entry.amount * influence.weight

    def register_dataset(self, owner: Address, content: Hash32, payout: Address) -> list[HubEvent]:
        _check_payout(payout)
        number = len(self.datasets) + 1
        self.datasets[number] = [owner, payout]
        return [DatasetRegistered(number, owner, payout, content, "")]

    def set_dataset_payout(self, sender: Address, number: int, to: Address) -> list[HubEvent]:
        _check(number in self.datasets, "UnknownDataset")
        _check(self.datasets[number][0] == sender, "NotOwner")
        _check_payout(to)
        self.datasets[number][1] = to
        return [DatasetPayoutChanged(number, to)]

    def register_model(
        self, key: Hash32, terms: Model, model_hash: Hash32, salt: Hash32
    ) -> list[HubEvent]:
        """`terms` are copied, its logger appointed."""
        declared = terms.declared
        _check(key not in self.models, "ModelExists")
        _check(terms.owner_bps <= FULL, "BadShare")
        _check(len(declared) <= 16, "TooManyDatasets")
        _check_payout(terms.payout)
        for index, number in enumerate(declared):
            _check(number in self.datasets, "UnknownDataset")
            _check(index == 0 or declared[index - 1] < number, "DatasetsNotAscending")
        stream = int.from_bytes(key[:8], "big")
        model = Model(terms.owner, terms.owner_bps, terms.payout, declared)
        appointed = self._appoint(key, model, terms.logger) if terms.logger != ZERO_ADDRESS else []
        self.models[key] = model
        return [
            ModelRegistered(key, terms.owner, model_hash, salt, ""),
            ModelTerms(key, stream, 0, terms.owner_bps, terms.payout, declared),
            *appointed,
        ]

    def set_model_payout(self, sender: Address, key: Hash32, to: Address) -> list[HubEvent]:
        model = self._owned(sender, key)
        _check_payout(to)
        model.payout = to
        return [ModelPayoutChanged(key, to)]

    def appoint_logger(
        self, sender: Address, key: Hash32, logger: Address, named: Sequence[int]
    ) -> list[HubEvent]:
        model = self._owned(sender, key)
        _check(model.logger != ZERO_ADDRESS or logger != ZERO_ADDRESS, "NoLogger")
        events: list[HubEvent] = []
        present = model.logger
        retired = self.accounts.get((present, key))
        if retired is not None:
            unpaid = retired.unpaid()
            _check_named(named)
            _check(not set(unpaid) - set(named), "DatasetsIncomplete")
        # Nothing may change before all is known to be good.
        appointed = self._appoint(key, model, logger) if logger != ZERO_ADDRESS else []
        if retired is not None:
            held = retired.receipts
            kept = defaultdict(int, held.credits)
            retired.receipts = Stream(held.amount, held.count, kept)
            retired.status = "retired"
            events.append(LoggerRetired(key, present, held.amount, sum(kept.values())))
        model.logger = logger
        return [*events, *appointed]

    def abandon_logger(self, sender: Address, key: Hash32) -> list[HubEvent]:
        model = self._owned(sender, key)
        _check(model.logger != ZERO_ADDRESS, "NoLogger")
        logger, model.logger = model.logger, ZERO_ADDRESS
        self.accounts[logger, key].status = "abandoned"
        return [LoggerAbandoned(key, logger)]

    def deposit(self, payer: Address, key: Hash32, signer: Address, wei: int) -> list[HubEvent]:
        _check(key in self.models, "UnknownModel")
        _check(wei % GWEI == 0, "NotWholeGwei")
        present = self.escrows.get((payer, key))
        wanted = signer if signer != ZERO_ADDRESS else payer
        if present is not None:
            _check(signer in (ZERO_ADDRESS, present.signer), "SignerFixed")
        escrow = self.escrows.setdefault((payer, key), Escrow(wanted))
        escrow.balance += wei // GWEI
        self.deposited_wei += wei
        return [Deposited(key, payer, escrow.signer, wei // GWEI)]

    def request_withdrawal(
        self, payer: Address, key: Hash32, gwei: int, now: int
    ) -> list[HubEvent]:
        escrow = self.escrows.get((payer, key), Escrow(payer))
        _check(gwei <= escrow.balance, "EscrowTooSmall")
        _check(gwei or escrow.requested_at, "NoWithdrawal")
        escrow.requested, escrow.requested_at = gwei, now if gwei else 0
        return [WithdrawalRequested(key, payer, gwei)]

    def withdraw(self, payer: Address, key: Hash32, now: int) -> list[HubEvent]:
        escrow = self.escrows.get((payer, key), Escrow(payer))
        _check(escrow.requested_at, "NoWithdrawal")
        due = escrow.requested_at + DELAY_S
        _check(now >= due, "WithdrawalTooEarly")
        _check(now <= due + WINDOW_S, "WithdrawalLapsed")
        gwei = min(escrow.balance, escrow.requested)
        escrow.balance -= gwei
        escrow.requested = escrow.requested_at = 0
        self.paid_out_wei += gwei * GWEI
        return [Withdrawn(key, payer, gwei)]

    def claim(self, sender: Address, to: Address) -> list[HubEvent]:
        _check_payout(to)
        _check(self.owed[sender], "NothingOwed")
        wei = self.owed.pop(sender)
        self.paid_out_wei += wei
        return [Claimed(sender, to, wei)]

    def settle(
        self,
        key: Hash32,
        logger: Address,
        named: Sequence[int],
        vouchers: Sequence[SignedVoucher],
        now: int,
    ) -> list[HubEvent]:
        _check(key in self.models, "UnknownModel")
        _check((logger, key) in self.accounts, "UnknownLogger")
        model, account = self.models[key], self.accounts[logger, key]
        unsettled, unpaid = account.unsettled_gwei, account.unpaid()
        events, spent = self._charge(key, vouchers, unsettled, now)
        charged = sum(event.amount_gwei for event in events if isinstance(event, VoucherCharged))
        _check(charged, "NothingCharged")
        _check_named(named)
        _check(not set(unpaid) - set(named), "DatasetsIncomplete")
        for payer, total in spent.items():
            escrow = self.escrows[payer, key]
            escrow.balance -= total - escrow.spent
            escrow.spent = total
        paid = self._split(key, model, account, Fraction(charged, unsettled))
        account.settled_gwei += charged
        events += paid
        owner_wei = charged * GWEI - sum(event.amount_wei for event in paid)
        self.owed[model.payout] += owner_wei
        return [*events, Settled(key, logger, charged, unsettled, model.payout, owner_wei)]

    def _charge(
        self, key: Hash32, vouchers: Sequence[SignedVoucher], unsettled: int, now: int
    ) -> tuple[list[HubEvent], dict[Address, int]]:
        """What happens to each voucher, and the new totals of those payers that are charged."""
        events: list[HubEvent] = []
        totals: dict[Address, int] = {}
        left = min(unsettled, 2**64 - 1)
        for index, signed in enumerate(vouchers):
            voucher = signed.voucher
            escrow = self.escrows.get((voucher.payer, key), Escrow(ZERO_ADDRESS))
            spent = totals.get(voucher.payer, escrow.spent)
            amount = voucher.cumulative_gwei - spent
            # The contract is not told which model was signed for: it takes its own.
            asked = replace(signed, voucher=replace(voucher, model_key=key))
            if now > voucher.expiry:
                reason = SkipReason.EXPIRED
            elif amount <= 0:
                reason = SkipReason.NOTHING_NEW
            elif voucher.cumulative_gwei > escrow.spent + escrow.balance:
                reason = SkipReason.ESCROW_TOO_SMALL
            elif amount > left:
                reason = SkipReason.RECEIPTS_MISSING
            elif asked.signer(CHAIN_ID) != escrow.signer:
                reason = SkipReason.WRONG_SIGNER
            else:
                left -= amount
                totals[voucher.payer] = voucher.cumulative_gwei
                events.append(VoucherCharged(key, voucher.payer, amount, voucher.cumulative_gwei))
                continue
            events.append(VoucherSkipped(index, reason))
        return events, totals

    def _split(
        self, key: Hash32, model: Model, account: Account, part: Fraction
    ) -> list[DatasetPaid]:
        """Pay datasets `part` of their credit: their running sum is rounded down."""
        events: list[DatasetPaid] = []
        bps = FULL - model.owner_bps
        running = consumed = known = 0
        for number, credit in account.unpaid().items():
            running += credit
            share = floor(running * part) - consumed
            assert abs(share - credit * part) < 1
            consumed += share
            if share == 0:
                continue
            account.paid[number] += share
            if number in self.datasets:
                known += share
                events.append(self._pay(key, number, share, share * bps * 10))
        whole = account.unsettled_gwei * FULL * part
        if model.declared:
            each = (whole - known) * bps * 10 // len(model.declared)
            if each:
                events += [self._pay(key, number, 0, int(each)) for number in model.declared]
        return events

    def _pay(self, key: Hash32, number: int, credit: int, wei: int) -> DatasetPaid:
        payout = self.datasets[number][1]
        self.owed[payout] += wei
        return DatasetPaid(key, number, payout, credit, wei)

    def _appoint(self, key: Hash32, model: Model, logger: Address) -> list[HubEvent]:
        _check((logger, key) not in self.accounts, "LoggerAlreadyAppointed")
        _check(self.streams[logger, key].count == 0, "LoggerNotFresh")
        self.accounts[logger, key] = Account(self.streams[logger, key])
        model.logger = logger
        return [LoggerAppointed(key, logger)]

    def _owned(self, sender: Address, key: Hash32) -> Model:
        _check(key in self.models, "UnknownModel")
        _check(self.models[key].owner == sender, "NotOwner")
        return self.models[key]


def _check(is_good: object, error: str) -> None:
    if not is_good:
        raise Refused(error)


def _check_payout(payout: Address) -> None:
    _check(payout not in (ZERO_ADDRESS, HUB), "BadPayout")


def _check_named(named: Sequence[int]) -> None:
    _check(list(named) == sorted(set(named)), "DatasetsNotAscending")

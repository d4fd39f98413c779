"""Everybody's payouts, from nothing but logs and the calldata of `append`.

What the Hub says that it paid is not believed but computed: from its registrations, appointments
and changes of payout, from what vouchers were charged, and from the records themselves.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from attribution.calldata import decode_append, decode_appended
from attribution.hub_events import (
    Claimed,
    DatasetPayoutChanged,
    DatasetRegistered,
    Deposited,
    HubEvent,
    LoggerAbandoned,
    LoggerAppointed,
    LoggerRetired,
    ModelPayoutChanged,
    ModelTerms,
    Settled,
    VoucherCharged,
    Withdrawn,
    decode_hub_event,
)
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Address, Hash32
from tests.contracts.attribution.hub_machine import HUB, Entry

StreamId = tuple[Address, int]


@dataclass(slots=True)
class Recount:
    """`earned` and `claimed` are wei by account, `escrowed` gwei by payer and model."""

    earned: Counter[Address] = field(default_factory=Counter)
    claimed: Counter[Address] = field(default_factory=Counter)
    escrowed: Counter[tuple[Address, Hash32]] = field(default_factory=Counter)
    terms: dict[Hash32, ModelTerms] = field(default_factory=dict)
    payouts: dict[int | Hash32, Address] = field(default_factory=dict)
    unpaid_gwei: Counter[StreamId] = field(default_factory=Counter)
    unpaid: defaultdict[StreamId, Counter[int]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    closed: set[StreamId] = field(default_factory=set)
    charged: int = 0

    def read(self, history: Iterable[Entry]) -> None:
        """Read transactions in their order."""
        for entry in history:
            if entry.to == ATTRIBUTION_ADDRESS:
                self._append(entry)
            for log in entry.logs:
                if log.address == HUB:
                    self._hear(decode_hub_event(log))

    def _append(self, entry: Entry) -> None:
        stream, from_seq, records = decode_append(entry.data)
        (log,) = entry.logs
        appended = decode_appended(log)
        total = sum(record.amount for record in records)
        assert (appended.from_seq, appended.count) == (from_seq, len(records))
        assert (appended.logger, appended.amount) == (entry.sender, total)
        place = (entry.sender, stream)
        if place in self.closed:
            return
        self.unpaid_gwei[place] += total
        for record in records:
            for influence in record.influences:
                self.unpaid[place][influence.dataset] += record.amount * influence.weight

    def _hear(self, event: HubEvent) -> None:
        match event:
            case DatasetRegistered() | DatasetPayoutChanged():
                self.payouts[event.id] = event.payout
            case ModelTerms():
                self.terms[event.model_key] = event
                self.payouts[event.model_key] = event.payout
            case ModelPayoutChanged():
                self.payouts[event.model_key] = event.payout
            case LoggerAppointed():
                assert not self.unpaid_gwei[self._place(event)]
            case LoggerRetired() | LoggerAbandoned():
                self.closed.add(self._place(event))
            case Deposited():
                self.escrowed[event.payer, event.model_key] += event.amount_gwei
            case Withdrawn():
                self.escrowed[event.payer, event.model_key] -= event.amount_gwei
            case VoucherCharged():
                self.escrowed[event.payer, event.model_key] -= event.amount_gwei
                self.charged += event.amount_gwei
            case Settled():
                self._settle(event.model_key, self._place(event))
            case Claimed():
                self.claimed[event.account] += event.amount_wei

    def _settle(self, model_key: Hash32, place: StreamId) -> None:
        """Split what was charged since the last settlement; credit costs 10 wei a basis point."""
        terms, charged, whole = self.terms[model_key], self.charged, self.unpaid_gwei[place]
        datasets_wei = 10 * (10_000 - terms.owner_bps)
        running = consumed = known = 0
        left = charged * 10**9
        for dataset in sorted(self.unpaid[place]):
            running += self.unpaid[place][dataset]
            share = running * charged // whole - consumed
            consumed += share
            self.unpaid[place][dataset] -= share
            if dataset in self.payouts:
                known += share
                left -= self._earn(dataset, share * datasets_wei)
        if terms.declared_datasets:
            rest = (charged * 10_000 - known) * datasets_wei // len(terms.declared_datasets)
            left -= sum(self._earn(dataset, rest) for dataset in terms.declared_datasets)
        self._earn(model_key, left)
        self.unpaid_gwei[place] -= charged
        self.charged = 0

    def _earn(self, who: int | Hash32, wei: int) -> int:
        self.earned[self.payouts[who]] += wei
        return wei

    def _place(
        self, event: LoggerAppointed | LoggerRetired | LoggerAbandoned | Settled
    ) -> StreamId:
        return event.logger, self.terms[event.model_key].stream

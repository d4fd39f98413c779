"""Having receipts paid: which vouchers to charge, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from attribution.client.exchange import AskBlock, Included, Operation, Party
from attribution.client.hub_views import read_escrow, read_model, read_unsettled
from attribution.client.registration import event_of, hub_events, send_to_hub
from attribution.client.unpaid import unpaid_datasets
from attribution.hub_calls import hub_call
from attribution.hub_events import DatasetPaid, Settled, VoucherCharged, VoucherSkipped
from attribution.refusals import (
    DatasetsIncomplete,
    NoLogger,
    NothingCharged,
    ReceiptsMissing,
    VoucherRefusal,
)
from attribution.voucher_book import check_charge, check_voucher
from attribution.vouchers import SignedVoucher
from node.errors import InvalidInput
from node.types.primitives import Address, Hash32

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Skipped:
    """A voucher that was not charged, and why."""

    voucher: SignedVoucher
    refusal: VoucherRefusal


@dataclass(frozen=True, slots=True)
class Settlement:
    """What was charged and who is owed what; `unsettled_gwei` is what receipts were worth before.

    `skipped` are vouchers that were not sent, `skipped_on_chain` those that were and the Hub did
    not charge.
    """

    charged_gwei: int
    unsettled_gwei: int
    owner_wei: int
    charged: tuple[VoucherCharged, ...]
    datasets: tuple[DatasetPaid, ...]
    skipped: tuple[Skipped, ...]
    skipped_on_chain: tuple[VoucherSkipped, ...]
    included: Included


@dataclass(frozen=True, slots=True)
class _Choice:
    taken: tuple[SignedVoucher, ...]
    skipped: tuple[Skipped, ...]


def settle(
    party: Party,
    model_key: bytes,
    vouchers: Sequence[SignedVoucher],
    *,
    logger: bytes | None = None,
    datasets: Sequence[int] | None = None,
) -> Operation[Settlement]:
    """Charge vouchers for a logger's receipts (the present one's by default) and split the money.

    Anybody may do that. Of several vouchers of a payer the highest one is taken. `datasets` are
    found on the chain if they are not given. If nothing can be charged, nothing is sent: a single
    voucher's own reason is raised (WrongSigner, Expired, NothingNew, VoucherTooLarge,
    ReceiptsMissing), else NothingCharged. UnknownModel, UnknownLogger, NoLogger,
    DatasetsIncomplete, DatasetsNotAscending.
    """
    key = Hash32(model_key)
    writer = yield from _logger_of(key, logger)
    choice = yield from _choose(party, key, writer, vouchers)
    if not choice.taken:
        if len(choice.skipped) == 1:
            raise choice.skipped[0].refusal
        raise NothingCharged("; ".join(str(entry.refusal) for entry in choice.skipped))
    included = yield from _send(key, writer, choice.taken, datasets)
    return _settlement(included, choice.skipped)


def check(
    party: Party, signed: SignedVoucher, least_validity_s: int | None = None
) -> Operation[int]:
    """Return the gwei that the Hub has yet to charge for a voucher that a gateway may rely on.

    Without `least_validity_s` the voucher must only be good now. UnknownModel, WrongSigner,
    Expired, ExpiresTooSoon, NothingNew, VoucherTooLarge.
    """
    voucher = signed.voucher
    yield from read_model(voucher.model_key)
    escrow = yield from read_escrow(voucher.payer, voucher.model_key)
    now = (yield AskBlock("latest")).timestamp
    return check_voucher(signed, escrow, party.chain_id, now, least_validity_s or 0)


def _send(
    model_key: Hash32,
    logger: Address,
    vouchers: Sequence[SignedVoucher],
    datasets: Sequence[int] | None,
) -> Operation[Included]:
    for attempt in range(_ATTEMPTS):
        named = tuple(datasets or ())
        if datasets is None:
            named = yield from unpaid_datasets(model_key, logger)
        arguments = [voucher.argument() for voucher in vouchers]
        try:
            included: Included = yield send_to_hub(
                "settling", hub_call("settle", model_key, logger, named, arguments)
            )
            return included
        except DatasetsIncomplete:  # receipts for another dataset may have come meanwhile
            if datasets is not None or attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def _logger_of(model_key: Hash32, logger: bytes | None) -> Operation[Address]:
    model = yield from read_model(model_key)
    if logger is not None:
        return Address(logger)
    if model.logger is None:
        raise NoLogger("name the one that has retired", model_key=model_key)
    return model.logger


def _choose(
    party: Party, model_key: Hash32, logger: Address, vouchers: Sequence[SignedVoucher]
) -> Operation[_Choice]:
    """Take the best voucher of each payer, small amounts first, as far as receipts go."""
    unsettled = (yield from read_unsettled(model_key, logger)).amount_gwei
    now = (yield AskBlock("latest")).timestamp
    good: list[tuple[int, SignedVoucher]] = []
    skipped: list[Skipped] = []
    for payer, offered in _by_payer(model_key, vouchers).items():
        escrow = yield from read_escrow(payer, model_key)
        for signed in offered:  # a forged one must not hide a good one below it
            try:
                good.append((check_charge(signed, escrow, party.chain_id, now), signed))
                break
            except VoucherRefusal as refusal:
                skipped.append(Skipped(signed, refusal))
    return _affordable(good, skipped, unsettled)


def _affordable(
    good: list[tuple[int, SignedVoucher]], skipped: list[Skipped], unsettled: int
) -> _Choice:
    taken = []
    for amount, signed in sorted(good, key=lambda entry: entry[0]):
        if amount <= unsettled:
            unsettled -= amount
            taken.append(signed)
            continue
        missing = ReceiptsMissing(
            payer=signed.voucher.payer, amount_gwei=amount, unsettled_gwei=unsettled
        )
        skipped.append(Skipped(signed, missing))
    return _Choice(tuple(taken), tuple(skipped))


def _by_payer(
    model_key: Hash32, vouchers: Sequence[SignedVoucher]
) -> dict[Address, list[SignedVoucher]]:
    """Return the vouchers of each payer, the highest one first."""
    offered: dict[Address, list[SignedVoucher]] = {}
    for signed in sorted(set(vouchers), key=lambda entry: -entry.voucher.cumulative_gwei):
        voucher = signed.voucher
        if voucher.model_key != model_key:
            raise InvalidInput(
                f"voucher: expected model 0x{model_key.hex()}, got 0x{voucher.model_key.hex()}"
            )
        offered.setdefault(voucher.payer, []).append(signed)
    return offered


def _settlement(included: Included, skipped: tuple[Skipped, ...]) -> Settlement:
    events = hub_events(included)
    settled = event_of(included, Settled)
    return Settlement(
        charged_gwei=settled.charged_gwei,
        unsettled_gwei=settled.unsettled_gwei,
        owner_wei=settled.owner_wei,
        charged=tuple(event for event in events if isinstance(event, VoucherCharged)),
        datasets=tuple(event for event in events if isinstance(event, DatasetPaid)),
        skipped=skipped,
        skipped_on_chain=tuple(event for event in events if isinstance(event, VoucherSkipped)),
        included=included,
    )

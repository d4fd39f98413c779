"""What the attribution methods answer.

Whole numbers are QUANTITYs, amounts in the unit that their name ends with; shares are JSON numbers
from 0 to 1; dollars are decimal strings. Null stands for a number that there is nothing to make of.
"""

from collections.abc import Iterable
from fractions import Fraction

from attribution.faking import FakingCost
from attribution.payouts import Payee
from attribution.receipt_numbers import ReceiptNumbers
from attribution.records import Record, StreamState
from attribution.registry import Appointment, Dataset, HubFact, Model
from attribution.self_dealing import RULE_SET_VERSION, RULES
from attribution.settlements import Settlement
from attribution.statistics import PaymentNumbers, Statistics
from node.attribution_entries import Batch, Place
from node.types.block import Header
from node.types.primitives import BlockNumber, Hash32
from rpc.encoding.hexadecimal import Json, JsonObject, data, quantity

_SHARE_DIGITS = 6


def show_cursor(place: Place) -> str:
    """Return where a list goes on, as `after` takes it."""
    return data(place.encode())


def show_block(header: Header, first_indexed: BlockNumber) -> JsonObject:
    """Return as of which block an answer is, and since which block the index knows all."""
    return {
        "blockNumber": quantity(header.number),
        "blockHash": data(header.hash),
        "timestamp": quantity(header.timestamp),
        "indexedFrom": quantity(first_indexed),
    }


def show_head(state: StreamState) -> JsonObject:
    """Return a stream's totals; credit is in gwei x basis points."""
    return {
        "count": quantity(state.count),
        "amountGwei": quantity(state.amount),
        "credited": quantity(state.credited),
    }


def show_batch(batch: Batch, tx_hash: Hash32, records: Iterable[JsonObject] | None) -> JsonObject:
    """Return a batch with some of its receipts; null for those that a contract wrote."""
    return {
        "fromSeq": quantity(batch.from_seq),
        "count": quantity(batch.count),
        "amountGwei": quantity(batch.amount),
        **_show_place(batch.place, batch.timestamp),
        "transactionHash": data(tx_hash),
        "transactionIndex": quantity(batch.place.transaction_index),
        "logIndex": quantity(batch.place.log_index),
        "isDeposit": batch.is_deposit,
        "receipts": None if records is None else list(records),
    }


def show_record(seq: int, record: Record) -> JsonObject:
    """Return a receipt; weights are in basis points."""
    return {
        "seq": quantity(seq),
        "amountGwei": quantity(record.amount),
        "influences": [
            {"dataset": quantity(entry.dataset), "weight": quantity(entry.weight)}
            for entry in record.influences
        ],
        "commitment": data(record.commitment),
    }


def show_model(model: Model) -> JsonObject:
    """Return what the Hub's registry has of a model."""
    return {
        "modelKey": data(model.key),
        "stream": quantity(model.stream),
        "owner": data(model.owner),
        "modelHash": data(model.model_hash),
        "salt": data(model.salt),
        "uri": model.uri,
        "priceGwei": quantity(model.price_gwei),
        "ownerBps": quantity(model.owner_bps),
        "payout": data(model.payout),
        "declaredDatasets": [quantity(dataset) for dataset in model.declared_datasets],
        "loggers": [_show_appointment(entry) for entry in model.appointments],
        **_show_place(model.registered, model.registered_at),
    }


def show_training(fact: HubFact, dataset: int, run_hash: Hash32) -> JsonObject:
    """Return a record of what a model was trained on."""
    shown = {"dataset": quantity(dataset), "runHash": data(run_hash)}
    return {**shown, **_show_place(fact.place, fact.timestamp)}


def show_dataset(dataset: Dataset) -> JsonObject:
    """Return what the Hub's registry has of a dataset."""
    return {
        "id": quantity(dataset.id),
        "owner": data(dataset.owner),
        "payout": data(dataset.payout),
        "contentHash": data(dataset.content_hash),
        "uri": dataset.uri,
        **_show_place(dataset.registered, dataset.registered_at),
    }


def show_payee(payee: Payee) -> JsonObject:
    """Return what settlements have credited to an account."""
    return {
        "account": data(payee.account),
        "ownerWei": quantity(payee.owner_wei),
        "datasetsWei": quantity(payee.datasets_wei),
    }


def show_settlement(settlement: Settlement) -> JsonObject:
    """Return who was charged and who was paid."""
    return {
        **_show_place(settlement.place, settlement.timestamp),
        "transactionIndex": quantity(settlement.place.transaction_index),
        "logIndex": quantity(settlement.place.log_index),
        "logger": data(settlement.logger),
        "chargedGwei": quantity(settlement.charged_gwei),
        "unsettledGwei": quantity(settlement.unsettled_gwei),
        "payout": data(settlement.payout),
        "ownerWei": quantity(settlement.owner_wei),
        "isDeposit": settlement.is_deposit,
        "charges": [
            {"payer": data(charge.payer), "chargedGwei": quantity(charge.gwei)}
            for charge in settlement.charges
        ],
        "payments": [
            {
                "dataset": quantity(payment.dataset),
                "payout": data(payment.payout),
                "credit": quantity(payment.credit),
                "paidWei": quantity(payment.wei),
            }
            for payment in settlement.payments
        ],
    }


def show_statistics(numbers: Statistics) -> JsonObject:
    """Return numbers raw and without known self-dealing, side by side, with the rules."""
    return {
        "ruleSet": RULE_SET_VERSION,
        "rules": list(RULES),
        "receipts": _show_receipts(numbers.receipts),
        "payments": {
            "raw": _show_payments(numbers.raw),
            "notKnownSelfDealt": _show_payments(numbers.organic),
            "selfDealtPayers": quantity(numbers.self_dealt_payers),
        },
    }


def show_faking_cost(cost: FakingCost) -> JsonObject:
    """Return what one unit of some numbers costs whoever makes it up."""
    return {
        "numbers": list(cost.numbers),
        "costWei": quantity(cost.wei),
        "means": cost.means,
    }


def _show_receipts(numbers: ReceiptNumbers) -> JsonObject:
    return {
        "receipts": quantity(numbers.receipts),
        "amountGwei": quantity(numbers.amount_gwei),
        "medianPriceGwei": _optional(numbers.median_price_gwei),
        "settlementLagSeconds": _optional(numbers.settlement_lag_s),
        "settledReceipts": quantity(numbers.settled_receipts),
        "unattributedShare": _share(numbers.unattributed_share),
        "hiddenReceipts": quantity(numbers.hidden_receipts),
        "depositedReceipts": quantity(numbers.deposited_receipts),
    }


def _show_payments(numbers: PaymentNumbers) -> JsonObject:
    return {
        "volumeWei": quantity(numbers.volume_wei),
        "settlements": quantity(numbers.settlements),
        "payers": quantity(numbers.payers),
        "repeatRate7d": _share(numbers.repeat_rate_7d),
        "repeatRate30d": _share(numbers.repeat_rate_30d),
        "largestPayerShare": _share(numbers.largest_payer_share),
        "largest5PayersShare": _share(numbers.largest_5_payers_share),
        "medianChargeWei": _optional(numbers.median_charge_wei),
        "depositedWei": quantity(numbers.deposited_wei),
    }


def _show_place(place: Place, timestamp: int) -> JsonObject:
    return {"blockNumber": quantity(place.block), "timestamp": quantity(timestamp)}


def _show_appointment(appointment: Appointment) -> JsonObject:
    until = appointment.until
    return {
        "logger": data(appointment.logger),
        "fromBlock": quantity(appointment.since.block),
        "toBlock": None if until is None else quantity(until.block),
        "isAbandoned": appointment.is_abandoned,
    }


def _optional(number: int | None) -> Json:
    return None if number is None else quantity(number)


def _share(share: Fraction | None) -> Json:
    return None if share is None else round(float(share), _SHARE_DIGITS)

"""What the AttributionHub and the receipt precompile keep, as values.

Amounts called gwei are whole gwei of OPEN; credit is gwei x basis points.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from attribution.calldata import (
    decode_credit_result,
    decode_head_result,
    encode_credit,
    encode_head,
)
from attribution.client.exchange import Label, Operation, Read
from attribution.hub_calls import hub_answer, hub_call
from attribution.records import StreamState
from attribution.refusals import AttributionUnavailable
from attribution.voucher_book import EscrowState
from node.errors import DecodingError
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import ZERO_ADDRESS, Address, Hash32


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset: who owns it, who is paid for it, and the commitment to its content."""

    owner: Address
    payout: Address
    content_hash: Hash32


@dataclass(frozen=True, slots=True)
class Model:
    """A model's terms. `owner_bps` is the owner's share of what payers pay, in basis points.

    `logger` is None while nobody writes its receipts.
    """

    owner: Address
    price_gwei: int
    owner_bps: int
    payout: Address
    logger: Address | None
    declared_datasets: tuple[int, ...]


class StreamStatus(IntEnum):
    """Whether more of a logger's receipts count for the model."""

    ACTIVE = 1
    RETIRED = 2
    ABANDONED = 3


@dataclass(frozen=True, slots=True)
class LoggerState:
    """How much of a logger's receipts has been paid; the finals are zero until it retires."""

    settled_gwei: int
    settled_credit: int
    status: StreamStatus
    final_gwei: int
    final_credit: int


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What receipts are worth that have not been paid, and the credit of all datasets in them."""

    amount_gwei: int
    credit: int


def stream_of(model_key: bytes) -> int:
    """Return the stream in which loggers write a model's receipts.

    >>> stream_of(bytes([1]) * 32) == 0x0101010101010101
    True
    """
    return int.from_bytes(model_key[:8], "big")


def read_dataset(dataset: int, at: Label = "latest") -> Operation[Dataset]:
    """Ask for a dataset; UnknownDataset if there is none."""
    output = yield _view("dataset", dataset, at=at)
    return Dataset(*_answer("dataset", output)[0])


def read_model(model_key: bytes) -> Operation[Model]:
    """Ask for a model; UnknownModel if there is none."""
    output = yield _view("model", model_key)
    owner, price, owner_bps, count, payout, logger, declared = _answer("model", output)[0]
    if count > len(declared):
        raise DecodingError(f"model: expected at most {len(declared)} datasets, got {count}")
    named = None if logger == ZERO_ADDRESS else logger
    return Model(owner, price, owner_bps, payout, named, tuple(declared[:count]))


def read_escrow(payer: Address, model_key: bytes) -> Operation[EscrowState]:
    """Ask what a payer has for a model; all zero if nothing."""
    output = yield _view("escrow", payer, model_key)
    balance, spent, requested, requested_at, signer = _answer("escrow", output)[0]
    known = None if signer == ZERO_ADDRESS else signer
    return EscrowState(balance, spent, requested, requested_at, known)


def read_logger(model_key: bytes, logger: Address) -> Operation[LoggerState]:
    """Ask how much of a logger's receipts has been paid; UnknownLogger if it never was one."""
    output = yield _view("streamState", model_key, logger)
    _, gwei, credit, status, final_gwei, final_credit = _answer("streamState", output)[0]
    if status not in tuple(StreamStatus):
        raise DecodingError(f"streamState: expected a status from 1 to 3, got {status}")
    return LoggerState(gwei, credit, StreamStatus(status), final_gwei, final_credit)


def read_unsettled(model_key: bytes, logger: Address) -> Operation[Unsettled]:
    """Ask what of a logger's receipts can still be settled."""
    output = yield _view("unsettled", model_key, logger)
    return Unsettled(*_answer("unsettled", output))


def read_unsettled_credit(model_key: bytes, logger: Address, dataset: int) -> Operation[int]:
    """Ask for a dataset's unpaid credit in a logger's receipts."""
    output = yield _view("unsettledCredit", model_key, logger, dataset)
    credit: int = _answer("unsettledCredit", output)[0]
    return credit


def read_owed(account: Address) -> Operation[int]:
    """Ask what an account may claim, in wei, over all models."""
    output = yield _view("owed", account)
    owed: int = _answer("owed", output)[0]
    return owed


def read_dataset_count() -> Operation[int]:
    """Ask how many datasets there are: their ids are 1 to this."""
    output = yield _view("datasetCount")
    count: int = _answer("datasetCount", output)[0]
    return count


def read_withdrawal_times() -> Operation[tuple[int, int]]:
    """Ask for the delay of a withdrawal and the window after it, in seconds."""
    delay = yield _view("withdrawalDelay")
    window = yield _view("withdrawalWindow")
    return _answer("withdrawalDelay", delay)[0], _answer("withdrawalWindow", window)[0]


def read_head(logger: Address, stream: int) -> Operation[StreamState]:
    """Ask the precompile for a stream's totals."""
    output = yield Read(ATTRIBUTION_ADDRESS, encode_head(logger, stream))
    return decode_head_result(output)


def read_credit(logger: Address, stream: int, dataset: int) -> Operation[int]:
    """Ask the precompile for all credit that a dataset ever had in a stream."""
    output = yield Read(ATTRIBUTION_ADDRESS, encode_credit(logger, stream, dataset))
    return decode_credit_result(output)


def _view(function: str, *arguments: object, at: Label = "latest") -> Read:
    return Read(ATTRIBUTION_HUB_ADDRESS, hub_call(function, *arguments), at)


def _answer(function: str, output: bytes) -> tuple[Any, ...]:
    if not output:
        raise AttributionUnavailable
    return hub_answer(function, output)

"""What the AttributionHub says in its events, as values.

Amounts called gwei are whole gwei of OPEN, amounts called wei are 10**-18 OPEN; credit is gwei x
basis points. Decoding is strict, since logs come from a server that may not be trusted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cache
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.exceptions import DecodingError as AbiDecodingError

from node.artifacts import load_artifact
from node.errors import DecodingError
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS
from node.types.primitives import Address, Hash32, hex_address, keccak256
from node.types.receipt import Log


class SkipReason(IntEnum):
    """Why `settle` left a voucher out."""

    WRONG_SIGNER = 0
    EXPIRED = 1
    NOTHING_NEW = 2
    ESCROW_TOO_SMALL = 3
    RECEIPTS_MISSING = 4


@dataclass(frozen=True, slots=True)
class DatasetRegistered:
    """Dataset `id` exists from now on."""

    id: int
    owner: Address
    payout: Address
    content_hash: Hash32
    uri: str


@dataclass(frozen=True, slots=True)
class DatasetPayoutChanged:
    """Dataset `id` is paid to another account from now on."""

    id: int
    payout: Address


@dataclass(frozen=True, slots=True)
class ModelRegistered:
    """A model exists from now on; `ModelTerms` follows."""

    model_key: Hash32
    owner: Address
    model_hash: Hash32
    salt: Hash32
    uri: str


@dataclass(frozen=True, slots=True)
class ModelTerms:
    """How a model's income is split: `owner_bps` basis points to the owner's payout."""

    model_key: Hash32
    stream: int
    price_gwei: int
    owner_bps: int
    payout: Address
    declared_datasets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PriceChanged:
    """The asking price of an answer has changed."""

    model_key: Hash32
    price_gwei: int


@dataclass(frozen=True, slots=True)
class ModelPayoutChanged:
    """The owner's share goes to another account from now on."""

    model_key: Hash32
    payout: Address


@dataclass(frozen=True, slots=True)
class TrainingRecorded:
    """The owner says that the model was trained on a dataset."""

    model_key: Hash32
    dataset: int
    run_hash: Hash32


@dataclass(frozen=True, slots=True)
class LoggerAppointed:
    """`logger` writes the model's receipts from now on."""

    model_key: Hash32
    logger: Address


@dataclass(frozen=True, slots=True)
class LoggerRetired:
    """What `logger` had written stays payable, up to these totals of its stream."""

    model_key: Hash32
    logger: Address
    final_gwei: int
    final_credit: int


@dataclass(frozen=True, slots=True)
class LoggerAbandoned:
    """What `logger` had written and was not paid is given up."""

    model_key: Hash32
    logger: Address


@dataclass(frozen=True, slots=True)
class Deposited:
    """A payer has added to its escrow for a model."""

    model_key: Hash32
    payer: Address
    signer: Address
    amount_gwei: int


@dataclass(frozen=True, slots=True)
class WithdrawalRequested:
    """A payer wants so much of its escrow back; 0 takes an earlier request back."""

    model_key: Hash32
    payer: Address
    amount_gwei: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A payer has got so much of its escrow back."""

    model_key: Hash32
    payer: Address
    amount_gwei: int


@dataclass(frozen=True, slots=True)
class VoucherCharged:
    """A payer has paid `amount_gwei`, and `cumulative_gwei` since its first inference."""

    model_key: Hash32
    payer: Address
    amount_gwei: int
    cumulative_gwei: int


@dataclass(frozen=True, slots=True)
class VoucherSkipped:
    """Voucher number `index` of the call was left out."""

    index: int
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class DatasetPaid:
    """A dataset's part. `credit` is what it was paid for, 0 for a part of the unattributed rest."""

    model_key: Hash32
    dataset: int
    payout: Address
    credit: int
    amount_wei: int


@dataclass(frozen=True, slots=True)
class Settled:
    """Of `unsettled_gwei` receipts, `charged_gwei` were paid; the owner's part is `owner_wei`."""

    model_key: Hash32
    logger: Address
    charged_gwei: int
    unsettled_gwei: int
    payout: Address
    owner_wei: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """An account has taken what it was owed."""

    account: Address
    to: Address
    amount_wei: int


HubEvent = (
    DatasetRegistered
    | DatasetPayoutChanged
    | ModelRegistered
    | ModelTerms
    | PriceChanged
    | ModelPayoutChanged
    | TrainingRecorded
    | LoggerAppointed
    | LoggerRetired
    | LoggerAbandoned
    | Deposited
    | WithdrawalRequested
    | Withdrawn
    | VoucherCharged
    | VoucherSkipped
    | DatasetPaid
    | Settled
    | Claimed
)
_KINDS: dict[str, Callable[..., HubEvent]] = {kind.__name__: kind for kind in HubEvent.__args__}


@dataclass(frozen=True, slots=True)
class _Form:
    """The layout of an event: ABI types of its topics and its data, and its fields' order."""

    kind: Callable[..., HubEvent]
    topic_types: tuple[str, ...]
    data_types: tuple[str, ...]
    order: tuple[int, ...]


def decode_hub_event(log: Log) -> HubEvent:
    """Read an event of the Hub; DecodingError for a log that is anything else."""
    if log.address != ATTRIBUTION_HUB_ADDRESS:
        raise DecodingError(f"log: expected the AttributionHub, got 0x{log.address.hex()}")
    form = _forms().get(log.topics[0]) if log.topics else None
    if form is None:
        raise DecodingError("log: it is no event of the AttributionHub")
    if len(log.topics) != 1 + len(form.topic_types):
        raise DecodingError(
            f"log: expected {1 + len(form.topic_types)} topics, got {len(log.topics)}"
        )
    values = _decode(form.topic_types, b"".join(log.topics[1:]))
    values += _decode(form.data_types, log.data)
    return form.kind(*(values[place] for place in form.order))


def event_topic(name: str) -> Hash32:
    """Return the first topic of an event by its name; KeyError if the Hub has no such event."""
    return next(topic for topic, form in _forms().items() if form.kind is _KINDS[name])


@cache
def _forms() -> dict[Hash32, _Form]:
    events = [entry for entry in load_artifact("AttributionHub").abi if entry["type"] == "event"]
    return dict(map(_form, events))


def _form(event: dict[str, Any]) -> tuple[Hash32, _Form]:
    inputs = event["inputs"]
    indexed = [place for place, entry in enumerate(inputs) if entry["indexed"]]
    plain = [place for place, entry in enumerate(inputs) if not entry["indexed"]]
    types = [entry["type"] for entry in inputs]
    read_order = indexed + plain
    kind = _KINDS[event["name"]]
    if len(fields(kind)) != len(inputs):  # type: ignore[arg-type]
        raise TypeError(f"{event['name']}: the contract's event has other fields than ours")
    topic = keccak256(f"{event['name']}({','.join(types)})".encode())
    form = _Form(
        kind=kind,
        topic_types=tuple(types[place] for place in indexed),
        data_types=tuple(types[place] for place in plain),
        order=tuple(read_order.index(place) for place in range(len(inputs))),
    )
    return topic, form


def _decode(types: Sequence[str], data: bytes) -> list[Any]:
    try:
        values = abi_decode(types, data)
    except (AbiDecodingError, OverflowError, UnicodeDecodeError) as error:
        raise DecodingError(f"event: expected {', '.join(types)}: {error}") from error
    return [_value(kind, value) for kind, value in zip(types, values, strict=True)]


def _value(kind: str, value: Any) -> Any:
    if kind == "address":
        return hex_address(value)
    if kind == "uint8":
        if value not in SkipReason.__members__.values():
            raise DecodingError(f"reason: expected one of {len(SkipReason)}, got {value}")
        return SkipReason(value)
    return value

"""Why something about attribution was refused: one exception for each reason, by its name.

Those that contracts have, too, bear the contract's name and its arguments; the others come from our
own checks, before anything is sent. Nothing has changed when one of these is raised, except where
it says so.
"""

import re
from typing import Any, ClassVar

from attribution.calldata import decode_error
from attribution.hub_calls import error_arguments, hub_errors
from attribution.hub_events import SkipReason
from node.errors import DecodingError, OperationRefused
from node.types.primitives import checksum_address


class Refused(OperationRefused):
    """Root of them. The arguments are attributes; a message begins with the reason's name."""

    text: ClassVar[str] = ""
    """What is wrong, with the arguments in braces."""

    def __init__(self, detail: str = "", **arguments: Any) -> None:
        self.arguments = arguments
        for name, value in arguments.items():
            setattr(self, name, value)
        shown = {name: _shown(value) for name, value in arguments.items()}
        told = self.text.format(**shown) + (f": {detail}" if detail and self.text else detail)
        super().__init__(f"{type(self).__name__}: {told}")

    def __getattr__(self, name: str) -> Any:
        # Only for type checkers: each class has the arguments that its text names.
        raise AttributeError(f"{type(self).__name__} has no {name}")


class ContractRefusal(Refused):
    """A refusal of the Hub or of the receipt precompile, whether it or our own check says so."""


class AmountTooLarge(ContractRefusal):
    text = "{amount_gwei} gwei are more than an escrow holds with what it has spent"


class AttributionUnavailable(ContractRefusal):
    text = "the receipt precompile does not answer: is attribution active on this chain?"


class BadPayout(ContractRefusal):
    text = "{payout} cannot be paid: expected an address, neither zero nor the Hub"


class BadShare(ContractRefusal):
    text = "expected a share of at most 10000 basis points, got {owner_bps}"


class DatasetsIncomplete(ContractRefusal):
    text = (
        "the datasets named have {covered_credit} of {unsettled_credit} gwei x basis points of "
        "unpaid credit: name all that have some"
    )


class DatasetsNotAscending(ContractRefusal):
    text = "datasets must ascend and be named once: number {index} of the list does not"


class EscrowTooSmall(ContractRefusal):
    text = "the escrow has {balance_gwei} gwei for this"


class LoggerAlreadyAppointed(ContractRefusal):
    text = "{logger} has been appointed for the model before: each logger is, only once"


class LoggerNotFresh(ContractRefusal):
    text = "{logger} has written {receipts} receipts for the model already: appoint a new address"


class ModelExists(ContractRefusal):
    text = "its owner has registered model {model_key} already: choose another salt"


class NoLogger(ContractRefusal):
    text = "model {model_key} has no logger"


class NoWithdrawal(ContractRefusal):
    text = "no withdrawal has been requested"


class NotOwner(ContractRefusal):
    text = "only the owner {owner} may do that"


class NotWholeGwei(ContractRefusal):
    text = "expected whole gwei, got {amount_wei} wei"


class NothingCharged(ContractRefusal):
    text = "no voucher can be charged"


class NothingOwed(ContractRefusal):
    text = "nothing is owed to this account"


class PaymentFailed(ContractRefusal):
    text = "{to} does not take the payment: name another account"


class SignerFixed(ContractRefusal):
    text = "the escrow's vouchers are signed by {signer}, which cannot be changed"


class SignerRequired(ContractRefusal):
    text = "a contract cannot sign: name a key's account as signer"


class TooManyDatasets(ContractRefusal):
    text = "expected at most {maximum} declared datasets, got {given}"


class UnknownDataset(ContractRefusal):
    text = "there is no dataset {dataset}"


class UnknownLogger(ContractRefusal):
    text = "{logger} has never been a logger of the model"


class UnknownModel(ContractRefusal):
    text = "there is no model {model_key}"


class WithdrawalLapsed(ContractRefusal):
    text = "the withdrawal could be executed until block time {not_after}: request it again"


class WithdrawalTooEarly(ContractRefusal):
    text = "the withdrawal can be executed from block time {not_before} on"


class BadInput(ContractRefusal):
    text = "the precompile cannot read the call"


class BadRecord(ContractRefusal):
    """`index` counts the records of the batch from 0."""

    text = "record {index} of the batch is none"


class BadSequence(ContractRefusal):
    text = "the stream goes on with number {expected}"


class NotACall(ContractRefusal):
    text = "append is for plain calls only, neither static nor delegated"


class Overflow(ContractRefusal):
    text = "the stream cannot hold so much"


class ValueNotAccepted(ContractRefusal):
    text = "the precompile takes no money"


class VoucherRefusal(Refused):
    """A voucher that would not be charged now, and for which of the Hub's reasons."""

    reason: ClassVar[SkipReason]


class WrongSigner(VoucherRefusal):
    text = "the voucher of {payer} is not signed by its escrow's signer {signer}"
    reason = SkipReason.WRONG_SIGNER


class Expired(VoucherRefusal):
    text = "the voucher of {payer} was good until {expiry}, it is {now}"
    reason = SkipReason.EXPIRED


class ExpiresTooSoon(Expired):
    text = "the voucher of {payer} is good until {expiry} only: expected {needed} or later"


class NothingNew(VoucherRefusal):
    text = "the voucher of {payer} says {cumulative_gwei} gwei, after {known_gwei}: it must rise"
    reason = SkipReason.NOTHING_NEW


class VoucherTooLarge(VoucherRefusal, EscrowTooSmall):
    text = "the voucher of {payer} asks for {amount_gwei} gwei, its escrow has {balance_gwei}"
    reason = SkipReason.ESCROW_TOO_SMALL


class ReceiptsMissing(VoucherRefusal):
    text = (
        "the voucher of {payer} asks for {amount_gwei} gwei, unpaid receipts are worth "
        "{unsettled_gwei}"
    )
    reason = SkipReason.RECEIPTS_MISSING


class VoucherRequired(Refused):
    text = "{payer} has had answers for {served_gwei} gwei, its voucher is for {cumulative_gwei}"


class WrongLogger(Refused):
    text = "{logger} is not the model's logger, {appointed} is: its receipts would not be paid"


class DatasetNotSafe(Refused):
    text = "dataset {dataset} is not safe yet: a reorg could give its number to another one"


class BatchTooLarge(Refused):
    text = "the batch makes {size} bytes of call data, a transaction takes at most {limit}"


class AlreadyLogged(Refused):
    text = "receipt {seq} of the stream has the commitment {commitment} already"


class NoAttribution(Refused):
    text = "there is no contract at {address}: this chain has no attribution"


class NoKey(Refused):
    text = "a key is needed to send or sign"


class NotSent(Refused):
    text = "the node does not take the transaction"


class NotIncluded(Refused):
    """It may still be included: ask before sending it again."""

    text = "transaction {transaction} is in no block (yet)"


class NotSafeYet(Refused):
    """It has been done, but a reorg can undo it."""

    text = "block {block} is not safe yet: L1 does not have its data"


class Reverted(Refused):
    """It was included and undid itself: only its fee is gone."""

    text = "transaction {transaction} was reverted"


_ARGUMENTS = {"BadSequence": "expected", "BadRecord": "index"}
"""What the precompile's errors have, those that have something."""

_KINDS = {kind.__name__: kind for kind in ContractRefusal.__subclasses__()}


def refusal_of(revert_data: bytes) -> ContractRefusal | None:
    """Return what a contract said as it reverted; None if that is no error of the Hub's or the
    precompile's.

    >>> str(refusal_of(bytes.fromhex("797dba54")))
    'NothingOwed: nothing is owed to this account'
    """
    try:
        return _of_hub(revert_data) or _of_precompile(revert_data)
    except DecodingError:
        return None


def _of_hub(revert_data: bytes) -> ContractRefusal | None:
    error = hub_errors().get(revert_data[:4])
    if error is None:
        return None
    values = error_arguments(error.types, revert_data[4:])
    return _KINDS[error.name](**dict(zip(map(_snake, error.fields), values, strict=True)))


def _of_precompile(revert_data: bytes) -> ContractRefusal:
    error = decode_error(revert_data)
    arguments: dict[str, Any] = (
        {} if error.argument is None else {_ARGUMENTS[error.name]: error.argument}
    )
    return _KINDS[error.name](**arguments)


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda capital: "_" + capital.group().lower(), name)


def _shown(value: object) -> str:
    if not isinstance(value, bytes):
        return str(value)
    return checksum_address(value) if len(value) == 20 else "0x" + value.hex()

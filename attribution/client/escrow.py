"""What payers set aside for a model and take back, and what is claimed by those who are paid."""

from dataclasses import dataclass

from attribution.client.exchange import Included, Operation, Party
from attribution.client.hub_views import read_escrow, read_model
from attribution.client.registration import event_of, send_to_hub
from attribution.hub_calls import hub_call
from attribution.hub_events import Claimed, Withdrawn
from attribution.refusals import AmountTooLarge, EscrowTooSmall
from node.errors import InvalidInput
from node.types.primitives import UINT64_MAX, ZERO_ADDRESS

GWEI = 10**9


@dataclass(frozen=True, slots=True)
class Paid:
    """What came out of the Hub, in wei of OPEN, and by which transaction."""

    amount_wei: int
    included: Included


def deposit(
    party: Party, model_key: bytes, amount_gwei: int, signer: bytes | None = None
) -> Operation[Included]:
    """Add OPEN of the account to its escrow for a model.

    `signer` is whose key signs its vouchers: the account's own by default; the first deposit
    decides for ever. UnknownModel, AmountTooLarge, SignerFixed, SignerRequired.
    """
    if amount_gwei < 1:
        raise InvalidInput(f"amount_gwei: expected 1 or more, got {amount_gwei}")
    if amount_gwei > UINT64_MAX:
        raise AmountTooLarge(amount_gwei=amount_gwei)
    yield from read_model(model_key)  # where there is no Hub, the money would be lost
    data = hub_call("deposit", model_key, signer or ZERO_ADDRESS)
    included: Included = yield send_to_hub("depositing", data, amount_gwei * GWEI)
    return included


def request_withdrawal(
    party: Party, model_key: bytes, amount_gwei: int | None = None
) -> Operation[Included]:
    """Ask for OPEN of the account's escrow back: all by default, and 0 takes the request back.

    Gateways count on that much less from now on; after the Hub's delay (7 days, and for one day)
    `withdraw` gets what vouchers have left of it. EscrowTooSmall, NoWithdrawal.
    """
    if amount_gwei is None:
        amount_gwei = (yield from read_escrow(party.address, model_key)).balance_gwei
        if amount_gwei == 0:
            raise EscrowTooSmall(balance_gwei=0)
    data = hub_call("requestWithdrawal", model_key, amount_gwei)
    included: Included = yield send_to_hub("requesting a withdrawal", data)
    return included


def withdraw(party: Party, model_key: bytes) -> Operation[Paid]:
    """Get what was requested. NoWithdrawal, WithdrawalTooEarly, WithdrawalLapsed, PaymentFailed."""
    included: Included = yield send_to_hub("withdrawing", hub_call("withdraw", model_key))
    return Paid(event_of(included, Withdrawn).amount_gwei * GWEI, included)


def claim(party: Party, to: bytes | None = None) -> Operation[Paid]:
    """Get what is owed to the account, over all models, or have it paid to another one.

    NothingOwed, BadPayout, PaymentFailed.
    """
    data = hub_call("claim") if to is None else hub_call("claimTo", to)
    included: Included = yield send_to_hub("claiming", data)
    return Paid(event_of(included, Claimed).amount_wei, included)

"""What a gateway makes of vouchers: whether to take one, and the best of each payer.

Amounts are in gwei of OPEN, times in seconds of block time. Nothing here asks a chain: who calls
says what the payer's escrow is.
"""

from dataclasses import dataclass
from typing import Any, Self

from attribution.refusals import (
    Expired,
    ExpiresTooSoon,
    NothingNew,
    VoucherRequired,
    VoucherTooLarge,
    WrongSigner,
)
from attribution.voucher_json import parse_voucher, voucher_to_json
from attribution.vouchers import SignedVoucher
from node.errors import InvalidInput
from node.types.primitives import Address, Hash32

LEAST_VALIDITY_S = 7 * 86_400
"""As long as a withdrawal takes: time enough to settle before the payer's money can go."""


@dataclass(frozen=True, slots=True)
class EscrowState:
    """What a payer has for a model.

    `spent_gwei` is all that was ever charged, `balance_gwei` what is left; `requested_gwei` of that
    are to be withdrawn, as asked at `requested_at` (0 if nothing is). `signer` is None before the
    first deposit.
    """

    balance_gwei: int
    spent_gwei: int
    requested_gwei: int
    requested_at: int
    signer: Address | None

    @property
    def free_gwei(self) -> int:
        """What a gateway may count on: no withdrawal can take it away."""
        return max(0, self.balance_gwei - self.requested_gwei)


def check_charge(signed: SignedVoucher, escrow: EscrowState, chain_id: int, now: int) -> int:
    """Return what the Hub would charge, in gwei, given receipts for it.

    WrongSigner, Expired, NothingNew, VoucherTooLarge.
    """
    voucher = signed.voucher
    if now > voucher.expiry:
        raise Expired(payer=voucher.payer, expiry=voucher.expiry, now=now)
    amount = voucher.cumulative_gwei - escrow.spent_gwei
    if amount <= 0:
        raise NothingNew(
            payer=voucher.payer,
            cumulative_gwei=voucher.cumulative_gwei,
            known_gwei=escrow.spent_gwei,
        )
    _check_balance(signed, amount, escrow.balance_gwei)
    _check_signer(signed, escrow, chain_id)
    return amount


def check_voucher(
    signed: SignedVoucher,
    escrow: EscrowState,
    chain_id: int,
    now: int,
    least_validity_s: int = LEAST_VALIDITY_S,
) -> int:
    """Return the gwei that the Hub has yet to charge for a voucher that a gateway may rely on.

    It must be good for `least_validity_s`, and covered by what no withdrawal can take away. Raises
    WrongSigner, Expired, ExpiresTooSoon, NothingNew, VoucherTooLarge.
    """
    amount = check_charge(signed, escrow, chain_id, now)
    voucher, needed = signed.voucher, now + least_validity_s
    if voucher.expiry < needed:
        raise ExpiresTooSoon(payer=voucher.payer, expiry=voucher.expiry, now=now, needed=needed)
    _check_balance(signed, amount, escrow.free_gwei)
    return amount


class VoucherBook:
    """One model's payers: the best voucher of each, and what each has been answered.

    >>> from attribution.vouchers import Voucher, sign_voucher
    >>> from node.types.transaction import address_of_key
    >>> key, model = bytes([7]) * 32, Hash32(bytes([1]) * 32)
    >>> payer = address_of_key(key)
    >>> escrow = EscrowState(5_000, 0, 0, 0, signer=payer)
    >>> book = VoucherBook(model, chain_id=901, least_validity_s=60)
    >>> book.accept(sign_voucher(key, Voucher(payer, model, 2_000, expiry=1_000), 901), escrow, 900)
    2000
    >>> book.serve(payer, 1_500)
    500
    """

    def __init__(
        self, model_key: Hash32, chain_id: int, least_validity_s: int = LEAST_VALIDITY_S
    ) -> None:
        self._model_key = model_key
        self._chain_id = chain_id
        self._least_validity_s = least_validity_s
        self._best: dict[Address, SignedVoucher] = {}
        self._served: dict[Address, int] = {}

    def accept(self, signed: SignedVoucher, escrow: EscrowState, now: int) -> int:
        """Keep a voucher, and return the gwei of answers that its payer may still have.

        Raises as `check_voucher` does; NothingNew also if the payer's last voucher was as high, and
        InvalidInput for another model's voucher. The book is unchanged then.
        """
        voucher = signed.voucher
        if voucher.model_key != self._model_key:
            raise InvalidInput(
                f"voucher: expected model 0x{self._model_key.hex()}, "
                f"got 0x{voucher.model_key.hex()}"
            )
        check_voucher(signed, escrow, self._chain_id, now, self._least_validity_s)
        best = self._best.get(voucher.payer)
        if best is not None and voucher.cumulative_gwei <= best.voucher.cumulative_gwei:
            raise NothingNew(
                payer=voucher.payer,
                cumulative_gwei=voucher.cumulative_gwei,
                known_gwei=best.voucher.cumulative_gwei,
            )
        self._best[voucher.payer] = signed
        self._served.setdefault(voucher.payer, escrow.spent_gwei)
        return self.left(voucher.payer)

    def serve(self, payer: Address, amount_gwei: int) -> int:
        """Note an answer of that price, and return what the payer may still have.

        VoucherRequired if its best voucher does not cover it: ask for one of `needed` gwei.
        """
        served = self._served.get(payer, 0) + amount_gwei
        best = self._best.get(payer)
        cumulative = 0 if best is None else best.voucher.cumulative_gwei
        if served > cumulative:
            raise VoucherRequired(payer=payer, served_gwei=served, cumulative_gwei=cumulative)
        self._served[payer] = served
        return cumulative - served

    def left(self, payer: Address) -> int:
        """Return the gwei of answers that a payer's best voucher still covers."""
        best = self._best.get(payer)
        return 0 if best is None else best.voucher.cumulative_gwei - self._served[payer]

    def best(self, payer: Address) -> SignedVoucher | None:
        """Return a payer's highest voucher."""
        return self._best.get(payer)

    def vouchers(self) -> tuple[SignedVoucher, ...]:
        """Return the best voucher of each payer: what `settle` wants."""
        return tuple(self._best.values())

    def to_json(self) -> dict[str, Any]:
        """Return all that has to survive a restart: vouchers are money."""
        return {
            "modelKey": "0x" + self._model_key.hex(),
            "chainId": self._chain_id,
            "leastValidity": self._least_validity_s,
            "payers": [
                {
                    "voucher": voucher_to_json(best, self._chain_id),
                    "servedGwei": self._served[payer],
                }
                for payer, best in self._best.items()
            ],
        }

    @classmethod
    def from_json(cls, content: Any) -> Self:
        """Go on where `to_json` was; InvalidInput if this is none of it."""
        try:
            key = Hash32(bytes.fromhex(content["modelKey"][2:]))
            book = cls(key, content["chainId"], content["leastValidity"])
            for entry in content["payers"]:
                signed = parse_voucher(entry["voucher"], book._chain_id)
                book._best[signed.voucher.payer] = signed
                book._served[signed.voucher.payer] = int(entry["servedGwei"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput(f"voucher book: expected what to_json gave: {error!r}") from error
        return book


def _check_balance(signed: SignedVoucher, amount: int, balance: int) -> None:
    if amount > balance:
        raise VoucherTooLarge(payer=signed.voucher.payer, amount_gwei=amount, balance_gwei=balance)


def _check_signer(signed: SignedVoucher, escrow: EscrowState, chain_id: int) -> None:
    signer = signed.signer(chain_id)
    if signer is None or signer != escrow.signer:
        raise WrongSigner(payer=signed.voucher.payer, signer=escrow.signer)

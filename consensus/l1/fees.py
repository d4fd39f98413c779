"""What to offer L1 for a transaction: fees and gas, as pure functions. All fees in wei per gas."""

from dataclasses import dataclass

TRANSACTION_GAS = 21_000
_GAS_PER_TOKEN = 4
_FLOOR_GAS_PER_TOKEN = 10
_TOKENS_PER_NONZERO_BYTE = 4


@dataclass(frozen=True, slots=True)
class Fees:
    """The two prices of an EIP-1559 transaction."""

    tip: int
    cap: int

    def bumped(self, percent: int, market: "Fees") -> "Fees":
        """Return fees that replace these: `percent` more at least, the market's if that is more."""
        return Fees(
            tip=max(_raised(self.tip, percent), market.tip),
            cap=max(_raised(self.cap, percent), market.cap),
        )

    def limited(self, limit: int) -> "Fees":
        """Return these fees, no higher than `limit`."""
        return Fees(min(self.tip, limit), min(self.cap, limit))


def market_fees(base_fee: int, suggested_tip: int | None, minimum_tip: int) -> Fees:
    """Return fees that stay valid while the base fee doubles (six full blocks in a row)."""
    tip = max(suggested_tip or 0, minimum_tip)
    return Fees(tip, 2 * base_fee + tip)


def calldata_gas(data: bytes) -> int:
    """Return the gas of a transaction that only carries data to an account without code.

    The larger of intrinsic gas and the floor of EIP-7623: right before and after Prague.
    """
    zeros = data.count(0)
    tokens = zeros + (len(data) - zeros) * _TOKENS_PER_NONZERO_BYTE
    return TRANSACTION_GAS + tokens * max(_GAS_PER_TOKEN, _FLOOR_GAS_PER_TOKEN)


def _raised(price: int, percent: int) -> int:
    return max(price + 1, -(-price * (100 + percent) // 100))

"""What to offer L1 for a transaction: fees and gas, as pure functions. All fees in wei per gas."""

from dataclasses import dataclass

TRANSACTION_GAS = 21_000
_GAS_PER_TOKEN = 4
_FLOOR_GAS_PER_TOKEN = 10
_TOKENS_PER_NONZERO_BYTE = 4


@dataclass(frozen=True, slots=True)
class Fees:
    """The prices of an EIP-1559 transaction; `blob_cap` per unit of blob gas, 0 without blobs."""

    tip: int
    cap: int
    blob_cap: int = 0

    def bumped(self, percent: int, market: "Fees") -> "Fees":
        """Return fees that replace these: `percent` more at least, the market's if that is more."""
        return Fees(
            tip=max(_raised(self.tip, percent), market.tip),
            cap=max(_raised(self.cap, percent), market.cap),
            blob_cap=max(_raised(self.blob_cap, percent), market.blob_cap) if self.blob_cap else 0,
        )

    def limited(self, limit: int) -> "Fees":
        """Return these fees, no higher than `limit`."""
        return Fees(min(self.tip, limit), min(self.cap, limit), min(self.blob_cap, limit))


def market_fees(
    base_fee: int, suggested_tip: int | None, minimum_tip: int, blob_base_fee: int = 0
) -> Fees:
    """Return fees that stay valid while base fees double (six full blocks in a row)."""
    tip = max(suggested_tip or 0, minimum_tip)
    return Fees(tip, 2 * base_fee + tip, 2 * blob_base_fee)


def calldata_gas(data: bytes) -> int:
    """Return the gas of a transaction that only carries data to an account without code.

    The larger of intrinsic gas and the floor of EIP-7623: right before and after Prague.
    """
    zeros = data.count(0)
    tokens = zeros + (len(data) - zeros) * _TOKENS_PER_NONZERO_BYTE
    return TRANSACTION_GAS + tokens * max(_GAS_PER_TOKEN, _FLOOR_GAS_PER_TOKEN)


def _raised(price: int, percent: int) -> int:
    return max(price + 1, -(-price * (100 + percent) // 100))

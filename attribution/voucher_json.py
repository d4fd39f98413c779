"""Vouchers as JSON: how payers hand them to gateways, and gateways keep them."""

from typing import Any

from attribution.vouchers import SignedVoucher, Voucher, from_wallet
from node.errors import InvalidInput
from node.types.primitives import Address, Hash32

_KEYS = ("chainId", "payer", "modelKey", "cumulativeGwei", "expiry", "signature")


def voucher_to_json(signed: SignedVoucher, chain_id: int) -> dict[str, Any]:
    """Return a voucher of a chain; its signature is of 64 bytes (EIP-2098)."""
    voucher = signed.voucher
    return {
        "chainId": chain_id,
        "payer": _hex(voucher.payer),
        "modelKey": _hex(voucher.model_key),
        "cumulativeGwei": voucher.cumulative_gwei,
        "expiry": voucher.expiry,
        "signature": _hex(signed.r.to_bytes(32, "big") + signed.vs.to_bytes(32, "big")),
    }


def parse_voucher(content: object, chain_id: int) -> SignedVoucher:
    """Read a voucher, with a signature of 64 bytes or of the 65 that wallets return.

    InvalidInput names the field that is missing, unknown or wrong, also for another chain's. The
    signature itself is not looked at.
    """
    if not isinstance(content, dict) or set(content) != set(_KEYS):
        raise InvalidInput(f"voucher: expected an object with {', '.join(_KEYS)} alone")
    if _number(content, "chainId") != chain_id:
        raise InvalidInput(f"chainId: expected {chain_id}, got {content['chainId']}")
    voucher = Voucher(
        payer=Address(_bytes(content, "payer", 20)),
        model_key=Hash32(_bytes(content, "modelKey", 32)),
        cumulative_gwei=_number(content, "cumulativeGwei"),
        expiry=_number(content, "expiry"),
    )
    signature = _bytes(content, "signature", 64, 65)
    if len(signature) == 65:
        return from_wallet(voucher, signature)
    r, vs = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    return SignedVoucher(voucher, r, vs)


def _number(content: dict[str, Any], key: str) -> int:
    value = content[key]
    if type(value) is not int or value < 0:
        raise InvalidInput(f"{key}: expected a whole number, got {value!r:.80}")
    return value


def _bytes(content: dict[str, Any], key: str, *sizes: int) -> bytes:
    raw = content[key]
    try:
        value = bytes.fromhex(raw[2:]) if isinstance(raw, str) and raw[:2] == "0x" else b""
    except ValueError:
        value = b""
    if len(value) not in sizes:
        wanted = " or ".join(map(str, sizes))
        raise InvalidInput(f"{key}: expected {wanted} bytes of hexadecimal, got {raw!r:.80}")
    return value


def _hex(data: bytes) -> str:
    return "0x" + data.hex()

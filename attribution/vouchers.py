"""Vouchers: a payer's signed word for what a model has answered it so far (EIP-712).

A voucher is cumulative: the last one pays for any number of inferences, and replaces those before.
"""

from dataclasses import dataclass
from typing import Any

from coincurve import PrivateKey

from node.errors import InvalidInput
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS
from node.types.primitives import UINT64_MAX, Address, Hash32, checksum_address, keccak256
from node.types.transaction import SECP256K1_N, recover_address

DOMAIN_NAME = "OpenRollup AttributionHub"
DOMAIN_VERSION = "1"

_DOMAIN_TYPE = keccak256(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_VOUCHER_TYPE = keccak256(
    b"Voucher(address payer,bytes32 modelKey,uint64 cumulativeGwei,uint64 expiry)"
)
_Y_PARITY = 1 << 255


@dataclass(frozen=True, slots=True)
class Voucher:
    """Charge `payer` up to `cumulative_gwei` in total for `model_key`, until `expiry`.

    `cumulative_gwei` counts gwei of OPEN since the first inference; `expiry` is the last second (of
    block time) at which it may be charged. InvalidInput if either is not of 64 bits.
    """

    payer: Address
    model_key: Hash32
    cumulative_gwei: int
    expiry: int

    def __post_init__(self) -> None:
        for name in ("cumulative_gwei", "expiry"):
            value = getattr(self, name)
            if not 0 <= value <= UINT64_MAX:
                raise InvalidInput(f"{name}: expected 0 to 2^64-1, got {value}")

    def digest(self, chain_id: int, hub: Address = ATTRIBUTION_HUB_ADDRESS) -> Hash32:
        """Return the hash that the escrow's signer signs."""
        words = (self.cumulative_gwei, self.expiry)
        encoded = self.payer.rjust(32, b"\x00") + self.model_key
        encoded += b"".join(word.to_bytes(32, "big") for word in words)
        struct_hash = keccak256(_VOUCHER_TYPE + encoded)
        return keccak256(b"\x19\x01" + domain_separator(chain_id, hub) + struct_hash)

    def typed_data(self, chain_id: int, hub: Address = ATTRIBUTION_HUB_ADDRESS) -> dict[str, Any]:
        """Return what a wallet shows and signs by `eth_signTypedData_v4`."""
        return {
            "types": {
                "EIP712Domain": _fields(
                    name="string", version="string", chainId="uint256", verifyingContract="address"
                ),
                "Voucher": _fields(
                    payer="address", modelKey="bytes32", cumulativeGwei="uint64", expiry="uint64"
                ),
            },
            "primaryType": "Voucher",
            "domain": {
                "name": DOMAIN_NAME,
                "version": DOMAIN_VERSION,
                "chainId": chain_id,
                "verifyingContract": checksum_address(hub),
            },
            "message": {
                "payer": checksum_address(self.payer),
                "modelKey": "0x" + self.model_key.hex(),
                "cumulativeGwei": self.cumulative_gwei,
                "expiry": self.expiry,
            },
        }


@dataclass(frozen=True, slots=True)
class SignedVoucher:
    """A voucher with its signature as EIP-2098 shortens it: `r`, and `s` with the parity on top."""

    voucher: Voucher
    r: int
    vs: int

    def signer(self, chain_id: int, hub: Address = ATTRIBUTION_HUB_ADDRESS) -> Address | None:
        """Return whose key signed it; None for what the Hub takes for no signature."""
        s = self.vs & (_Y_PARITY - 1)
        if not 0 <= self.vs < 1 << 256 or s > SECP256K1_N // 2:
            return None
        return recover_address(self.voucher.digest(chain_id, hub), self.vs >> 255, self.r, s)

    def argument(self) -> tuple[str, int, int, bytes, bytes]:
        """Return it as the Hub's `settle` takes it, for an ABI encoder; the model is beside it."""
        return (
            checksum_address(self.voucher.payer),
            self.voucher.cumulative_gwei,
            self.voucher.expiry,
            self.r.to_bytes(32, "big"),
            self.vs.to_bytes(32, "big"),
        )


def domain_separator(chain_id: int, hub: Address = ATTRIBUTION_HUB_ADDRESS) -> Hash32:
    """Return the EIP-712 domain of one chain's Hub."""
    words = (
        _DOMAIN_TYPE,
        keccak256(DOMAIN_NAME.encode()),
        keccak256(DOMAIN_VERSION.encode()),
        chain_id.to_bytes(32, "big"),
        hub.rjust(32, b"\x00"),
    )
    return keccak256(b"".join(words))


def sign_voucher(
    private_key: bytes, voucher: Voucher, chain_id: int, hub: Address = ATTRIBUTION_HUB_ADDRESS
) -> SignedVoucher:
    """Sign with a 32-byte key, that of the escrow's signer."""
    signature = PrivateKey(private_key).sign_recoverable(voucher.digest(chain_id, hub), hasher=None)
    return _short_form(voucher, signature[:32], signature[32:64], signature[64])


def from_wallet(voucher: Voucher, signature: bytes) -> SignedVoucher:
    """Take the 65 bytes that wallets return (r, s, v); InvalidInput for any other form."""
    if len(signature) != 65 or signature[64] not in (0, 1, 27, 28):
        raise InvalidInput("signature: expected 65 bytes, the last one 27 or 28")
    if signature[32] & 0x80:
        raise InvalidInput("signature: s is in the upper half, which the Hub refuses")
    return _short_form(voucher, signature[:32], signature[32:64], signature[64] % 27)


def _short_form(voucher: Voucher, r: bytes, s: bytes, parity: int) -> SignedVoucher:
    return SignedVoucher(
        voucher, int.from_bytes(r, "big"), int.from_bytes(s, "big") | parity << 255
    )


def _fields(**types: str) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in types.items()]

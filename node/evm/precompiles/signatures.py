"""ECRECOVER and P256VERIFY: signatures on secp256k1 and secp256r1."""

from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from node.types.primitives import Hash32
from node.types.transaction import recover_address

_ECRECOVER_GAS = 3000
_P256_VERIFY_GAS = 3450


def ecrecover(computation: Any) -> None:
    """Output the address that signed, padded to 32 bytes; nothing if the signature is none."""
    computation.consume_gas(_ECRECOVER_GAS, "ECRECOVER")
    data = bytes(computation.msg.data[:128]).ljust(128, b"\x00")
    v, r, s = (int.from_bytes(data[at : at + 32], "big") for at in (32, 64, 96))
    signer = recover_address(Hash32(data[:32]), v - 27, r, s)
    if signer is not None:
        computation.output = signer.rjust(32, b"\x00")


def p256_verify(computation: Any) -> None:
    """Output 1 if (r, s) is a secp256r1 signature of the hash by (x, y); otherwise nothing."""
    computation.consume_gas(_P256_VERIFY_GAS, "P256VERIFY")
    data = computation.msg.data
    if len(data) == 160 and _is_p256_signature(bytes(data)):
        computation.output = (1).to_bytes(32, "big")


def _is_p256_signature(data: bytes) -> bool:
    r, s, x, y = (int.from_bytes(data[at : at + 32], "big") for at in (32, 64, 96, 128))
    if r == 0 or s == 0:
        return False
    try:
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        key.verify(encode_dss_signature(r, s), data[:32], ec.ECDSA(Prehashed(SHA256())))
    except (ValueError, InvalidSignature):  # no point of the curve, or not signed by it
        return False
    return True

"""The precompiled contracts of each rule set, in py-evm's calling convention.

py-evm's own are used where they are right and bounded. Written here are those that are not:
ECRECOVER (one signature library for the whole node), MODEXP (0^0 is 1), point evaluation (the
trusted setup is loaded once), RIPEMD-160 (not every OpenSSL has it), and those that py-evm lacks.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import ckzg
from Crypto.Hash import RIPEMD160
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from eth.exceptions import VMError
from eth.precompiles.point_evaluation import TRUSTED_SETUP_PATH
from eth.vm.forks.cancun.computation import CANCUN_PRECOMPILES
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES

from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Address, Hash32
from node.types.transaction import recover_address

Precompile = Callable[[Any], object]
"""Takes a py-evm computation, charges its gas and sets its output; VMError burns all its gas."""

_ECRECOVER_GAS = 3000
_RIPEMD_GAS = 600
_RIPEMD_WORD_GAS = 120
_POINT_EVALUATION_GAS = 50_000
_P256_VERIFY_GAS = 3450
_MODEXP_MIN_GAS = 200
_MODEXP_DIVISOR = 3

_BLS_MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
_FIELD_ELEMENTS_PER_BLOB = 4096
_POINT_EVALUATION_RESULT = _FIELD_ELEMENTS_PER_BLOB.to_bytes(32, "big") + _BLS_MODULUS.to_bytes(
    32, "big"
)


def _address(number: int) -> Address:
    return Address(number.to_bytes(20, "big"))


ECRECOVER = _address(1)
RIPEMD = _address(3)
MODEXP = _address(5)
BN256_PAIRING = _address(8)
POINT_EVALUATION = _address(10)
BLS_G1_MSM = _address(12)
BLS_G2_MSM = _address(14)
BLS_PAIRING = _address(15)
P256_VERIFY = _address(0x100)

_ISTHMUS_CAPS = {
    BN256_PAIRING: 112_687,
    BLS_G1_MSM: 513_760,
    BLS_G2_MSM: 488_448,
    BLS_PAIRING: 235_008,
}
_JOVIAN_CAPS = {
    BN256_PAIRING: 81_984,
    BLS_G1_MSM: 288_960,
    BLS_G2_MSM: 278_784,
    BLS_PAIRING: 156_672,
}


def precompiles_for(
    *, is_prague: bool, is_rollup: bool, is_jovian: bool, has_receipts: bool
) -> Mapping[Address, Precompile]:
    """Return the precompiles by address. On a rollup some bound their input in bytes."""
    table: dict[Address, Precompile] = {
        **(PRAGUE_PRECOMPILES if is_prague else CANCUN_PRECOMPILES),
        ECRECOVER: ecrecover,
        RIPEMD: ripemd160,
        MODEXP: modexp,
        POINT_EVALUATION: point_evaluation,
    }
    if is_rollup:
        table[P256_VERIFY] = p256_verify
        for address, cap in (_JOVIAN_CAPS if is_jovian else _ISTHMUS_CAPS).items():
            if address in table:
                table[address] = _capped(table[address], cap)
    if has_receipts:
        from node.evm.attribution import receipt_precompile

        table[ATTRIBUTION_ADDRESS] = receipt_precompile
    return MappingProxyType(table)


def ecrecover(computation: Any) -> None:
    """Output the address that signed, padded to 32 bytes; nothing if the signature is none."""
    computation.consume_gas(_ECRECOVER_GAS, "ECRECOVER")
    data = computation.msg.data_as_bytes[:128].ljust(128, b"\x00")
    v, r, s = (int.from_bytes(data[at : at + 32], "big") for at in (32, 64, 96))
    signer = recover_address(Hash32(data[:32]), v - 27, r, s)
    if signer is not None:
        computation.output = signer.rjust(32, b"\x00")


def ripemd160(computation: Any) -> None:
    """Output the RIPEMD-160 hash, padded to 32 bytes."""
    data = computation.msg.data_as_bytes
    gas = _RIPEMD_GAS + _RIPEMD_WORD_GAS * ((len(data) + 31) // 32)
    computation.consume_gas(gas, "RIPEMD160")
    computation.output = RIPEMD160.new(data).digest().rjust(32, b"\x00")


def modexp(computation: Any) -> None:
    """Output base^exponent mod modulus, as long as the modulus (EIP-198, priced by EIP-2565)."""
    data = computation.msg.data_as_bytes
    base_size, exponent_size, modulus_size = (_read(data, at, 32) for at in (0, 32, 64))
    exponent_at = 96 + base_size
    head = _read(data, exponent_at, min(exponent_size, 32))
    computation.consume_gas(_modexp_gas(base_size, exponent_size, modulus_size, head), "MODEXP")
    # Only now are the sizes bounded by gas: an empty modulus costs the minimum, whatever the rest.
    if modulus_size == 0:
        return
    modulus = _read(data, exponent_at + exponent_size, modulus_size)
    if modulus == 0:
        computation.output = bytes(modulus_size)
        return
    base = _read(data, 96, base_size)
    exponent = _read(data, exponent_at, exponent_size)
    computation.output = pow(base, exponent, modulus).to_bytes(modulus_size, "big")


def _modexp_gas(base_size: int, exponent_size: int, modulus_size: int, head: int) -> int:
    words = (max(base_size, modulus_size) + 7) // 8
    iterations = max(head.bit_length() - 1, 0) + 8 * max(exponent_size - 32, 0)
    return max(_MODEXP_MIN_GAS, words * words * max(iterations, 1) // _MODEXP_DIVISOR)


def _read(data: bytes, start: int, size: int) -> int:
    """Read a big-endian integer; what lies beyond the data is zero."""
    present = data[start : start + size]
    return int.from_bytes(present, "big") << (8 * (size - len(present))) if present else 0


def point_evaluation(computation: Any) -> None:
    """Check a KZG proof: the blob behind a versioned hash is y at point z (EIP-4844)."""
    computation.consume_gas(_POINT_EVALUATION_GAS, "POINT_EVALUATION")
    data = computation.msg.data_as_bytes
    if len(data) != 192:
        raise VMError(f"point evaluation: expected 192 bytes, got {len(data)}")
    versioned_hash, z, y, commitment, proof = (
        data[start:end] for start, end in ((0, 32), (32, 64), (64, 96), (96, 144), (144, 192))
    )
    if versioned_hash != b"\x01" + hashlib.sha256(commitment).digest()[1:]:
        raise VMError("point evaluation: the commitment does not match the versioned hash")
    try:
        is_valid = ckzg.verify_kzg_proof(commitment, z, y, proof, _trusted_setup())
    except RuntimeError as error:  # an argument that is no field element or no curve point
        raise VMError(f"point evaluation: {error}") from error
    if not is_valid:
        raise VMError("point evaluation: the proof is wrong")
    computation.output = _POINT_EVALUATION_RESULT


@lru_cache(maxsize=1)
def _trusted_setup() -> object:
    return ckzg.load_trusted_setup(str(Path(TRUSTED_SETUP_PATH).resolve()), 0)


def p256_verify(computation: Any) -> None:
    """Output 1 if (r, s) is a secp256r1 signature of the hash by (x, y); otherwise nothing."""
    computation.consume_gas(_P256_VERIFY_GAS, "P256VERIFY")
    data = computation.msg.data_as_bytes
    if len(data) == 160 and _is_p256_signature(data):
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


def _capped(precompile: Precompile, cap: int) -> Precompile:
    def bounded(computation: Any) -> object:
        if len(computation.msg.data) > cap:
            raise VMError(f"precompile input: expected at most {cap} bytes")
        return precompile(computation)

    return bounded

"""Gas a second of each precompile on its dearest input: this node beside py-evm's, in one run."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import process_time
from types import SimpleNamespace

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from eth.exceptions import VMError
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES
from eth_keys.datatypes import PrivateKey
from gmpy2 import mpz
from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from bench.machine import machine, versions
from node.evm.bn254 import g1
from node.evm.environment import no_interrupt
from node.evm.precompiles import Precompile, precompiles_for
from node.types.primitives import Address

_LINE = "{:28} {:>9} {:>10} {:>9} {:>10} {:>9}"
_LEAST_SECONDS = 0.2
_ONES = b"\xff" * 32
_BN254_G2 = bytes.fromhex(  # the generator, as EIP-197 writes it
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
)
_KZG_SECRET_G1 = bytes.fromhex(  # g1_monomial[1] of the ceremony
    "ad3eb50121139aa34db1d545093ac9374ab7bca2c0f3bf28e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5a04c81"
)


class PrecompileFailed(Exception):
    """A precompile refused its input, so that its time says nothing."""


@dataclass(frozen=True, slots=True)
class Case:
    """An input of the precompile at a number."""

    title: str
    number: int
    data: bytes

    @property
    def address(self) -> Address:
        return Address(_word(self.number)[12:])


_STATE = SimpleNamespace(execution_context=SimpleNamespace(interrupt=no_interrupt))


@dataclass(slots=True)
class _Message:
    data: bytes

    @property
    def data_as_bytes(self) -> bytes:
        return self.data


@dataclass(slots=True)
class _Computation:
    """What a precompile uses of a computation."""

    msg: _Message
    gas: int = 0
    output: bytes = b""
    state: SimpleNamespace = field(default_factory=lambda: _STATE)

    def consume_gas(self, amount: int, reason: str) -> None:
        self.gas += amount


def run_precompiles() -> None:
    """Print the table. py-evm's precompiles run less often than ours: theirs take longer."""
    print(f"precompiles: {machine()}")
    print(f"ours: {versions('gmpy2', 'py-arkworks-bls12381', 'coincurve', 'cryptography')}")
    print(f"peer: {versions('py-evm', 'py-ecc', 'ckzg')}")
    print("CPU time; gas columns: millions a second\n")
    print(_LINE.format("input", "gas", "ours ms", "ours gas", "peer ms", "peer gas"))
    ours = precompiles_for(is_prague=True, is_rollup=True, is_jovian=False, has_receipts=False)
    for case in cases():
        gas, seconds = _measure(ours, case)
        row = [case.title, f"{gas}", f"{seconds * 1e3:.4f}", f"{gas / seconds / 1e6:.1f}"]
        if case.address in PRAGUE_PRECOMPILES:
            _, theirs = _measure(PRAGUE_PRECOMPILES, case)
            row += [f"{theirs * 1e3:.4f}", f"{gas / theirs / 1e6:.1f}"]
        else:
            row += ["-", "-"]
        print(_LINE.format(*row), flush=True)


def _measure(precompiles: Mapping[Address, Precompile], case: Case) -> tuple[int, float]:
    """Return a call's gas and seconds of CPU, which other programs' load changes least.

    One call before is not measured.
    """
    precompile = precompiles[case.address]
    _call(precompile, case)
    calls, start = 0, process_time()
    while (elapsed := process_time() - start) < _LEAST_SECONDS:
        gas = _call(precompile, case)
        calls += 1
    return gas, elapsed / calls


def _call(precompile: Precompile, case: Case) -> int:
    computation = _Computation(_Message(case.data))
    try:
        precompile(computation)
    except VMError as error:
        raise PrecompileFailed(f"{case.title}: {error}") from error
    return computation.gas


def cases() -> Sequence[Case]:
    """Return inputs that take long for their price, at least one for each precompile."""
    return [
        Case("ECRECOVER", 1, _secp256k1()),
        Case("SHA256, 1 word", 2, _ONES),
        Case("RIPEMD160, 1 word", 3, _ONES),
        Case("IDENTITY, 1 word", 4, _ONES),
        Case("MODEXP, 8 bytes, even", 5, modexp_input(8, 256)),
        Case("MODEXP, 32 bytes, even", 5, modexp_input(32, 32)),
        Case("MODEXP, 256 bytes, even", 5, modexp_input(256, 256)),
        *_bn254_cases(),
        Case("BLAKE2F, a million rounds", 9, (10**6).to_bytes(4, "big") + bytes(208) + b"\x01"),
        Case("POINT_EVALUATION", 10, _kzg()),
        *_bls_cases(),
        Case("P256VERIFY", 0x100, _secp256r1()),
    ]


def _bn254_cases() -> Sequence[Case]:
    x, y = (_word(int(part)) for part in g1.multiply((mpz(1), mpz(2)), 2**200 + 1) or ())
    pair = x + y + _BN254_G2
    return [
        Case("ECADD", 6, x + y + _word(1) + _word(2)),
        Case("ECMUL", 7, x + y + _ONES),
        Case("ECPAIRING, 1 pair", 8, pair),
        Case("ECPAIRING, 10 pairs", 8, pair * 10),
    ]


def _bls_cases() -> Sequence[Case]:
    scalar = Scalar.from_be_bytes_mod_order(_ONES)
    first, second = _padded(G1Point() * scalar), _padded(G2Point() * scalar)
    return [
        Case("BLS12_G1ADD", 11, first + _padded(G1Point())),
        Case("BLS12_G1MSM, 1 term", 12, first + _ONES),
        Case("BLS12_G1MSM, 128 terms", 12, (first + _ONES) * 128),
        Case("BLS12_G2ADD", 13, second + _padded(G2Point())),
        Case("BLS12_G2MSM, 1 term", 14, second + _ONES),
        Case("BLS12_G2MSM, 128 terms", 14, (second + _ONES) * 128),
        Case("BLS12_PAIRING, 1 pair", 15, first + second),
        Case("BLS12_PAIRING, 10 pairs", 15, (first + second) * 10),
        Case("BLS12_MAP_FP_TO_G1", 16, bytes(32) + _word(7)),
        Case("BLS12_MAP_FP2_TO_G2", 17, (bytes(32) + _word(7)) * 2),
    ]


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _padded(point: G1Point | G2Point) -> bytes:
    data = point.to_xy_bytes_be()
    return b"".join(bytes(16) + data[at : at + 48] for at in range(0, len(data), 48))


def modexp_input(size: int, exponent_size: int) -> bytes:
    """Raise a number of `size` bytes to ones, modulo an even number, which GMP likes least."""
    base = (b"\x37\x91\xc5" * size)[:size]
    modulus = b"\xff" * (size - 1) + b"\xfe"
    sizes = _word(size) + _word(exponent_size) + _word(size)
    return sizes + base + b"\xff" * exponent_size + modulus


def _kzg() -> bytes:
    """Return the proof that the polynomial 9 x is 45 at 5: 9 x - 45 is 9 times x - 5."""
    nine = Scalar(9)
    commitment = (G1Point.from_compressed_bytes(_KZG_SECRET_G1) * nine).to_compressed_bytes()
    proof = (G1Point() * nine).to_compressed_bytes()
    versioned = b"\x01" + hashlib.sha256(commitment).digest()[1:]
    return versioned + _word(5) + _word(45) + commitment + proof


def _secp256k1() -> bytes:
    digest = hashlib.sha256(b"bench").digest()
    signature = PrivateKey(_word(7)).sign_msg_hash(digest)
    return digest + _word(27 + signature.v) + _word(signature.r) + _word(signature.s)


def _secp256r1() -> bytes:
    digest = hashlib.sha256(b"bench").digest()
    key = ec.derive_private_key(7, ec.SECP256R1())
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
    point = key.public_key().public_numbers()
    return digest + _word(r) + _word(s) + _word(point.x) + _word(point.y)

"""Precompiles as contracts call them: the cheapest calls over and over, and the dearest at once."""

from collections.abc import Iterable

from bench.precompiles import cases as inputs
from bench.precompiles import modexp_input
from bench.worst.assembly import loop
from bench.worst.case import BLOCK_GAS, Case, address_at

_NAMES = {1: "ECRECOVER", 2: "SHA256", 3: "RIPEMD160", 4: "IDENTITY", 5: "MODEXP"}


def precompile_cases() -> Iterable[Case]:
    """Return the cases."""
    for item in inputs():
        yield calling(item.title, item.number, item.data)
    for number, name in _NAMES.items():
        yield calling(f"{name}, no data", number, b"")
    for number in range(6, 18):
        yield calling(f"precompile {number}, no gas", number, b"\x01" * 128, gas="0")
    for name, number in (("SHA256", 2), ("RIPEMD160", 3), ("IDENTITY", 4)):
        yield calling(f"{name}, 1 MB", number, b"\xff" * 2**20, gas_limit=BLOCK_GAS)


def calling(
    name: str, number: int, data: bytes, *, gas: str = "GAS", gas_limit: int = 10_000_000
) -> Case:
    """Return a case that calls a precompile with the same data again and again."""
    before = "CALLDATASIZE 0 0 CALLDATACOPY"
    reserve = max(60_000, gas_limit // 50)
    body = loop(
        f"0 0 CALLDATASIZE 0 {number} {gas} STATICCALL POP",
        before=before,
        times=1,
        reserve=reserve,
    )
    return Case(name, body, data=data, gas=gas_limit)


def at_once(name: str, number: int, data: bytes) -> Case:
    """Return a case that is a transaction to a precompile."""
    return Case(name, data=data, gas=BLOCK_GAS, to=address_at(number))


def single_call_cases() -> Iterable[Case]:
    """Return cases of one call that takes a whole block's gas, and cannot be interrupted."""
    for size in (8, 32, 64, 256, 512, 1024, 4096):
        yield at_once(f"MODEXP at once, {size} bytes", 5, _modexp(size))
    pairs = BLOCK_GAS // 34_000 - 2
    bounded = {item.title: item for item in inputs()}
    yield at_once("ECPAIRING at once", 8, bounded["ECPAIRING, 1 pair"].data * min(pairs, 586))
    yield at_once("BLAKE2F at once", 9, BLOCK_GAS.to_bytes(4, "big") + bytes(208) + b"\x01")
    for title, number, largest in (
        ("BLS12_G1MSM, 1 term", 12, 513_760),
        ("BLS12_G2MSM, 1 term", 14, 488_448),
        ("BLS12_PAIRING, 1 pair", 15, 235_008),
    ):
        data = bounded[title].data
        yield at_once(f"{title.split(',')[0]} at once", number, data * (largest // len(data)))


def _modexp(size: int) -> bytes:
    """Return the longest exponent that a block's gas allows for numbers of `size` bytes."""
    words = (size + 7) // 8
    exponent_size = min(32 + (3 * BLOCK_GAS // (words * words) - 256) // 8, 2**17)
    return modexp_input(size, max(exponent_size, 1))

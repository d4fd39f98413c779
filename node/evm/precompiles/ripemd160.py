"""RIPEMD160: the hash, by a library that always has it."""

from typing import Any

from Crypto.Hash import RIPEMD160

_GAS = 600
_WORD_GAS = 120


def ripemd160(computation: Any) -> None:
    """Output the RIPEMD-160 hash, padded to 32 bytes."""
    data = computation.msg.data_as_bytes
    computation.consume_gas(_GAS + _WORD_GAS * ((len(data) + 31) // 32), "RIPEMD160")
    computation.output = RIPEMD160.new(data).digest().rjust(32, b"\x00")

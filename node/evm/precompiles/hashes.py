"""SHA256, RIPEMD160 and the identity, which is priced like them."""

import hashlib
from typing import Any

from Crypto.Hash import RIPEMD160

_SHA256_GAS, _SHA256_WORD_GAS = 60, 12
_RIPEMD160_GAS, _RIPEMD160_WORD_GAS = 600, 120
_IDENTITY_GAS, _IDENTITY_WORD_GAS = 15, 3


def sha256(computation: Any) -> None:
    """Output the SHA-256 hash."""
    data = computation.msg.data
    computation.consume_gas(_SHA256_GAS + _SHA256_WORD_GAS * _words(data), "SHA256")
    computation.output = hashlib.sha256(data).digest()


def ripemd160(computation: Any) -> None:
    """Output the RIPEMD-160 hash, padded to 32 bytes, by a library that always has it."""
    data = computation.msg.data
    computation.consume_gas(_RIPEMD160_GAS + _RIPEMD160_WORD_GAS * _words(data), "RIPEMD160")
    computation.output = RIPEMD160.new(data).digest().rjust(32, b"\x00")


def identity(computation: Any) -> None:
    """Output the data."""
    data = computation.msg.data
    computation.consume_gas(_IDENTITY_GAS + _IDENTITY_WORD_GAS * _words(data), "IDENTITY")
    computation.output = bytes(data)


def _words(data: bytes) -> int:
    return (len(data) + 31) >> 5

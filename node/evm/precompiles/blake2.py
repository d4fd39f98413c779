"""BLAKE2F: the compression function of BLAKE2b (EIP-152)."""

import struct
from typing import Any

from blake2b import compress
from eth.exceptions import VMError

_LAYOUT = struct.Struct("<8Q16Q2QB")
_ROUNDS_SIZE = 4


def blake2_compress(computation: Any) -> None:
    """Output the state after as many rounds as the input names, each of which costs one gas."""
    size = len(computation.msg.data)
    if size != _ROUNDS_SIZE + _LAYOUT.size:
        raise VMError(f"blake2: expected {_ROUNDS_SIZE + _LAYOUT.size} bytes, got {size}")
    data = computation.msg.data_as_bytes
    rounds = int.from_bytes(data[:_ROUNDS_SIZE], "big")
    words = _LAYOUT.unpack_from(data, _ROUNDS_SIZE)
    state, block, offsets, is_final = words[:8], words[8:24], words[24:26], words[26]
    if is_final > 1:
        raise VMError(f"blake2: expected 0 or 1 as the final flag, got {is_final}")
    computation.consume_gas(rounds, "BLAKE2F")
    computation.output = compress(rounds, state, block, offsets, bool(is_final))

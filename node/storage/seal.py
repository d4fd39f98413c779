"""Seals on values that nothing else vouches for: the beginning of a hash of key and value."""

from node.errors import CorruptStore
from node.storage.schema import Table
from node.types.primitives import keccak256

SEAL_SIZE = 8


def seal(key: bytes, value: bytes) -> bytes:
    """Return what is stored for `value` under `key`."""
    return keccak256(key + value)[:SEAL_SIZE] + value


def unseal(table: Table, key: bytes, stored: bytes) -> bytes:
    """Return the value; CorruptStore names table and key if it is not the one that was sealed."""
    value = stored[SEAL_SIZE:]
    if keccak256(key + value)[:SEAL_SIZE] != stored[:SEAL_SIZE]:
        raise CorruptStore(f"{table}: what is stored under 0x{key.hex()} is not what was written")
    return value

"""Fixed-size byte strings, constants and keccak-256."""

import hashlib
from typing import NewType

from sha3 import keccak_256 as _keccak_256

from node.types.rlp_codec import encode, encode_uint

Hash32 = NewType("Hash32", bytes)
Address = NewType("Address", bytes)
BlockNumber = NewType("BlockNumber", int)


def keccak256(data: bytes) -> Hash32:
    """Return the 32-byte Keccak-256 hash (the pre-standard SHA-3 of Ethereum)."""
    digest: bytes = _keccak_256(data).digest()
    return Hash32(digest)


ZERO_HASH = Hash32(bytes(32))
ZERO_ADDRESS = Address(bytes(20))
EMPTY_CODE_HASH = keccak256(b"")
EMPTY_TRIE_ROOT = keccak256(b"\x80")
EMPTY_OMMERS_HASH = keccak256(b"\xc0")
EMPTY_REQUESTS_HASH = Hash32(hashlib.sha256(b"").digest())
EMPTY_BLOOM = bytes(256)
UINT64_MAX = 2**64 - 1
UINT256_MAX = 2**256 - 1


def hex_address(text: str) -> Address:
    """Parse 20 bytes of hexadecimal, with or without 0x; ValueError otherwise."""
    return Address(_fixed(text, 20))


def hex_hash(text: str) -> Hash32:
    """Parse 32 bytes of hexadecimal, with or without 0x; ValueError otherwise."""
    return Hash32(_fixed(text, 32))


def _fixed(text: str, size: int) -> bytes:
    digits = text.removeprefix("0x")
    if len(digits) != 2 * size:
        raise ValueError(f"expected {2 * size} hexadecimal digits, got {len(digits)}")
    raw = bytes.fromhex(digits)
    if len(raw) != size:  # fromhex skips white space
        raise ValueError(f"expected {2 * size} hexadecimal digits, got white space among them")
    return raw


def checksum_address(address: bytes) -> str:
    """Return the mixed-case EIP-55 form, 0x-prefixed."""
    plain = address.hex()
    digest = keccak256(plain.encode()).hex()
    return "0x" + "".join(
        c.upper() if int(d, 16) > 7 else c for c, d in zip(plain, digest[: len(plain)], strict=True)
    )


def create_address(sender: Address, nonce: int) -> Address:
    """Return the address of a contract that `sender` creates with `nonce` (CREATE)."""
    return Address(keccak256(encode([sender, encode_uint(nonce)]))[12:])

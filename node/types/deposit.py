"""Deposit transactions: what L1 forces onto L2 (type 0x7E; spec "Deposits")."""

from dataclasses import dataclass, field

from node.errors import DecodingError
from node.types.primitives import Address, Hash32, keccak256
from node.types.rlp_codec import as_bytes, as_list, as_uint, decode, encode, encode_uint
from node.types.transaction import DEPOSIT

_USER_DOMAIN = 0
_L1_ATTRIBUTES_DOMAIN = 1


@dataclass(frozen=True, slots=True)
class DepositTransaction:
    """A transaction without signature or nonce. `mint` is wei of OPEN created for `sender`.

    `mint` survives even when the transaction fails. `gas` is prepaid on L1 and never refunded.
    """

    source_hash: Hash32
    sender: Address
    to: Address | None
    mint: int
    value: int
    gas: int
    is_system_transaction: bool
    data: bytes
    raw: bytes = field(repr=False)
    hash: Hash32

    @property
    def type(self) -> int:
        """0x7E."""
        return DEPOSIT


def make_deposit(
    *,
    source_hash: Hash32,
    sender: Address,
    to: Address | None,
    mint: int,
    value: int,
    gas: int,
    data: bytes,
    is_system_transaction: bool = False,
) -> DepositTransaction:
    """Build a deposit and its encoding."""
    raw = bytes([DEPOSIT]) + encode(
        [
            source_hash,
            sender,
            to or b"",
            encode_uint(mint),
            encode_uint(value),
            encode_uint(gas),
            b"\x01" if is_system_transaction else b"",
            data,
        ]
    )
    return DepositTransaction(
        source_hash, sender, to, mint, value, gas, is_system_transaction, data, raw, keccak256(raw)
    )


def decode_deposit(raw: bytes) -> DepositTransaction:
    """Decode a type 0x7E envelope; DecodingError names the field that is wrong."""
    if raw[:1] != bytes([DEPOSIT]):
        raise DecodingError(f"deposit: expected type 0x7e, got 0x{raw[:1].hex()}")
    items = as_list(decode(raw[1:], 2), "deposit", 8)
    to = as_bytes(items[2], "to")
    flag = as_bytes(items[6], "isSystemTx")
    if flag not in (b"", b"\x01"):
        raise DecodingError(f"isSystemTx: expected empty or 0x01, got 0x{flag.hex()}")
    return DepositTransaction(
        source_hash=Hash32(as_bytes(items[0], "sourceHash", 32)),
        sender=Address(as_bytes(items[1], "from", 20)),
        to=Address(as_bytes(items[2], "to", 20)) if to else None,
        mint=as_uint(items[3], "mint"),
        value=as_uint(items[4], "value"),
        gas=as_uint(items[5], "gas", 64),
        is_system_transaction=flag == b"\x01",
        data=as_bytes(items[7], "data"),
        raw=raw,
        hash=keccak256(raw),
    )


def user_source_hash(l1_block_hash: Hash32, log_index: int) -> Hash32:
    """Return the identity of a user's deposit: its log's place in an L1 block."""
    return _source_hash(_USER_DOMAIN, l1_block_hash, log_index)


def l1_attributes_source_hash(l1_block_hash: Hash32, sequence_number: int) -> Hash32:
    """Return the identity of an L1-attributes deposit: epoch and place in it."""
    return _source_hash(_L1_ATTRIBUTES_DOMAIN, l1_block_hash, sequence_number)


def _source_hash(domain: int, l1_block_hash: Hash32, number: int) -> Hash32:
    inner = keccak256(l1_block_hash + number.to_bytes(32, "big"))
    return keccak256(domain.to_bytes(32, "big") + inner)

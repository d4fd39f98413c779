"""Logs, blooms and transaction receipts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from node.errors import DecodingError
from node.types.primitives import EMPTY_BLOOM, Address, Hash32, keccak256
from node.types.rlp_codec import (
    Decoded,
    RlpItem,
    as_bytes,
    as_list,
    as_uint,
    decode,
    encode,
    encode_uint,
)
from node.types.transaction import ACCESS_LIST, BLOB, DEPOSIT, DYNAMIC_FEE, LEGACY, SET_CODE

DEPOSIT_RECEIPT_VERSION = 1
_TYPED = frozenset({ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE, DEPOSIT})


@dataclass(frozen=True, slots=True)
class Log:
    """An event: who emitted it, up to four 32-byte topics, and data."""

    address: Address
    topics: tuple[Hash32, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of one transaction. `status` is 1 for success, gas is in gas units.

    `deposit_nonce` is the sender's nonce before a deposit ran, None for other types. `gas_used` is
    this transaction's own; it is not part of the encoding and is rebuilt from the cumulative sums.
    """

    type: int
    status: int
    cumulative_gas_used: int
    gas_used: int
    logs: tuple[Log, ...]
    bloom: bytes
    deposit_nonce: int | None = None
    contract_address: Address | None = None
    _encoding: bytes = field(default=b"", init=False, repr=False, compare=False)

    def encode(self) -> bytes:
        """Return the EIP-2718 encoding that the receipts root commits to, made once."""
        if not self._encoding:
            object.__setattr__(self, "_encoding", self._encode())
        return self._encoding

    def _encode(self) -> bytes:
        logs: list[RlpItem] = [[log.address, list(log.topics), log.data] for log in self.logs]
        status = b"\x01" if self.status else b""
        body: list[RlpItem] = [status, encode_uint(self.cumulative_gas_used), self.bloom, logs]
        if self.type == DEPOSIT:
            body += [encode_uint(self.deposit_nonce or 0), encode_uint(DEPOSIT_RECEIPT_VERSION)]
        payload = encode(body)
        return payload if self.type == LEGACY else bytes([self.type]) + payload


def decode_receipt(raw: bytes, cumulative_before: int) -> Receipt:
    """Decode an EIP-2718 receipt; `cumulative_before` is the sum of the transactions before it.

    The contract address is not part of the encoding and comes back as None.
    """
    if not raw:
        raise DecodingError("receipt: expected an envelope, got no bytes")
    if raw[0] < 0xC0 and raw[0] not in _TYPED:
        raise DecodingError(f"receipt type not supported: 0x{raw[0]:02x}")
    kind, payload = (LEGACY, raw) if raw[0] >= 0xC0 else (raw[0], raw[1:])
    items = as_list(decode(payload, 5), "receipt", 6 if kind == DEPOSIT else 4)
    cumulative = as_uint(items[1], "cumulativeGasUsed", 64)
    if cumulative < cumulative_before:
        raise DecodingError(
            f"cumulativeGasUsed: expected at least {cumulative_before}, got {cumulative}"
        )
    return Receipt(
        type=kind,
        status=_decode_status(items[0]),
        cumulative_gas_used=cumulative,
        gas_used=cumulative - cumulative_before,
        logs=tuple(_decode_log(item) for item in as_list(items[3], "logs")),
        bloom=as_bytes(items[2], "logsBloom", 256),
        deposit_nonce=_decode_deposit_nonce(items) if kind == DEPOSIT else None,
    )


def logs_bloom(logs: Iterable[Log]) -> bytes:
    """Return the 2048-bit bloom filter over the addresses and topics of `logs`."""
    bits = 0
    for log in logs:
        bits |= bloom_bits(log.address)
        for topic in log.topics:
            bits |= bloom_bits(topic)
    return bits.to_bytes(256, "big") if bits else EMPTY_BLOOM


@lru_cache(maxsize=65536)
def bloom_bits(entry: bytes) -> int:
    """Return the three bits that one address or topic sets in a bloom filter."""
    digest = keccak256(entry)
    bits = 0
    for offset in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[offset : offset + 2], "big") & 2047)
    return bits


def _decode_status(item: Decoded) -> int:
    status = as_bytes(item, "status")
    if status not in (b"", b"\x01"):
        raise DecodingError(f"status: expected empty or 0x01, got 0x{status.hex()}")
    return len(status)


def _decode_deposit_nonce(items: list[Decoded]) -> int:
    version = as_uint(items[5], "depositReceiptVersion", 64)
    if version != DEPOSIT_RECEIPT_VERSION:
        raise DecodingError(
            f"depositReceiptVersion: expected {DEPOSIT_RECEIPT_VERSION}, got {version}"
        )
    return as_uint(items[4], "depositNonce", 64)


def _decode_log(item: Decoded) -> Log:
    address, topics, data = as_list(item, "log", 3)
    return Log(
        Address(as_bytes(address, "log address", 20)),
        tuple(Hash32(as_bytes(topic, "topic", 32)) for topic in as_list(topics, "topics")),
        as_bytes(data, "log data"),
    )

"""The transactions of a span batch: stored by column, so that like compresses beside like.

Source: specs/protocol/delta/span-batches, "Span Batch Format"; type 4 since Isthmus. The chain id,
which the reader knows, is left out of each transaction and put back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from consensus.codec.byte_reader import ByteReader, encode_bits, encode_uvarint
from node.errors import DecodingError, InvalidInput
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
from node.types.transaction import ACCESS_LIST, DYNAMIC_FEE, LEGACY, SET_CODE

_MAX_DATA_SIZE: Final = 10_000_000
_DEPTH: Final = 5
_UNBOUNDED: Final = 1 << 40  # the reference reads amounts of any size, and execution refuses them


class _Layout(NamedTuple):
    """How a transaction type maps to `datas`: how many prices it has, and how many fields there."""

    prices: int
    fields: int


_LAYOUTS: Final = {
    LEGACY: _Layout(prices=1, fields=3),
    ACCESS_LIST: _Layout(prices=1, fields=4),
    DYNAMIC_FEE: _Layout(prices=2, fields=5),
    SET_CODE: _Layout(prices=2, fields=6),
}


@dataclass(frozen=True, slots=True)
class SpanTransactions:
    """The columns. In bit lists, bit i belongs to transaction i, of `protected_bits` to the i-th
    legacy one. `recipients` leaves out creations. `datas` holds what has no column of its own: the
    EIP-2718 type byte (none for legacy) and an RLP list of value, prices, calldata and the rest.
    """

    creation_bits: int
    y_parity_bits: int
    signatures: tuple[bytes, ...] = field(repr=False)
    recipients: tuple[bytes, ...] = field(repr=False)
    datas: tuple[bytes, ...] = field(repr=False)
    nonces: tuple[int, ...] = field(repr=False)
    gas_limits: tuple[int, ...] = field(repr=False)
    protected_bits: int

    def encode(self) -> bytes:
        """Return the columns one after the other, as they end a span batch."""
        count = len(self.datas)
        return b"".join(
            (
                encode_bits(self.creation_bits, count),
                encode_bits(self.y_parity_bits, count),
                *self.signatures,
                *self.recipients,
                *self.datas,
                *map(encode_uvarint, self.nonces),
                *map(encode_uvarint, self.gas_limits),
                encode_bits(self.protected_bits, _legacy_count(self.datas)),
            )
        )

    def restore(self, chain_id: int) -> tuple[bytes, ...]:
        """Return the signed transactions, encoded; DecodingError if one of them cannot exist."""
        count = len(self.datas)
        is_creation = _flags(self.creation_bits, count)
        parities = _flags(self.y_parity_bits, count)
        protections = iter(_flags(self.protected_bits, count))
        recipients = iter(self.recipients)
        transactions = []
        for index, data in enumerate(self.datas):
            to = b"" if is_creation[index] else next(recipients)
            v = parities[index]
            if _is_legacy(data):
                v += 35 + 2 * chain_id if next(protections) else 27
            signature = self.signatures[index]
            r, s = signature[:32].lstrip(b"\0"), signature[32:].lstrip(b"\0")
            nonce, gas = self.nonces[index], self.gas_limits[index]
            transactions.append(_restore(data, chain_id, nonce, gas, to, (encode_uint(v), r, s)))
        return tuple(transactions)


def read_span_transactions(reader: ByteReader, count: int) -> SpanTransactions:
    """Read the columns of `count` transactions; DecodingError if they are cut off or overfull."""
    creation_bits = reader.bits(count, "contract creation bits")
    y_parity_bits = reader.bits(count, "y parity bits")
    signatures = tuple(reader.take(64, "signature") for _ in range(count))
    to_count = count - creation_bits.bit_count()
    recipients = tuple(reader.take(20, "recipient") for _ in range(to_count))
    datas = tuple(_read_data(reader) for _ in range(count))
    nonces = tuple(reader.uvarint("nonce") for _ in range(count))
    gas_limits = tuple(reader.uvarint("gas limit") for _ in range(count))
    protected_bits = reader.bits(_legacy_count(datas), "protected bits")
    return SpanTransactions(
        creation_bits,
        y_parity_bits,
        signatures,
        recipients,
        datas,
        nonces,
        gas_limits,
        protected_bits,
    )


def split_transactions(transactions: Sequence[bytes], chain_id: int) -> SpanTransactions:
    """Return the columns of encoded transactions, which are valid on the chain with this id.

    InvalidInput for a transaction of another chain, or of a type that span batches cannot hold.
    """
    rows = [_split(raw, chain_id) for raw in transactions]
    return SpanTransactions(
        creation_bits=_bits(not row.to for row in rows),
        y_parity_bits=_bits(row.y_parity == 1 for row in rows),
        signatures=tuple(row.signature for row in rows),
        recipients=tuple(row.to for row in rows if row.to),
        datas=tuple(row.data for row in rows),
        nonces=tuple(row.nonce for row in rows),
        gas_limits=tuple(row.gas for row in rows),
        protected_bits=_bits(row.is_protected for row in rows if _is_legacy(row.data)),
    )


class _Row(NamedTuple):
    """One transaction's share of the columns."""

    to: bytes
    y_parity: int
    signature: bytes
    data: bytes
    nonce: int
    gas: int
    is_protected: bool


def _split(raw: bytes, chain_id: int) -> _Row:
    kind, head = _kind_of(raw)
    layout = _LAYOUTS.get(kind)
    if layout is None:
        raise InvalidInput(f"span batch: expected transactions of types 0, 1, 2, 4, got {kind}")
    items = as_list(decode(raw[len(head) :], _DEPTH), "transaction")
    is_protected = True
    v = as_uint(items[-3], "v")
    if head:
        actual: int | None = as_uint(items.pop(0), "chainId")
    else:
        is_protected = v not in (27, 28)
        actual = (v - 35) // 2 if is_protected else chain_id
        v = (v - 35) & 1 if is_protected else v - 27
    if actual != chain_id:
        raise InvalidInput(f"span batch: expected chain id {chain_id}, got {actual}")
    prices = items[1 : 1 + layout.prices]
    gas, to, value = items[1 + layout.prices : 4 + layout.prices]
    rest = items[4 + layout.prices : -3]
    return _Row(
        to=as_bytes(to, "to"),
        y_parity=v,
        signature=b"".join(as_bytes(item, "signature").rjust(32, b"\0") for item in items[-2:]),
        data=head + encode([value, *prices, *rest]),
        nonce=as_uint(items[0], "nonce", 64),
        gas=as_uint(gas, "gas", 64),
        is_protected=is_protected,
    )


def _restore(
    data: bytes, chain_id: int, nonce: int, gas: int, to: bytes, tail: tuple[bytes, bytes, bytes]
) -> bytes:
    kind, head = _kind_of(data)
    layout = _LAYOUTS.get(kind)
    if layout is None or head == b"\0":
        raise DecodingError(f"span batch: expected transactions of types 0, 1, 2, 4, got {kind}")
    items = as_list(decode(data[len(head) :], _DEPTH), "transaction data", layout.fields)
    _check_data(kind, items, 1 + layout.prices)
    if kind == SET_CODE and not to:
        raise DecodingError("span batch: a type 4 transaction cannot create a contract")
    value, prices, rest = items[0], items[1 : 1 + layout.prices], items[1 + layout.prices :]
    fields: list[RlpItem] = [encode_uint(nonce), *prices, encode_uint(gas), to, value, *rest, *tail]
    if head:
        fields.insert(0, encode_uint(chain_id))
    return head + encode(fields)


def _check_data(kind: int, items: list[Decoded], amounts: int) -> None:
    """Refuse what is no transaction by its form alone; what its content means comes later."""
    for item in items[:amounts]:
        as_uint(item, "value or price", 256 if kind == SET_CODE else _UNBOUNDED)
    as_bytes(items[amounts], "data")
    if kind != LEGACY:
        for entry in as_list(items[amounts + 1], "accessList"):
            address, keys = as_list(entry, "accessList entry", 2)
            as_bytes(address, "accessList address", 20)
            for key in as_list(keys, "storageKeys"):
                as_bytes(key, "storage key", 32)
    if kind == SET_CODE:
        for entry in as_list(items[amounts + 2], "authorizationList"):
            signed_chain, address, nonce, y_parity, r, s = as_list(entry, "authorization", 6)
            as_bytes(address, "authorization address", 20)
            for item, bits in ((signed_chain, 256), (nonce, 64), (y_parity, 8), (r, 256), (s, 256)):
                as_uint(item, "authorization", bits)


def _read_data(reader: ByteReader) -> bytes:
    head = reader.take(1, "transaction type") if reader.peek("transaction type") < 0x80 else b""
    payload = reader.rlp_list("transaction data")
    if len(payload) > _MAX_DATA_SIZE:
        raise DecodingError(
            f"transaction data: expected at most {_MAX_DATA_SIZE} bytes, got {len(payload)}"
        )
    return head + payload


def _kind_of(raw: bytes) -> tuple[int, bytes]:
    """Return a transaction's type, and the bytes that say so: none for legacy."""
    return (LEGACY, b"") if _is_legacy(raw) else (raw[0], raw[:1])


def _is_legacy(raw: bytes) -> bool:
    return raw[0] >= 0xC0


def _legacy_count(datas: Iterable[bytes]) -> int:
    # A type byte of 0 makes no transaction, but until that is found out the reference counts it.
    return sum(_kind_of(data)[0] == LEGACY for data in datas)


def _bits(flags: Iterable[bool]) -> int:
    # Shifting one bit at a time would take quadratic time.
    digits = "".join("1" if flag else "0" for flag in flags)
    return int(digits[::-1], 2) if digits else 0


def _flags(bits: int, count: int) -> list[int]:
    return [int(digit) for digit in reversed(f"{bits:0{count}b}")] if count else []

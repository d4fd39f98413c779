"""Type 3 transactions with their blobs, as they are sent: the network form (EIP-4844, EIP-7594).

`0x03 || rlp([transaction, blobs, commitments, proofs])`, or with a wrapper version behind the
transaction: `0x03 || rlp([transaction, 1, blobs, commitments, cell proofs])`. Blocks hold the
transaction alone, which is also what its hash is of.
"""

from dataclasses import replace

from node.errors import DecodingError
from node.types.blob_sidecar import BLOB_PROOFS, BLOB_SIZE, CELL_PROOFS, POINT_SIZE, BlobSidecar
from node.types.primitives import Address
from node.types.rlp_codec import (
    Decoded,
    RlpItem,
    as_bytes,
    as_list,
    as_uint,
    decode_prefix,
    encode,
    encode_uint,
    item_span,
)
from node.types.transaction import BLOB, Transaction, decode_signed_transaction, sign_typed

_PREFIX = bytes([BLOB])


def sign_blob(
    private_key: bytes,
    sidecar: BlobSidecar,
    *,
    chain_id: int,
    nonce: int,
    max_priority_fee_per_gas: int,
    max_fee_per_gas: int,
    max_fee_per_blob_gas: int,
    gas: int,
    to: Address,
    value: int = 0,
    data: bytes = b"",
) -> Transaction:
    """Build and sign the type 3 transaction of a sidecar, with an empty access list."""
    fields: list[RlpItem] = [
        *map(encode_uint, (chain_id, nonce, max_priority_fee_per_gas, max_fee_per_gas, gas)),
        to,
        encode_uint(value),
        data,
        [],
        encode_uint(max_fee_per_blob_gas),
        list(sidecar.versioned_hashes()),
    ]
    return replace(sign_typed(private_key, BLOB, fields), sidecar=sidecar)


def encode_pooled_transaction(tx: Transaction) -> bytes:
    """Return what eth_sendRawTransaction takes: with the sidecar, if the transaction has one."""
    sidecar = tx.sidecar
    if sidecar is None:
        return tx.raw
    lists = [list(sidecar.blobs), list(sidecar.commitments), list(sidecar.proofs)]
    encoded: list[bytes] = [encode(items) for items in lists]
    if sidecar.version != BLOB_PROOFS:
        encoded.insert(0, encode(encode_uint(sidecar.version)))
    body = b"".join((tx.raw[1:], *encoded))
    return _PREFIX + _list_prefix(len(body)) + body


def decode_pooled_transaction(raw: bytes) -> Transaction:
    """Decode a signed transaction as it is sent, with or without a sidecar.

    The numbers of blobs and points are not compared with anything. DecodingError names the field
    that is wrong.
    """
    if raw[:1] != _PREFIX:
        return decode_signed_transaction(raw)
    is_list, begin, end = item_span(raw, 1, len(raw))
    if not is_list or begin == end or raw[begin] < 0xC0:
        return decode_signed_transaction(raw)  # the fields themselves, as in a block
    if end != len(raw):
        raise DecodingError(f"RLP: {len(raw) - end} bytes after the item")
    _, _, tx_end = item_span(raw, begin, end)
    tx = decode_signed_transaction(_PREFIX + raw[begin:tx_end])
    return replace(tx, sidecar=_decode_sidecar(_items(raw, tx_end, end)))


def _items(raw: bytes, start: int, end: int) -> list[Decoded]:
    items: list[Decoded] = []
    while start < end:
        if len(items) == 4:
            raise DecodingError("blob sidecar: expected 3 items, or a version and 3, got more")
        item, start = decode_prefix(raw, start, 1)
        items.append(item)
    return items


def _decode_sidecar(items: list[Decoded]) -> BlobSidecar:
    version = BLOB_PROOFS
    if len(items) == 4:
        version = as_uint(items.pop(0), "blob sidecar version", 8)
        if version != CELL_PROOFS:
            raise DecodingError(
                f"unsupported blob tx version {version}: expected {CELL_PROOFS} (cell proofs), "
                "or no version (blob proofs)"
            )
    if len(items) != 3:
        raise DecodingError(
            f"blob sidecar: expected blobs, commitments and proofs, got {len(items)} items"
        )
    return BlobSidecar(
        version,
        _byte_strings(items[0], "blob", BLOB_SIZE),
        _byte_strings(items[1], "commitment", POINT_SIZE),
        _byte_strings(items[2], "proof", POINT_SIZE),
    )


def _byte_strings(item: Decoded, name: str, size: int) -> tuple[bytes, ...]:
    entries = enumerate(as_list(item, f"{name}s"))
    return tuple(as_bytes(entry, f"{name} {index}", size) for index, entry in entries)


def _list_prefix(size: int) -> bytes:
    """Return what RLP puts before a list of more than 55 bytes."""
    length = encode_uint(size)
    return bytes([0xF7 + len(length)]) + length

"""Signed transactions of every type, with any field one likes."""

from coincurve import PrivateKey

from node.types.primitives import Address, keccak256
from node.types.rlp_codec import RlpItem, encode, encode_uint
from node.types.transaction import (
    ACCESS_LIST,
    BLOB,
    DYNAMIC_FEE,
    LEGACY,
    SECP256K1_N,
    SET_CODE,
    AccessList,
    Authorization,
    Transaction,
    address_of_key,
    decode_signed_transaction,
)

GWEI = 10**9
KEY = keccak256(b"sender")
SENDER = address_of_key(KEY)
RECIPIENT = Address(b"\x22" * 20)


def sign(
    *,
    kind: int = DYNAMIC_FEE,
    key: bytes = KEY,
    chain_id: int | None = 901,
    nonce: int = 0,
    tip: int = GWEI,
    cap: int = 100 * GWEI,
    gas: int = 100_000,
    to: Address | None = RECIPIENT,
    value: int = 0,
    data: bytes = b"",
    access_list: AccessList = (),
    blob_cap: int = GWEI,
    blob_hashes: tuple[bytes, ...] = (b"\x01" * 32,),
    authorizations: tuple[Authorization, ...] = (),
    high_s: bool = False,
) -> Transaction:
    """Sign a transaction; types 0 and 1 pay `cap`, type 0 is unprotected without `chain_id`."""
    call: list[RlpItem] = [encode_uint(gas), to or b"", encode_uint(value), data]
    if kind == LEGACY:
        fields: list[RlpItem] = [encode_uint(nonce), encode_uint(cap), *call]
        tail: list[RlpItem] = [] if chain_id is None else [encode_uint(chain_id), b"", b""]
        y, r, s = _signature(key, keccak256(encode([*fields, *tail])), high_s)
        v = 27 + y if chain_id is None else 35 + 2 * chain_id + y
        return decode_signed_transaction(encode([*fields, *map(encode_uint, (v, r, s))]))
    prices = (cap,) if kind == ACCESS_LIST else (tip, cap)
    fields = [*map(encode_uint, (chain_id or 0, nonce, *prices)), *call]
    fields.append([[address, list(slots)] for address, slots in access_list])
    if kind == BLOB:
        fields += [encode_uint(blob_cap), list(blob_hashes)]
    elif kind == SET_CODE:
        fields.append([_authorization_fields(item) for item in authorizations])
    y, r, s = _signature(key, keccak256(bytes([kind]) + encode(fields)), high_s)
    return decode_signed_transaction(
        bytes([kind]) + encode([*fields, *map(encode_uint, (y, r, s))])
    )


def authorize(
    key: bytes, address: Address, *, chain_id: int = 901, nonce: int = 0
) -> Authorization:
    """Let `address`'s code run as the key's account."""
    message = encode([encode_uint(chain_id), address, encode_uint(nonce)])
    y, r, s = _signature(key, keccak256(b"\x05" + message), False)
    return Authorization(chain_id, address, nonce, y, r, s)


def _signature(key: bytes, digest: bytes, high_s: bool) -> tuple[int, int, int]:
    raw = PrivateKey(key).sign_recoverable(digest, hasher=None)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big")
    return (1 - raw[64], r, SECP256K1_N - s) if high_s else (raw[64], r, s)


def _authorization_fields(item: Authorization) -> RlpItem:
    numbers = map(encode_uint, (item.nonce, item.y_parity, item.r, item.s))
    return [encode_uint(item.chain_id), item.address, *numbers]

"""Signed transactions: legacy, EIP-2930, EIP-1559, EIP-4844 (L1 only) and EIP-7702."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from coincurve import PrivateKey, PublicKey

from node.errors import DecodingError, InvalidTransaction
from node.types.fastlz import fastlz_length
from node.types.primitives import Address, Hash32, keccak256
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

if TYPE_CHECKING:
    from node.types.blob_sidecar import BlobSidecar
    from node.types.deposit import DepositTransaction

LEGACY: Final = 0
ACCESS_LIST: Final = 1
DYNAMIC_FEE: Final = 2
BLOB: Final = 3
SET_CODE: Final = 4
DEPOSIT: Final = 0x7E

SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SECP256K1_HALF_N = SECP256K1_N // 2
MAX_NONCE = 2**64 - 1

AccessList = tuple[tuple[Address, tuple[Hash32, ...]], ...]


@dataclass(frozen=True, slots=True)
class Authorization:
    """An EIP-7702 authorization: the signer lets `address`'s code run as its own."""

    chain_id: int
    address: Address
    nonce: int
    y_parity: int
    r: int
    s: int

    def authority(self) -> Address | None:
        """Return the signer, or None if the signature is not one."""
        if self.s > SECP256K1_HALF_N or self.y_parity > 1:
            return None
        message = encode([encode_uint(self.chain_id), self.address, encode_uint(self.nonce)])
        return recover_address(keccak256(b"\x05" + message), self.y_parity, self.r, self.s)


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction. Amounts are in wei, `gas` is the gas limit.

    Types 0 and 1 have one price: it is stored as both fee cap and priority fee, which is what it
    means under EIP-1559. `chain_id` is None for a legacy transaction without replay protection.
    `sidecar` holds the blobs of a type 3 transaction as long as it travels alone: blocks have none.
    """

    type: int
    chain_id: int | None
    nonce: int
    max_priority_fee_per_gas: int
    max_fee_per_gas: int
    gas: int
    to: Address | None
    value: int
    data: bytes
    access_list: AccessList
    max_fee_per_blob_gas: int
    blob_versioned_hashes: tuple[Hash32, ...]
    authorization_list: tuple[Authorization, ...]
    y_parity: int
    r: int
    s: int
    raw: bytes = field(repr=False)
    hash: Hash32
    sidecar: BlobSidecar | None = field(default=None, repr=False, compare=False)
    # Functions of the rest that take long: remembered when they are first asked for.
    _sender: Address | None = field(default=None, init=False, repr=False, compare=False)
    _fastlz_length: int | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def sender(self) -> Address:
        """The signer, recovered once (about 35 us); InvalidTransaction if there is none."""
        sender = self._sender
        if sender is None:
            sender = self._recover_sender()
            object.__setattr__(self, "_sender", sender)
        return sender

    @property
    def is_sender_known(self) -> bool:
        """Whether the sender has been recovered."""
        return self._sender is not None

    def _recover_sender(self) -> Address:
        if self.s > SECP256K1_HALF_N:
            raise InvalidTransaction("invalid sender: signature s is in the upper half")
        sender = recover_address(self.signing_hash(), self.y_parity, self.r, self.s)
        if sender is None:
            raise InvalidTransaction("invalid sender: the signature recovers to no address")
        return sender

    @property
    def fastlz_length(self) -> int:
        """The bytes that FastLZ would compress the encoding to, counted once."""
        length = self._fastlz_length
        if length is None:
            length = fastlz_length(self.raw)
            object.__setattr__(self, "_fastlz_length", length)
        return length

    @property
    def gas_price(self) -> int:
        """The price of a type 0 or 1 transaction, the fee cap of the others."""
        return self.max_fee_per_gas

    @property
    def size(self) -> int:
        """The bytes of its encoding and of its sidecar."""
        return len(self.raw) + (0 if self.sidecar is None else self.sidecar.size)

    def effective_gas_price(self, base_fee: int) -> int:
        """Return what one unit of gas costs the sender at this base fee (EIP-1559)."""
        return min(self.max_fee_per_gas, base_fee + self.max_priority_fee_per_gas)

    def signing_hash(self) -> Hash32:
        """Return the hash that the sender signed."""
        return _signing_hash(self.type, self.chain_id, _unsigned_fields(self))


def decode_transaction(raw: bytes) -> Transaction | DepositTransaction:
    """Decode an EIP-2718 envelope (or a legacy list) of any type this project knows."""
    if raw[:1] == b"\x7e":
        from node.types.deposit import decode_deposit

        return decode_deposit(raw)
    return decode_signed_transaction(raw)


def decode_signed_transaction(raw: bytes) -> Transaction:
    """Decode a signed transaction; DecodingError names the field that is wrong."""
    if not raw:
        raise DecodingError("transaction: expected an envelope, got no bytes")
    if raw[0] >= 0xC0:
        return _decode_legacy(raw)
    if raw[0] not in (ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE):
        raise DecodingError(f"transaction type not supported: 0x{raw[0]:02x}")
    return _decode_typed(raw)


def recover_address(digest: Hash32, y_parity: int, r: int, s: int) -> Address | None:
    """Return the address whose key signed `digest`, or None if the signature is impossible."""
    if not (0 < r < SECP256K1_N and 0 < s < SECP256K1_N and y_parity in (0, 1)):
        return None
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([y_parity])
    try:
        key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception:  # noqa: BLE001 - coincurve raises a bare Exception for an unrecoverable point
        return None
    return Address(keccak256(key.format(compressed=False)[1:])[12:])


def address_of_key(private_key: bytes) -> Address:
    """Return the account address of a 32-byte secp256k1 private key."""
    public = PrivateKey(private_key).public_key.format(compressed=False)
    return Address(keccak256(public[1:])[12:])


def sign_dynamic_fee(
    private_key: bytes,
    *,
    chain_id: int,
    nonce: int,
    max_priority_fee_per_gas: int,
    max_fee_per_gas: int,
    gas: int,
    to: Address | None,
    value: int = 0,
    data: bytes = b"",
) -> Transaction:
    """Build and sign a type 2 transaction with an empty access list."""
    fields: list[RlpItem] = [
        *map(encode_uint, (chain_id, nonce, max_priority_fee_per_gas, max_fee_per_gas, gas)),
        to or b"",
        encode_uint(value),
        data,
        [],
    ]
    return sign_typed(private_key, DYNAMIC_FEE, fields)


def sign_typed(private_key: bytes, kind: int, fields: list[RlpItem]) -> Transaction:
    """Sign the fields of a transaction of type 1 to 4, all but the signature."""
    digest = keccak256(bytes([kind]) + encode(fields))
    signature = PrivateKey(private_key).sign_recoverable(digest, hasher=None)
    numbers = (signature[64], int.from_bytes(signature[:32]), int.from_bytes(signature[32:64]))
    return decode_signed_transaction(bytes([kind]) + encode([*fields, *map(encode_uint, numbers)]))


def _decode_legacy(raw: bytes) -> Transaction:
    items = as_list(decode(raw, 2), "legacy transaction", 9)
    v = as_uint(items[6], "v")
    if v in (27, 28):
        chain_id, y_parity = None, v - 27
    elif v >= 35:
        chain_id, y_parity = (v - 35) // 2, (v - 35) % 2
    else:
        raise DecodingError(f"v: expected 27, 28 or at least 35, got {v}")
    price = as_uint(items[1], "gasPrice")
    return Transaction(
        type=LEGACY,
        chain_id=chain_id,
        nonce=as_uint(items[0], "nonce", 64),
        max_priority_fee_per_gas=price,
        max_fee_per_gas=price,
        gas=as_uint(items[2], "gas", 64),
        to=_as_recipient(items[3]),
        value=as_uint(items[4], "value"),
        data=as_bytes(items[5], "data"),
        access_list=(),
        max_fee_per_blob_gas=0,
        blob_versioned_hashes=(),
        authorization_list=(),
        y_parity=y_parity,
        r=as_uint(items[7], "r"),
        s=as_uint(items[8], "s"),
        raw=raw,
        hash=keccak256(raw),
    )


_FIELD_COUNT = {ACCESS_LIST: 11, DYNAMIC_FEE: 12, BLOB: 14, SET_CODE: 13}


def _decode_typed(raw: bytes) -> Transaction:
    kind = raw[0]
    items = as_list(decode(raw[1:], 5), f"type {kind} transaction", _FIELD_COUNT[kind])
    chain_id, nonce = as_uint(items[0], "chainId"), as_uint(items[1], "nonce", 64)
    if kind == ACCESS_LIST:
        tip = cap = as_uint(items[2], "gasPrice")
        rest = items[3:]
    else:
        tip = as_uint(items[2], "maxPriorityFeePerGas")
        cap = as_uint(items[3], "maxFeePerGas")
        rest = items[4:]
    blob_fee = 0
    blob_hashes: tuple[Hash32, ...] = ()
    authorizations: tuple[Authorization, ...] = ()
    if kind == BLOB:
        blob_fee = as_uint(rest[5], "maxFeePerBlobGas")
        hashes = as_list(rest[6], "blobVersionedHashes")
        blob_hashes = tuple(Hash32(as_bytes(h, "blobVersionedHash", 32)) for h in hashes)
    elif kind == SET_CODE:
        authorizations = tuple(
            _as_authorization(item) for item in as_list(rest[5], "authorizationList")
        )
    to = _as_recipient(rest[1])
    if kind in (BLOB, SET_CODE) and to is None:
        raise DecodingError(f"to: a type {kind} transaction cannot create a contract")
    return Transaction(
        type=kind,
        chain_id=chain_id,
        nonce=nonce,
        max_priority_fee_per_gas=tip,
        max_fee_per_gas=cap,
        gas=as_uint(rest[0], "gas", 64),
        to=to,
        value=as_uint(rest[2], "value"),
        data=as_bytes(rest[3], "data"),
        access_list=_as_access_list(rest[4]),
        max_fee_per_blob_gas=blob_fee,
        blob_versioned_hashes=blob_hashes,
        authorization_list=authorizations,
        y_parity=as_uint(items[-3], "yParity", 8),
        r=as_uint(items[-2], "r"),
        s=as_uint(items[-1], "s"),
        raw=raw,
        hash=keccak256(raw),
    )


def _as_recipient(item: Decoded) -> Address | None:
    raw = as_bytes(item, "to")
    if not raw:
        return None
    return Address(as_bytes(item, "to", 20))


def _as_access_list(item: Decoded) -> AccessList:
    entries = []
    for entry in as_list(item, "accessList"):
        address, keys = as_list(entry, "accessList entry", 2)
        slots = tuple(
            Hash32(as_bytes(key, "storage key", 32)) for key in as_list(keys, "storageKeys")
        )
        entries.append((Address(as_bytes(address, "accessList address", 20)), slots))
    return tuple(entries)


def _as_authorization(item: Decoded) -> Authorization:
    fields = as_list(item, "authorization", 6)
    return Authorization(
        chain_id=as_uint(fields[0], "authorization chainId"),
        address=Address(as_bytes(fields[1], "authorization address", 20)),
        nonce=as_uint(fields[2], "authorization nonce", 64),
        y_parity=as_uint(fields[3], "authorization yParity", 8),
        r=as_uint(fields[4], "authorization r"),
        s=as_uint(fields[5], "authorization s"),
    )


def _unsigned_fields(tx: Transaction) -> list[RlpItem]:
    to = tx.to or b""
    if tx.type == LEGACY:
        return [
            *map(encode_uint, (tx.nonce, tx.max_fee_per_gas, tx.gas)),
            to,
            encode_uint(tx.value),
            tx.data,
        ]
    access_list: list[RlpItem] = [[address, list(slots)] for address, slots in tx.access_list]
    prices = (tx.max_priority_fee_per_gas, tx.max_fee_per_gas)
    fields: list[RlpItem] = [
        encode_uint(tx.chain_id or 0),
        encode_uint(tx.nonce),
        *map(encode_uint, prices[1:] if tx.type == ACCESS_LIST else prices),
        encode_uint(tx.gas),
        to,
        encode_uint(tx.value),
        tx.data,
        access_list,
    ]
    if tx.type == BLOB:
        fields += [encode_uint(tx.max_fee_per_blob_gas), list(tx.blob_versioned_hashes)]
    elif tx.type == SET_CODE:
        fields.append([_authorization_fields(item) for item in tx.authorization_list])
    return fields


def _authorization_fields(item: Authorization) -> RlpItem:
    numbers = map(encode_uint, (item.nonce, item.y_parity, item.r, item.s))
    return [encode_uint(item.chain_id), item.address, *numbers]


def _signing_hash(kind: int, chain_id: int | None, fields: list[RlpItem]) -> Hash32:
    if kind != LEGACY:
        return keccak256(bytes([kind]) + encode(fields))
    if chain_id is not None:
        fields = [*fields, encode_uint(chain_id), b"", b""]
    return keccak256(encode(fields))

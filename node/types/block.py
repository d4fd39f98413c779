"""Headers, bodies and references to blocks."""

from dataclasses import dataclass, field

from node.errors import DecodingError
from node.types.deposit import DepositTransaction
from node.types.primitives import (
    EMPTY_OMMERS_HASH,
    Address,
    BlockNumber,
    Hash32,
    keccak256,
)
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
from node.types.transaction import Transaction, decode_transaction

AnyTransaction = Transaction | DepositTransaction


@dataclass(frozen=True, slots=True)
class BlockRef:
    """Which block, by hash and number."""

    hash: Hash32
    number: BlockNumber


@dataclass(frozen=True, slots=True)
class Header:
    """A block header, Cancun (20 fields) or Prague (21, with `requests_hash`).

    `timestamp` is in seconds, `base_fee` in wei per gas unit.
    """

    parent_hash: Hash32
    coinbase: Address
    state_root: Hash32
    transactions_root: Hash32
    receipts_root: Hash32
    bloom: bytes = field(repr=False)
    number: BlockNumber
    gas_limit: int
    gas_used: int
    timestamp: int
    extra_data: bytes
    prev_randao: Hash32
    base_fee: int
    withdrawals_root: Hash32
    blob_gas_used: int
    excess_blob_gas: int
    parent_beacon_block_root: Hash32
    requests_hash: Hash32 | None
    difficulty: int = 0
    nonce: bytes = bytes(8)
    ommers_hash: Hash32 = EMPTY_OMMERS_HASH
    _hash: list[Hash32] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def hash(self) -> Hash32:
        """Keccak-256 of the encoding, computed once."""
        if not self._hash:
            self._hash.append(keccak256(self.encode()))
        return self._hash[0]

    @property
    def ref(self) -> BlockRef:
        """This block's hash and number."""
        return BlockRef(self.hash, self.number)

    def encode(self) -> bytes:
        """Return the RLP encoding that the hash is taken of."""
        return encode(self._fields())

    def _fields(self) -> list[RlpItem]:
        fields: list[RlpItem] = [
            self.parent_hash,
            self.ommers_hash,
            self.coinbase,
            self.state_root,
            self.transactions_root,
            self.receipts_root,
            self.bloom,
            encode_uint(self.difficulty),
            encode_uint(self.number),
            encode_uint(self.gas_limit),
            encode_uint(self.gas_used),
            encode_uint(self.timestamp),
            self.extra_data,
            self.prev_randao,
            self.nonce,
            encode_uint(self.base_fee),
            self.withdrawals_root,
            encode_uint(self.blob_gas_used),
            encode_uint(self.excess_blob_gas),
            self.parent_beacon_block_root,
        ]
        if self.requests_hash is not None:
            fields.append(self.requests_hash)
        return fields


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An EIP-4895 withdrawal; `amount` is in gwei."""

    index: int
    validator_index: int
    address: Address
    amount: int

    def encode(self) -> bytes:
        """Return the encoding that the withdrawals root commits to."""
        return encode(self.fields())

    def fields(self) -> RlpItem:
        """Return the RLP fields."""
        numbers = map(encode_uint, (self.index, self.validator_index))
        return [*numbers, self.address, encode_uint(self.amount)]


@dataclass(frozen=True, slots=True)
class Block:
    """A header with its transactions (and withdrawals, always empty on L2)."""

    header: Header
    transactions: tuple[AnyTransaction, ...]
    withdrawals: tuple[Withdrawal, ...] = ()

    @property
    def hash(self) -> Hash32:
        """The header's hash."""
        return self.header.hash

    @property
    def number(self) -> BlockNumber:
        """The header's number."""
        return self.header.number

    def encode(self) -> bytes:
        """Return the RLP of the whole block: header, transactions, ommers, withdrawals."""
        return encode([self.header._fields(), *self._body_fields()])

    def encode_body(self) -> bytes:
        """Return the RLP of what is not in the header."""
        return encode(self._body_fields())

    def _body_fields(self) -> list[RlpItem]:
        # Typed envelopes are byte strings inside the list; a legacy transaction is a list itself.
        transactions: list[RlpItem] = [
            tx.raw if tx.raw[0] < 0xC0 else _as_item(tx.raw) for tx in self.transactions
        ]
        return [transactions, [], [withdrawal.fields() for withdrawal in self.withdrawals]]


def decode_header(raw: bytes) -> Header:
    """Decode a header; DecodingError for a header of a fork before Cancun."""
    return _header_from(decode(raw, 2))


def decode_block(raw: bytes) -> Block:
    """Decode a whole block."""
    items = as_list(decode(raw, 7), "block", 4)
    return _block_from(_header_from(items[0]), items[1:])


def decode_body(header: Header, raw: bytes) -> Block:
    """Put a header and its stored body back together."""
    return _block_from(header, as_list(decode(raw, 6), "block body", 3))


def _block_from(header: Header, body: list[Decoded]) -> Block:
    if as_list(body[1], "ommers"):
        raise DecodingError("ommers: expected none")
    transactions = tuple(_transaction_from(item) for item in as_list(body[0], "transactions"))
    withdrawals = tuple(_withdrawal_from(item) for item in as_list(body[2], "withdrawals"))
    return Block(header, transactions, withdrawals)


def _transaction_from(item: Decoded) -> AnyTransaction:
    """A legacy transaction is a list here, and every other one a string: one form for each."""
    if not isinstance(item, bytes):
        return decode_transaction(encode(item))
    if item[:1] >= b"\xc0":
        raise DecodingError("transactions: expected a legacy transaction as a list, got bytes")
    return decode_transaction(item)


def _header_from(item: Decoded) -> Header:
    items = as_list(item, "header")
    if len(items) not in (20, 21):
        raise DecodingError(f"header: expected 20 fields (Cancun) or 21 (Prague), got {len(items)}")
    return Header(
        parent_hash=_hash(items[0], "parentHash"),
        ommers_hash=_hash(items[1], "sha3Uncles"),
        coinbase=Address(as_bytes(items[2], "miner", 20)),
        state_root=_hash(items[3], "stateRoot"),
        transactions_root=_hash(items[4], "transactionsRoot"),
        receipts_root=_hash(items[5], "receiptsRoot"),
        bloom=as_bytes(items[6], "logsBloom", 256),
        difficulty=as_uint(items[7], "difficulty"),
        number=BlockNumber(as_uint(items[8], "number", 64)),
        gas_limit=as_uint(items[9], "gasLimit", 64),
        gas_used=as_uint(items[10], "gasUsed", 64),
        timestamp=as_uint(items[11], "timestamp", 64),
        extra_data=as_bytes(items[12], "extraData"),
        prev_randao=_hash(items[13], "mixHash"),
        nonce=as_bytes(items[14], "nonce", 8),
        base_fee=as_uint(items[15], "baseFeePerGas"),
        withdrawals_root=_hash(items[16], "withdrawalsRoot"),
        blob_gas_used=as_uint(items[17], "blobGasUsed", 64),
        excess_blob_gas=as_uint(items[18], "excessBlobGas", 64),
        parent_beacon_block_root=_hash(items[19], "parentBeaconBlockRoot"),
        requests_hash=_hash(items[20], "requestsHash") if len(items) == 21 else None,
    )


def _withdrawal_from(item: Decoded) -> Withdrawal:
    fields = as_list(item, "withdrawal", 4)
    return Withdrawal(
        as_uint(fields[0], "withdrawal index", 64),
        as_uint(fields[1], "withdrawal validatorIndex", 64),
        Address(as_bytes(fields[2], "withdrawal address", 20)),
        as_uint(fields[3], "withdrawal amount", 64),
    )


def _hash(item: Decoded, name: str) -> Hash32:
    return Hash32(as_bytes(item, name, 32))


def _as_item(raw: bytes) -> RlpItem:
    return decode(raw)

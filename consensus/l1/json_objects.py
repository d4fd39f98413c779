"""Blocks, transactions and receipts as JSON-RPC shows them, turned back into what was hashed.

Nothing here is believed: the callers compare the hashes of what comes out with what they asked for.
"""

from collections.abc import Mapping

from consensus.l1.json_rpc import Json
from node.errors import CriticalError, DecodingError, TemporaryError
from node.types.block import Header
from node.types.primitives import Address, BlockNumber, Hash32
from node.types.receipt import Log, Receipt
from node.types.rlp_codec import RlpItem, encode, encode_uint
from node.types.transaction import (
    ACCESS_LIST,
    BLOB,
    DYNAMIC_FEE,
    LEGACY,
    SET_CODE,
    Transaction,
    decode_signed_transaction,
)

JsonObject = Mapping[str, Json]

_LAST_TYPE = 0x7F  # EIP-2718
_CANCUN_FIELDS = ("blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot")
_BLOCK_FIELDS = frozenset(
    {
        "baseFeePerGas",
        "difficulty",
        "extraData",
        "gasLimit",
        "gasUsed",
        "hash",
        "logsBloom",
        "miner",
        "mixHash",
        "nonce",
        "number",
        "parentHash",
        "receiptsRoot",
        "requestsHash",
        "sha3Uncles",
        "size",
        "stateRoot",
        "timestamp",
        "totalDifficulty",
        "transactions",
        "transactionsRoot",
        "uncles",
        "withdrawals",
        "withdrawalsRoot",
        *_CANCUN_FIELDS,
    }
)


class MalformedL1Data(TemporaryError):
    """L1 data that is not of the shape, or not of the hash, that it must have."""


class UnsupportedL1(CriticalError):
    """A well-formed L1 chain of a kind that this node cannot follow."""


def as_object(value: Json, name: str) -> JsonObject:
    """Check that a JSON value is an object."""
    if not isinstance(value, dict):
        raise MalformedL1Data(f"{name}: expected an object, got {_shown(value)}")
    return value


def as_objects(value: Json, name: str) -> list[JsonObject]:
    """Check that a JSON value is a list of objects."""
    return [as_object(entry, name) for entry in as_list(value, name)]


def as_list(value: Json, name: str) -> list[Json]:
    """Check that a JSON value is a list."""
    if not isinstance(value, list):
        raise MalformedL1Data(f"{name}: expected a list, got {_shown(value)}")
    return value


def as_quantity(value: Json, name: str) -> int:
    """Read a hexadecimal quantity."""
    try:
        if isinstance(value, str) and value.startswith("0x"):
            return int(value, 16)
    except ValueError:
        pass
    raise MalformedL1Data(f"{name}: expected a hexadecimal quantity, got {_shown(value)}")


def as_data(value: Json, name: str, size: int | None = None) -> bytes:
    """Read hexadecimal bytes, exactly `size` of them if given."""
    try:
        if isinstance(value, str) and value.startswith("0x"):
            data = bytes.fromhex(value[2:])
            if size is None or len(data) == size:
                return data
    except ValueError:
        pass
    expected = "bytes" if size is None else f"{size} bytes"
    raise MalformedL1Data(f"{name}: expected {expected} of hexadecimal, got {_shown(value)}")


def as_hash(value: Json, name: str) -> Hash32:
    """Read a 32-byte hash."""
    return Hash32(as_data(value, name, 32))


def header_from_json(block: JsonObject) -> Header:
    """Rebuild a header (Cancun or later) and check that it has the hash that comes with it.

    UnsupportedL1 for a chain before Cancun; MalformedL1Data names the fields that this node does
    not know, in case the hash covers them.
    """
    if all(block.get(name) is None for name in _CANCUN_FIELDS):
        raise UnsupportedL1(
            f"L1 block {_shown(block.get('number'))}: expected a header of Cancun or later, it has "
            f"none of {', '.join(_CANCUN_FIELDS)}"
        )
    header = unchecked_header(block)
    claimed = as_hash(block.get("hash"), "hash")
    if header.hash != claimed:
        unknown = sorted(name[:40] for name in block.keys() - _BLOCK_FIELDS)[:10]
        raise MalformedL1Data(
            f"L1 block {header.number}: expected a header of hash 0x{claimed.hex()}, "
            f"its fields hash to 0x{header.hash.hex()}"
            + (f" (without {', '.join(unknown)}, unknown here)" if unknown else "")
        )
    return header


def unchecked_header(block: JsonObject) -> Header:
    """Rebuild a header from the fields of a block, whatever hash comes with them."""
    requests = block.get("requestsHash")
    return Header(
        parent_hash=as_hash(block.get("parentHash"), "parentHash"),
        ommers_hash=as_hash(block.get("sha3Uncles"), "sha3Uncles"),
        coinbase=Address(as_data(block.get("miner"), "miner", 20)),
        state_root=as_hash(block.get("stateRoot"), "stateRoot"),
        transactions_root=as_hash(block.get("transactionsRoot"), "transactionsRoot"),
        receipts_root=as_hash(block.get("receiptsRoot"), "receiptsRoot"),
        bloom=as_data(block.get("logsBloom"), "logsBloom", 256),
        difficulty=as_quantity(block.get("difficulty"), "difficulty"),
        number=BlockNumber(as_quantity(block.get("number"), "number")),
        gas_limit=as_quantity(block.get("gasLimit"), "gasLimit"),
        gas_used=as_quantity(block.get("gasUsed"), "gasUsed"),
        timestamp=as_quantity(block.get("timestamp"), "timestamp"),
        extra_data=as_data(block.get("extraData"), "extraData"),
        prev_randao=as_hash(block.get("mixHash"), "mixHash"),
        nonce=as_data(block.get("nonce"), "nonce", 8),
        base_fee=as_quantity(block.get("baseFeePerGas"), "baseFeePerGas"),
        withdrawals_root=as_hash(block.get("withdrawalsRoot"), "withdrawalsRoot"),
        blob_gas_used=as_quantity(block.get("blobGasUsed"), "blobGasUsed"),
        excess_blob_gas=as_quantity(block.get("excessBlobGas"), "excessBlobGas"),
        parent_beacon_block_root=as_hash(
            block.get("parentBeaconBlockRoot"), "parentBeaconBlockRoot"
        ),
        requests_hash=None if requests is None else as_hash(requests, "requestsHash"),
    )


def transaction_from_json(tx: JsonObject) -> Transaction:
    """Rebuild the signed envelope of a transaction and check that it has its hash."""
    rebuilt, claimed = unchecked_transaction(tx), as_hash(tx.get("hash"), "hash")
    if rebuilt.hash != claimed:
        raise MalformedL1Data(
            f"L1 transaction: expected hash 0x{claimed.hex()}, "
            f"its fields hash to 0x{rebuilt.hash.hex()}"
        )
    return rebuilt


def unchecked_transaction(tx: JsonObject) -> Transaction:
    """Rebuild a transaction, whatever hash comes with it."""
    try:
        return decode_signed_transaction(envelope_from_json(tx))
    except DecodingError as error:
        raise MalformedL1Data(f"L1 transaction {_shown(tx.get('hash'))}: {error}") from error


def envelope_from_json(tx: JsonObject) -> bytes:
    """Rebuild the signed envelope of a transaction, whatever hash comes with it."""
    kind = as_quantity(tx.get("type", "0x0"), "type")
    if kind == LEGACY:
        return encode(_legacy_fields(tx))
    if kind in (ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE):
        return bytes([kind]) + encode(_typed_fields(kind, tx))
    raise UnsupportedL1(f"L1 transaction {_shown(tx.get('hash'))}: unknown type {kind:#x}")


def _legacy_fields(tx: JsonObject) -> list[RlpItem]:
    fields: list[RlpItem] = [_uint(tx, name) for name in ("nonce", "gasPrice", "gas")]
    fields += [_recipient(tx), _uint(tx, "value"), as_data(tx.get("input"), "input")]
    return [*fields, *(_uint(tx, name) for name in ("v", "r", "s"))]


def _typed_fields(kind: int, tx: JsonObject) -> list[RlpItem]:
    prices = ["gasPrice"] if kind == ACCESS_LIST else ["maxPriorityFeePerGas", "maxFeePerGas"]
    fields: list[RlpItem] = [_uint(tx, name) for name in ("chainId", "nonce", *prices, "gas")]
    fields += [_recipient(tx), _uint(tx, "value"), as_data(tx.get("input"), "input")]
    fields.append(_access_list(tx))
    if kind == BLOB:
        fields.append(_uint(tx, "maxFeePerBlobGas"))
        hashes = as_list(tx.get("blobVersionedHashes"), "blobVersionedHashes")
        fields.append([as_hash(entry, "blobVersionedHash") for entry in hashes])
    elif kind == SET_CODE:
        fields.append(_authorizations(tx))
    parity = "yParity" if tx.get("yParity") is not None else "v"
    return [*fields, *(_uint(tx, name) for name in (parity, "r", "s"))]


def _recipient(tx: JsonObject) -> bytes:
    return b"" if tx.get("to") is None else as_data(tx.get("to"), "to", 20)


def _access_list(tx: JsonObject) -> RlpItem:
    entries: list[RlpItem] = []
    for entry in as_objects(tx.get("accessList"), "accessList"):
        keys = as_list(entry.get("storageKeys"), "storageKeys")
        address = as_data(entry.get("address"), "accessList address", 20)
        entries.append([address, [as_hash(key, "storageKey") for key in keys]])
    return entries


def _authorizations(tx: JsonObject) -> RlpItem:
    return [
        [
            _uint(entry, "chainId"),
            as_data(entry.get("address"), "authorization address", 20),
            *(_uint(entry, name) for name in ("nonce", "yParity", "r", "s")),
        ]
        for entry in as_objects(tx.get("authorizationList"), "authorizationList")
    ]


def receipts_from_json(entries: list[JsonObject]) -> tuple[Receipt, ...]:
    """Rebuild the receipts of a block, in its order."""
    receipts: list[Receipt] = []
    before = 0
    for entry in entries:
        receipt = _receipt(entry, before)
        before = receipt.cumulative_gas_used
        receipts.append(receipt)
    return tuple(receipts)


def _receipt(entry: JsonObject, cumulative_before: int) -> Receipt:
    cumulative = as_quantity(entry.get("cumulativeGasUsed"), "cumulativeGasUsed")
    contract, kind = entry.get("contractAddress"), as_quantity(entry.get("type", "0x0"), "type")
    if kind > _LAST_TYPE:
        raise MalformedL1Data(f"receipt type: expected {_LAST_TYPE:#x} at most, got {kind:#x}")
    return Receipt(
        type=kind,
        status=as_quantity(entry.get("status"), "status"),
        cumulative_gas_used=cumulative,
        gas_used=cumulative - cumulative_before,
        logs=tuple(log_from_json(log) for log in as_objects(entry.get("logs"), "logs")),
        bloom=as_data(entry.get("logsBloom"), "logsBloom", 256),
        contract_address=None
        if contract is None
        else Address(as_data(contract, "contractAddress", 20)),
    )


def log_from_json(log: JsonObject) -> Log:
    """Rebuild a log."""
    topics = as_list(log.get("topics"), "topics")
    return Log(
        Address(as_data(log.get("address"), "log address", 20)),
        tuple(as_hash(topic, "topic") for topic in topics),
        as_data(log.get("data"), "log data"),
    )


def _uint(fields: JsonObject, name: str) -> bytes:
    return encode_uint(as_quantity(fields.get(name), name))


def _shown(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."

"""Transactions as JSON: mined and pending, signed and deposited."""

from node.types.block import AnyTransaction, Header
from node.types.deposit import DepositTransaction
from node.types.receipt import DEPOSIT_RECEIPT_VERSION
from node.types.transaction import (
    ACCESS_LIST,
    BLOB,
    LEGACY,
    SET_CODE,
    AccessList,
    Authorization,
    Transaction,
)
from rpc.encoding.hexadecimal import Json, JsonObject, data, quantity


def mined_transaction(
    tx: AnyTransaction, header: Header, index: int, deposit_nonce: int | None
) -> JsonObject:
    """Return a transaction of a block. `deposit_nonce` is its receipt's; None for signed ones."""
    place: JsonObject = {
        "blockHash": data(header.hash),
        "blockNumber": quantity(header.number),
        "blockTimestamp": quantity(header.timestamp),
        "transactionIndex": quantity(index),
    }
    if isinstance(tx, DepositTransaction):
        return place | _deposit(tx, deposit_nonce or 0)
    return place | _signed(tx, tx.effective_gas_price(header.base_fee))


def pending_transaction(tx: Transaction) -> JsonObject:
    """Return a transaction of the pool: it has no place yet, and its price is its fee cap."""
    place: JsonObject = {"blockHash": None, "blockNumber": None, "transactionIndex": None}
    return place | _signed(tx, tx.max_fee_per_gas)


def _signed(tx: Transaction, gas_price: int) -> JsonObject:
    fields: JsonObject = {
        "type": quantity(tx.type),
        "hash": data(tx.hash),
        "from": data(tx.sender),
        "to": None if tx.to is None else data(tx.to),
        "nonce": quantity(tx.nonce),
        "gas": quantity(tx.gas),
        "gasPrice": quantity(gas_price),
        "value": quantity(tx.value),
        "input": data(tx.data),
        "v": quantity(_v(tx)),
        "r": quantity(tx.r),
        "s": quantity(tx.s),
    }
    if tx.chain_id is not None:
        fields["chainId"] = quantity(tx.chain_id)
    if tx.type == LEGACY:
        return fields
    fields["yParity"] = quantity(tx.y_parity)
    fields["accessList"] = access_list(tx.access_list)
    if tx.type == ACCESS_LIST:
        return fields
    fields["maxFeePerGas"] = quantity(tx.max_fee_per_gas)
    fields["maxPriorityFeePerGas"] = quantity(tx.max_priority_fee_per_gas)
    if tx.type == BLOB:
        fields["maxFeePerBlobGas"] = quantity(tx.max_fee_per_blob_gas)
        fields["blobVersionedHashes"] = [data(item) for item in tx.blob_versioned_hashes]
    elif tx.type == SET_CODE:
        fields["authorizationList"] = [_authorization(item) for item in tx.authorization_list]
    return fields


def _deposit(tx: DepositTransaction, nonce: int) -> JsonObject:
    fields: JsonObject = {
        "type": quantity(tx.type),
        "hash": data(tx.hash),
        "sourceHash": data(tx.source_hash),
        "from": data(tx.sender),
        "to": None if tx.to is None else data(tx.to),
        "nonce": quantity(nonce),
        "depositReceiptVersion": quantity(DEPOSIT_RECEIPT_VERSION),
        "gas": quantity(tx.gas),
        "gasPrice": "0x0",
        "value": quantity(tx.value),
        "input": data(tx.data),
        "v": "0x0",
        "r": "0x0",
        "s": "0x0",
    }
    if tx.mint:
        fields["mint"] = quantity(tx.mint)
    if tx.is_system_transaction:
        fields["isSystemTx"] = True
    return fields


def _v(tx: Transaction) -> int:
    """Return `v`: the parity, for a legacy transaction as EIP-155 or Frontier wrote it."""
    if tx.type != LEGACY:
        return tx.y_parity
    return tx.y_parity + (27 if tx.chain_id is None else 35 + 2 * tx.chain_id)


def access_list(entries: AccessList) -> list[Json]:
    """Return an EIP-2930 access list."""
    return [
        {"address": data(address), "storageKeys": [data(slot) for slot in slots]}
        for address, slots in entries
    ]


def _authorization(item: Authorization) -> JsonObject:
    return {
        "chainId": quantity(item.chain_id),
        "address": data(item.address),
        "nonce": quantity(item.nonce),
        "yParity": quantity(item.y_parity),
        "r": quantity(item.r),
        "s": quantity(item.s),
    }

"""Receipts and logs as JSON."""

from collections.abc import Sequence

from node.log_filter import LocatedLog
from node.types.block import AnyTransaction, Block, Header
from node.types.deposit import DepositTransaction
from node.types.receipt import DEPOSIT_RECEIPT_VERSION, Receipt
from node.types.transaction import BLOB
from rpc.encoding.hexadecimal import Json, JsonObject, data, quantity

GAS_PER_BLOB = 131_072


def block_receipts(
    block: Block, receipts: Sequence[Receipt], rollup_fees: Sequence[JsonObject], blob_base_fee: int
) -> list[JsonObject]:
    """Return all receipts of a block.

    `rollup_fees` are the op-geth fields of each (empty objects on a chain without a rollup),
    `blob_base_fee` is the block's, in wei per blob gas.
    """
    answers: list[JsonObject] = []
    first_log = 0
    for index, receipt in enumerate(receipts):
        answers.append(
            _receipt(block, index, receipt, first_log, blob_base_fee) | rollup_fees[index]
        )
        first_log += len(receipt.logs)
    return answers


def transaction_receipt(
    block: Block,
    receipts: Sequence[Receipt],
    index: int,
    rollup_fees: JsonObject,
    blob_base_fee: int,
) -> JsonObject:
    """Return one receipt of a block; all of the block's are needed to number its logs."""
    first_log = sum(len(receipt.logs) for receipt in receipts[:index])
    return _receipt(block, index, receipts[index], first_log, blob_base_fee) | rollup_fees


def _receipt(
    block: Block, index: int, receipt: Receipt, first_log: int, blob_base_fee: int
) -> JsonObject:
    tx, header = block.transactions[index], block.header
    logs: list[Json] = [
        log_object(
            LocatedLog(
                log, block.hash, block.number, header.timestamp, tx.hash, index, first_log + offset
            )
        )
        for offset, log in enumerate(receipt.logs)
    ]
    address = receipt.contract_address
    fields: JsonObject = {
        "type": quantity(receipt.type),
        "status": quantity(receipt.status),
        "transactionHash": data(tx.hash),
        "transactionIndex": quantity(index),
        "blockHash": data(header.hash),
        "blockNumber": quantity(header.number),
        "from": data(tx.sender),
        "to": None if tx.to is None else data(tx.to),
        "gasUsed": quantity(receipt.gas_used),
        "cumulativeGasUsed": quantity(receipt.cumulative_gas_used),
        "effectiveGasPrice": quantity(_effective_gas_price(tx, header)),
        "contractAddress": None if address is None else data(address),
        "logs": logs,
        "logsBloom": data(receipt.bloom),
    }
    if isinstance(tx, DepositTransaction):
        fields["depositNonce"] = quantity(receipt.deposit_nonce or 0)
        fields["depositReceiptVersion"] = quantity(DEPOSIT_RECEIPT_VERSION)
    elif tx.type == BLOB:
        fields["blobGasUsed"] = quantity(GAS_PER_BLOB * len(tx.blob_versioned_hashes))
        fields["blobGasPrice"] = quantity(blob_base_fee)
    return fields


def _effective_gas_price(tx: AnyTransaction, header: Header) -> int:
    return 0 if isinstance(tx, DepositTransaction) else tx.effective_gas_price(header.base_fee)


def log_object(located: LocatedLog) -> JsonObject:
    """Return a log of a block."""
    return {
        "address": data(located.log.address),
        "topics": [data(topic) for topic in located.log.topics],
        "data": data(located.log.data),
        "blockNumber": quantity(located.block_number),
        "blockHash": data(located.block_hash),
        "blockTimestamp": quantity(located.timestamp),
        "transactionHash": data(located.transaction_hash),
        "transactionIndex": quantity(located.transaction_index),
        "logIndex": quantity(located.log_index),
        "removed": False,
    }

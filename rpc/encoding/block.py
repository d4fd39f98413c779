"""Headers and blocks as JSON."""

from collections.abc import Sequence

from node.types.block import Block, Header, Withdrawal
from node.types.receipt import Receipt
from rpc.encoding.hexadecimal import Json, JsonObject, data, quantity
from rpc.encoding.transaction import mined_transaction


def block_with_hashes(block: Block) -> JsonObject:
    """Return a block whose transactions are given by hash."""
    return _block(block, [data(tx.hash) for tx in block.transactions])


def block_with_transactions(block: Block, receipts: Sequence[Receipt]) -> JsonObject:
    """Return a block with whole transactions; a deposit's nonce comes from its receipt."""
    pairs = zip(block.transactions, receipts, strict=True)
    return _block(
        block,
        [
            mined_transaction(tx, block.header, index, receipt.deposit_nonce)
            for index, (tx, receipt) in enumerate(pairs)
        ],
    )


def _block(block: Block, transactions: list[Json]) -> JsonObject:
    return {
        **header_fields(block.header),
        "size": quantity(len(block.encode())),
        "transactions": transactions,
        "uncles": [],
        "withdrawals": [_withdrawal(item) for item in block.withdrawals],
    }


def header_fields(header: Header) -> JsonObject:
    """Return what a block shows of its header."""
    fields: JsonObject = {
        "number": quantity(header.number),
        "hash": data(header.hash),
        "parentHash": data(header.parent_hash),
        "nonce": data(header.nonce),
        "mixHash": data(header.prev_randao),
        "sha3Uncles": data(header.ommers_hash),
        "logsBloom": data(header.bloom),
        "stateRoot": data(header.state_root),
        "miner": data(header.coinbase),
        "difficulty": quantity(header.difficulty),
        "extraData": data(header.extra_data),
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "timestamp": quantity(header.timestamp),
        "transactionsRoot": data(header.transactions_root),
        "receiptsRoot": data(header.receipts_root),
        "baseFeePerGas": quantity(header.base_fee),
        "withdrawalsRoot": data(header.withdrawals_root),
        "blobGasUsed": quantity(header.blob_gas_used),
        "excessBlobGas": quantity(header.excess_blob_gas),
        "parentBeaconBlockRoot": data(header.parent_beacon_block_root),
    }
    if header.requests_hash is not None:
        fields["requestsHash"] = data(header.requests_hash)
    return fields


def _withdrawal(withdrawal: Withdrawal) -> JsonObject:
    return {
        "index": quantity(withdrawal.index),
        "validatorIndex": quantity(withdrawal.validator_index),
        "address": data(withdrawal.address),
        "amount": quantity(withdrawal.amount),
    }

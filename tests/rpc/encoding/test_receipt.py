from dataclasses import replace
from typing import Any

import pytest

from node.config import CANCUN_BLOBS, PRAGUE_BLOBS, ChainConfig, RollupRules
from node.execution.fees import l1_fee, l1_gas_used, parse_l1_fee_parameters
from node.types.block import AnyTransaction, Block
from node.types.primitives import ZERO_ADDRESS
from node.types.receipt import Receipt
from rpc.encoding.receipt import block_receipts, transaction_receipt
from rpc.encoding.rollup_fees import rollup_fees
from tests.rpc import samples
from tests.rpc.openrpc import result_schemas, violations

ETHEREUM = ChainConfig(900, 0, CANCUN_BLOBS, PRAGUE_BLOBS, ZERO_ADDRESS, None, None)
ISTHMUS = replace(ETHEREUM, chain_id=901, rollup=RollupRules(0, 0, None, 6, 250))
JOVIAN = replace(ETHEREUM, chain_id=901, rollup=RollupRules(0, 0, 0, 6, 250))


def with_receipts(*transactions: AnyTransaction, logs: int = 0) -> tuple[Block, list[Receipt]]:
    receipts = [
        samples.receipt(tx, cumulative=21_000 * (index + 1), logs=logs)
        for index, tx in enumerate(transactions)
    ]
    return samples.block(*transactions), receipts


def show(config: ChainConfig, block: Block, receipts: list[Receipt]) -> list[dict[str, Any]]:
    fees = rollup_fees(config, block, block.transactions)
    return block_receipts(block, receipts, fees, blob_base_fee=3)


def test_receipts_follow_the_schema() -> None:
    schema = result_schemas()["eth_getTransactionReceipt"]
    transactions = [make() for make in samples.SIGNED.values()]
    for shown in show(ETHEREUM, *with_receipts(*transactions, logs=2)):
        assert violations(schema, shown) == []


def test_logs_are_numbered_over_the_block() -> None:
    txs = (samples.legacy_transaction(), samples.dynamic_fee_transaction())
    block, receipts = with_receipts(*txs, logs=2)
    shown = show(ETHEREUM, block, receipts)
    assert [log["logIndex"] for item in shown for log in item["logs"]] == [
        "0x0", "0x1", "0x2", "0x3"
    ]  # fmt: skip
    assert shown[1] == transaction_receipt(block, receipts, 1, {}, blob_base_fee=3)
    assert shown[1]["logs"][0] == {
        "address": "0x" + samples.RECIPIENT.hex(),
        "topics": ["0x" + "00" * 32],
        "data": "0x0102",
        "blockNumber": "0x11",
        "blockHash": "0x" + block.hash.hex(),
        "blockTimestamp": hex(1_700_000_001),
        "transactionHash": "0x" + txs[1].hash.hex(),
        "transactionIndex": "0x1",
        "logIndex": "0x2",
        "removed": False,
    }


def test_gas_and_prices() -> None:
    shown = show(ETHEREUM, *with_receipts(samples.deposit(), samples.dynamic_fee_transaction()))
    assert [item["effectiveGasPrice"] for item in shown] == ["0x0", hex(1_100)]
    assert [item["cumulativeGasUsed"] for item in shown] == [hex(21_000), hex(42_000)]
    assert [item["gasUsed"] for item in shown] == [hex(21_000)] * 2


def test_blob_gas() -> None:
    (shown,) = show(ETHEREUM, *with_receipts(samples.blob_transaction()))
    assert (shown["blobGasUsed"], shown["blobGasPrice"]) == (hex(262_144), "0x3")


def test_a_created_contract() -> None:
    block, (receipt,) = with_receipts(samples.dynamic_fee_transaction(to=""))
    receipt = replace(receipt, contract_address=samples.RECIPIENT)
    (shown,) = show(ETHEREUM, block, [receipt])
    assert shown["to"] is None
    assert shown["contractAddress"] == "0x" + samples.RECIPIENT.hex()


def test_a_deposit_shows_its_nonce_and_no_l1_fee() -> None:
    attributes = samples.deposit(samples.l1_attributes_calldata())
    (shown,) = show(ISTHMUS, *with_receipts(attributes))
    assert (shown["depositNonce"], shown["depositReceiptVersion"]) == ("0x4", "0x1")
    assert not [name for name in shown if name.startswith(("l1", "operator"))]


def test_the_fees_of_a_rollup_come_from_the_block_s_own_attributes() -> None:
    calldata = samples.l1_attributes_calldata()
    tx = samples.dynamic_fee_transaction()
    shown = show(ISTHMUS, *with_receipts(samples.deposit(calldata), tx))[1]
    parameters = parse_l1_fee_parameters(calldata)
    expected = {
        "l1GasPrice": hex(7_000_000_000),
        "l1GasUsed": hex(l1_gas_used(tx)),
        "l1Fee": hex(l1_fee(tx, parameters)),
        "l1BlobBaseFee": "0x2",
        "l1BaseFeeScalar": hex(1368),
        "l1BlobBaseFeeScalar": hex(810_949),
        "operatorFeeScalar": "0xb",
        "operatorFeeConstant": "0xc",
    }
    assert {name: shown[name] for name in expected} == expected
    assert "daFootprintGasScalar" not in shown
    assert "l1FeeScalar" not in shown


def test_an_operator_fee_of_zero_is_not_shown() -> None:
    calldata = samples.l1_attributes_calldata()[:164] + bytes(12)
    block, receipts = with_receipts(samples.deposit(calldata), samples.dynamic_fee_transaction())
    assert not [name for name in show(ISTHMUS, block, receipts)[1] if name.startswith("operator")]


def test_jovian_shows_the_da_footprint() -> None:
    attributes = samples.deposit(samples.l1_attributes_calldata(size=178))
    shown = show(JOVIAN, *with_receipts(attributes, samples.dynamic_fee_transaction()))
    assert shown[1]["daFootprintGasScalar"] == hex(400)
    assert shown[1]["blobGasUsed"] == hex(100 * 400)


@pytest.mark.parametrize("config", [ETHEREUM, ISTHMUS])
def test_a_block_without_transactions_has_no_receipts(config: ChainConfig) -> None:
    assert show(config, samples.block(), []) == []

"""The fields that op-geth adds to receipts: what a transaction paid for its place on L1."""

from collections.abc import Sequence

from node.config import ChainConfig
from node.execution.fees import (
    L1FeeParameters,
    da_size,
    l1_fee,
    l1_gas_used,
    parse_l1_fee_parameters,
)
from node.types.block import AnyTransaction, Block
from node.types.deposit import DepositTransaction
from node.types.transaction import Transaction
from rpc.encoding.hexadecimal import JsonObject, quantity


def rollup_fees(
    config: ChainConfig, block: Block, transactions: Sequence[AnyTransaction]
) -> list[JsonObject]:
    """Return the fields for each of some transactions of a block.

    They are empty for deposits, and on a chain that is not a rollup.
    """
    if config.rollup is None or not block.transactions:
        return [{} for _ in transactions]
    # The first transaction of every rollup block is its L1-attributes deposit.
    parameters = parse_l1_fee_parameters(block.transactions[0].data)
    is_jovian = config.is_jovian(block.header.timestamp)
    return [
        {} if isinstance(tx, DepositTransaction) else _fields(tx, parameters, is_jovian)
        for tx in transactions
    ]


def _fields(tx: Transaction, parameters: L1FeeParameters, is_jovian: bool) -> JsonObject:
    fields: JsonObject = {
        "l1GasPrice": quantity(parameters.l1_base_fee),
        "l1GasUsed": quantity(l1_gas_used(tx)),
        "l1Fee": quantity(l1_fee(tx, parameters)),
        "l1BlobBaseFee": quantity(parameters.l1_blob_base_fee),
        "l1BaseFeeScalar": quantity(parameters.base_fee_scalar),
        "l1BlobBaseFeeScalar": quantity(parameters.blob_base_fee_scalar),
    }
    if parameters.operator_fee_scalar or parameters.operator_fee_constant:
        fields["operatorFeeScalar"] = quantity(parameters.operator_fee_scalar)
        fields["operatorFeeConstant"] = quantity(parameters.operator_fee_constant)
    if is_jovian:
        fields["daFootprintGasScalar"] = quantity(parameters.da_footprint_gas_scalar)
        footprint = da_size(tx) * parameters.da_footprint_gas_scalar
        fields["blobGasUsed"] = quantity(footprint)
    return fields

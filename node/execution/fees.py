"""What gas costs: the base fee of both rule sets and the price of blobs, in wei.

Sources: EIP-1559, EIP-4844, EIP-7691; OP Stack specs "Holocene" and "Jovian: Execution Engine".
Everything else about fees is found here by name, too.
"""

from dataclasses import dataclass

from node.config import ChainConfig
from node.errors import InvalidBlock
from node.execution.intrinsic import gas_bounds
from node.execution.l1_fees import (
    L1FeeParameters,
    da_size,
    l1_fee,
    l1_gas_used,
    operator_fee,
    parse_l1_fee_parameters,
    read_l1_fee_parameters,
)
from node.types.block import Header

__all__ = [
    "Eip1559Parameters",
    "L1FeeParameters",
    "blob_base_fee",
    "da_size",
    "decode_extra_data",
    "encode_extra_data",
    "gas_bounds",
    "l1_fee",
    "l1_gas_used",
    "next_base_fee",
    "next_excess_blob_gas",
    "operator_fee",
    "parse_l1_fee_parameters",
    "read_l1_fee_parameters",
]

GAS_PER_BLOB = 131_072

_ELASTICITY = 2
_DENOMINATOR = 8
_MIN_BLOB_BASE_FEE = 1


@dataclass(frozen=True, slots=True)
class Eip1559Parameters:
    """How a rollup block's child prices gas; `min_base_fee` (wei) is 0 before Jovian."""

    denominator: int
    elasticity: int
    min_base_fee: int = 0


def encode_extra_data(config: ChainConfig, timestamp: int, parameters: Eip1559Parameters) -> bytes:
    """Return the header's extraData: 9 bytes since Holocene, 17 since Jovian.

    Zero denominator and elasticity stand for the chain's own: a header never carries zeros.
    """
    assert config.rollup is not None, "only a rollup has EIP-1559 parameters in its extraData"
    denominator, elasticity = parameters.denominator, parameters.elasticity
    if denominator == 0 and elasticity == 0:
        denominator = config.rollup.eip1559_denominator
        elasticity = config.rollup.eip1559_elasticity
    body = denominator.to_bytes(4, "big") + elasticity.to_bytes(4, "big")
    if config.is_jovian(timestamp):
        return b"\x01" + body + parameters.min_base_fee.to_bytes(8, "big")
    return b"\x00" + body


def decode_extra_data(config: ChainConfig, timestamp: int, extra_data: bytes) -> Eip1559Parameters:
    """Read the parameters that a rollup block carries; InvalidBlock if they are malformed."""
    version, size = (1, 17) if config.is_jovian(timestamp) else (0, 9)
    if len(extra_data) != size or extra_data[0] != version:
        raise InvalidBlock("extraData", f"{size} bytes of version {version}", extra_data)
    denominator = int.from_bytes(extra_data[1:5], "big")
    elasticity = int.from_bytes(extra_data[5:9], "big")
    if denominator == 0 or elasticity == 0:
        raise InvalidBlock("extraData", "a denominator and an elasticity above 0", extra_data)
    return Eip1559Parameters(denominator, elasticity, int.from_bytes(extra_data[9:], "big"))


def next_base_fee(config: ChainConfig, parent: Header) -> int:
    """Return the base fee of the child of `parent`."""
    if config.rollup is None:
        return _adjusted(parent.base_fee, parent.gas_used, parent.gas_limit, _ETHEREUM)
    parameters = decode_extra_data(config, parent.timestamp, parent.extra_data)
    metered = parent.gas_used
    if config.is_jovian(parent.timestamp):
        metered = max(metered, parent.blob_gas_used)  # the DA footprint
    fee = _adjusted(parent.base_fee, metered, parent.gas_limit, parameters)
    return max(fee, parameters.min_base_fee)


_ETHEREUM = Eip1559Parameters(_DENOMINATOR, _ELASTICITY)


def _adjusted(fee: int, metered: int, gas_limit: int, parameters: Eip1559Parameters) -> int:
    target = gas_limit // parameters.elasticity
    if metered == target:
        return fee
    if target == 0:  # a gas limit below the elasticity: any gas is too much of it
        raise InvalidBlock("gasLimit", f"at least {parameters.elasticity}", gas_limit)
    change = fee * abs(metered - target) // target // parameters.denominator
    return fee + max(change, 1) if metered > target else fee - change


def next_excess_blob_gas(config: ChainConfig, parent: Header, timestamp: int) -> int:
    """Return the excess blob gas of the child of `parent` (EIP-4844); 0 on a rollup."""
    if config.rollup is not None:
        return 0
    target = config.blobs_at(timestamp).target * GAS_PER_BLOB
    return max(parent.excess_blob_gas + parent.blob_gas_used - target, 0)


def blob_base_fee(config: ChainConfig, header: Header) -> int:
    """Return the price of a unit of blob gas in the block of `header`; 1 on a rollup."""
    return blob_base_fee_at(config, header.timestamp, header.excess_blob_gas)


def blob_base_fee_at(config: ChainConfig, timestamp: int, excess_blob_gas: int) -> int:
    """Return the price of a unit of blob gas by the schedule in force at `timestamp`."""
    if config.rollup is not None:
        return _MIN_BLOB_BASE_FEE
    fraction = config.blobs_at(timestamp).base_fee_update_fraction
    return fake_exponential(_MIN_BLOB_BASE_FEE, excess_blob_gas, fraction)


def fake_exponential(factor: int, numerator: int, denominator: int) -> int:
    """Approximate factor * e^(numerator / denominator) in integers (EIP-4844)."""
    total, term, index = 0, factor * denominator, 1
    while term > 0:
        total += term
        term = term * numerator // (denominator * index)
        index += 1
    return total // denominator

"""The parameters of the rollup that its owner adjusts on L1 while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consensus.json_fields import JsonFields
from consensus.l1_info import decode_l1_info_deposit
from node.errors import ConfigError, DecodingError
from node.types.block import Block
from node.types.primitives import ZERO_ADDRESS, Address, Hash32, checksum_address

DEFAULT_DA_FOOTPRINT_GAS_SCALAR = 400

_BEDROCK_SCALAR = 0
_ECOTONE_SCALAR = 1


@dataclass(frozen=True, slots=True)
class SystemConfig:
    """Who batches, what blocks may hold and what data costs (specs/protocol/system-config).

    `eip1559_denominator` and `eip1559_elasticity` are both zero where the chain config's values
    apply. `min_base_fee` is in wei. `da_footprint_gas_scalar` zero means the default, 400.
    """

    batcher: Address
    base_fee_scalar: int
    blob_base_fee_scalar: int
    gas_limit: int
    eip1559_denominator: int = 0
    eip1559_elasticity: int = 0
    operator_fee_scalar: int = 0
    operator_fee_constant: int = 0
    min_base_fee: int = 0
    da_footprint_gas_scalar: int = 0


def parse_system_config(raw: Mapping[str, Any], path: str) -> SystemConfig:
    """Read the `system_config` object of rollup.json; ConfigError names the field."""
    fields = JsonFields(raw, path)
    batcher = fields.address("batcherAddr")
    if batcher == ZERO_ADDRESS:
        raise ConfigError(f"{path}.batcherAddr: expected the batcher's address, got zero")
    overhead = fields.fixed_bytes("overhead", 32, default=bytes(32))
    if any(overhead):
        raise ConfigError(f"{path}.overhead: expected zero (unused since Ecotone)")
    raw_scalar = fields.fixed_bytes("scalar", 32)
    if not any(raw_scalar):
        raise ConfigError(f"{path}.scalar: expected a non-zero encoded scalar, got zero")
    scalars = decode_scalar(Hash32(raw_scalar))
    if scalars is None:
        raise ConfigError(f"{path}.scalar: expected version 0 or 1, got 0x{raw_scalar.hex()}")
    eip1559 = fields.fixed_bytes("eip1559Params", 8, default=bytes(8))
    denominator, elasticity = decode_eip1559_params(eip1559)
    if (denominator == 0) != (elasticity == 0):
        raise ConfigError(
            f"{path}.eip1559Params: expected both parts zero or neither, got 0x{eip1559.hex()}"
        )
    operator_fee = fields.fixed_bytes("operatorFeeParams", 32, default=bytes(32))
    if any(operator_fee[:20]):
        raise ConfigError(f"{path}.operatorFeeParams: expected 20 zero bytes first")
    config = SystemConfig(
        batcher=batcher,
        base_fee_scalar=scalars[0],
        blob_base_fee_scalar=scalars[1],
        gas_limit=fields.integer("gasLimit", minimum=1),
        eip1559_denominator=denominator,
        eip1559_elasticity=elasticity,
        operator_fee_scalar=int.from_bytes(operator_fee[20:24], "big"),
        operator_fee_constant=int.from_bytes(operator_fee[24:], "big"),
        min_base_fee=fields.integer("minBaseFee", default=0),
        da_footprint_gas_scalar=fields.integer(
            "daFootprintGasScalar", default=0, maximum=2**16 - 1
        ),
    )
    fields.refuse_unknown()
    return config


def system_config_to_json(config: SystemConfig) -> dict[str, object]:
    """Return the `system_config` object of rollup.json.

    What came with Jovian is left out where it is zero, which is what its absence means: an op-node
    from before Jovian refuses fields that it does not know.
    """
    operator_fee = config.operator_fee_scalar.to_bytes(24, "big") + (
        config.operator_fee_constant.to_bytes(8, "big")
    )
    jovian = {
        "minBaseFee": config.min_base_fee,
        "daFootprintGasScalar": config.da_footprint_gas_scalar,
    }
    return {
        "batcherAddr": checksum_address(config.batcher),
        "overhead": "0x" + bytes(32).hex(),
        "scalar": "0x" + encode_scalar(config.base_fee_scalar, config.blob_base_fee_scalar).hex(),
        "gasLimit": config.gas_limit,
        "eip1559Params": "0x" + _encode_eip1559(config).hex(),
        "operatorFeeParams": "0x" + operator_fee.hex(),
        **{name: value for name, value in jovian.items() if value},
    }


def system_config_after(block: Block) -> SystemConfig:
    """Rebuild the config in force from an L2 block after genesis.

    The EIP-1559 parameters come back as the header's explicit numbers, never as zeros.
    DecodingError if the block does not open with an L1-attributes deposit.
    """
    info = decode_l1_info_deposit(block)
    denominator, elasticity, min_base_fee = _decode_extra_data(block.header.extra_data)
    return SystemConfig(
        batcher=info.batcher,
        base_fee_scalar=info.base_fee_scalar,
        blob_base_fee_scalar=info.blob_base_fee_scalar,
        gas_limit=block.header.gas_limit,
        eip1559_denominator=denominator,
        eip1559_elasticity=elasticity,
        operator_fee_scalar=info.operator_fee_scalar,
        operator_fee_constant=info.operator_fee_constant,
        min_base_fee=min_base_fee,
        da_footprint_gas_scalar=info.da_footprint_gas_scalar,
    )


def encode_scalar(base_fee_scalar: int, blob_base_fee_scalar: int) -> Hash32:
    """Return both L1 fee scalars in the 32-byte form of Ecotone (version 1)."""
    scalars = blob_base_fee_scalar.to_bytes(4, "big") + base_fee_scalar.to_bytes(4, "big")
    return Hash32(bytes([_ECOTONE_SCALAR]) + bytes(23) + scalars)


def decode_scalar(scalar: Hash32) -> tuple[int, int] | None:
    """Return (base fee scalar, blob base fee scalar), or None where the encoding is not valid.

    Version 0 carries the base fee scalar alone.
    """
    version = scalar[0]
    low, high = int.from_bytes(scalar[28:], "big"), int.from_bytes(scalar[24:28], "big")
    if version == _BEDROCK_SCALAR and not any(scalar[1:28]):
        return low, 0
    if version == _ECOTONE_SCALAR and not any(scalar[1:24]):
        return low, high
    return None


def decode_eip1559_params(params: bytes) -> tuple[int, int]:
    """Split 8 bytes into (denominator, elasticity)."""
    return int.from_bytes(params[:4], "big"), int.from_bytes(params[4:8], "big")


def _encode_eip1559(config: SystemConfig) -> bytes:
    denominator = config.eip1559_denominator.to_bytes(4, "big")
    return denominator + config.eip1559_elasticity.to_bytes(4, "big")


def _decode_extra_data(extra_data: bytes) -> tuple[int, int, int]:
    if len(extra_data) == 9 and extra_data[0] == 0:
        return *decode_eip1559_params(extra_data[1:]), 0
    if len(extra_data) == 17 and extra_data[0] == 1:
        return *decode_eip1559_params(extra_data[1:]), int.from_bytes(extra_data[9:], "big")
    raise DecodingError(
        f"extraData: expected 9 bytes (Holocene) or 17 (Jovian), got 0x{extra_data.hex()}"
    )

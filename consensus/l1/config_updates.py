"""Changes of the system config that its L1 contract announced in one block.

Source: specs/protocol/system-config, "Writing the system config"; update types of Jovian included.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from consensus.l1.deposit_logs import successful_logs
from consensus.system_config import SystemConfig, decode_eip1559_params, decode_scalar
from node.errors import DecodingError
from node.types.primitives import Address, Hash32, keccak256
from node.types.receipt import Log, Receipt

CONFIG_UPDATE_TOPIC: Final = keccak256(b"ConfigUpdate(uint256,uint8,bytes)")


@dataclass(frozen=True, slots=True)
class SkippedUpdate:
    """An update that was not applied. `log_index` counts the logs of the whole L1 block."""

    log_index: int
    reason: str


@dataclass(frozen=True, slots=True)
class AppliedUpdates:
    """The config after an L1 block, and the block's updates that were not understood."""

    config: SystemConfig
    skipped: tuple[SkippedUpdate, ...]


def apply_config_updates(
    config: SystemConfig, receipts: Sequence[Receipt], contract: Address
) -> AppliedUpdates:
    """Apply the updates of one L1 block in log order; each bad one is skipped alone."""
    skipped: list[SkippedUpdate] = []
    for index, log in successful_logs(receipts):
        if log.address != contract or log.topics[:1] != (CONFIG_UPDATE_TOPIC,):
            continue
        try:
            config = _apply(config, log)
        except DecodingError as error:
            skipped.append(SkippedUpdate(index, str(error)))
    return AppliedUpdates(config, tuple(skipped))


def _apply(config: SystemConfig, log: Log) -> SystemConfig:
    if len(log.topics) != 3:
        raise DecodingError(f"ConfigUpdate: expected 3 topics, got {len(log.topics)}")
    if any(log.topics[1]):
        raise DecodingError(f"ConfigUpdate: expected version 0, got 0x{log.topics[1].hex()}")
    kind = int.from_bytes(log.topics[2], "big")
    update = _UPDATES.get(kind)
    if update is None:
        raise DecodingError(f"ConfigUpdate: expected a type up to {max(_UPDATES)}, got {kind}")
    return update(config, log.data)


def _batcher(config: SystemConfig, data: bytes) -> SystemConfig:
    word = _payload(data, 32, "batcher")
    return replace(config, batcher=Address(_low_bytes(word, 20, "batcher")))


def _fee_scalars(config: SystemConfig, data: bytes) -> SystemConfig:
    scalar = _payload(data, 64, "fee scalars")[32:]
    scalars = decode_scalar(Hash32(scalar))
    if scalars is None:
        raise DecodingError(f"fee scalars: expected version 0 or 1, got 0x{scalar.hex()}")
    return replace(config, base_fee_scalar=scalars[0], blob_base_fee_scalar=scalars[1])


def _gas_limit(config: SystemConfig, data: bytes) -> SystemConfig:
    return replace(config, gas_limit=_integer(data, 8, "gas limit"))


def _unsafe_block_signer(config: SystemConfig, data: bytes) -> SystemConfig:
    # It concerns gossip between nodes; derivation does not look at it, not even at its form.
    return config


def _eip1559_params(config: SystemConfig, data: bytes) -> SystemConfig:
    word = _payload(data, 32, "EIP-1559 parameters")
    denominator, elasticity = decode_eip1559_params(word[24:])
    if (denominator == 0) != (elasticity == 0):
        raise DecodingError(
            "EIP-1559 parameters: expected both zero or neither, got denominator "
            f"{denominator} and elasticity {elasticity}"
        )
    return replace(config, eip1559_denominator=denominator, eip1559_elasticity=elasticity)


def _operator_fee(config: SystemConfig, data: bytes) -> SystemConfig:
    word = _payload(data, 32, "operator fee")
    return replace(
        config,
        operator_fee_scalar=int.from_bytes(word[20:24], "big"),
        operator_fee_constant=int.from_bytes(word[24:], "big"),
    )


def _min_base_fee(config: SystemConfig, data: bytes) -> SystemConfig:
    return replace(config, min_base_fee=_integer(data, 8, "minimum base fee"))


def _da_footprint(config: SystemConfig, data: bytes) -> SystemConfig:
    return replace(config, da_footprint_gas_scalar=_integer(data, 2, "DA footprint gas scalar"))


_UPDATES: Mapping[int, Callable[[SystemConfig, bytes], SystemConfig]] = {
    0: _batcher,
    1: _fee_scalars,
    2: _gas_limit,
    3: _unsafe_block_signer,
    4: _eip1559_params,
    5: _operator_fee,
    6: _min_base_fee,
    7: _da_footprint,
}


def _payload(data: bytes, size: int, name: str) -> bytes:
    if len(data) != 64 + size:
        raise DecodingError(f"{name}: expected {64 + size} bytes of event data, got {len(data)}")
    offset, length = int.from_bytes(data[:32], "big"), int.from_bytes(data[32:64], "big")
    if (offset, length) != (32, size):
        raise DecodingError(
            f"{name}: expected offset 32 and length {size}, got {offset} and {length}"
        )
    return data[64:]


def _integer(data: bytes, size: int, name: str) -> int:
    return int.from_bytes(_low_bytes(_payload(data, 32, name), size, name), "big")


def _low_bytes(word: bytes, size: int, name: str) -> bytes:
    if any(word[: 32 - size]):
        raise DecodingError(f"{name}: expected a value of {size} bytes, got 0x{word.hex()}")
    return word[32 - size :]

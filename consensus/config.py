"""The rollup's fixed parameters: rollup.json in the OP Stack's format, checked and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from consensus.json_fields import JsonFields
from consensus.l1_info import L1InfoLayout
from consensus.system_config import SystemConfig, parse_system_config, system_config_to_json
from node.config import ChainConfig
from node.errors import ConfigError
from node.json_file import read_json
from node.types.block import BlockRef
from node.types.primitives import (
    ZERO_ADDRESS,
    ZERO_HASH,
    Address,
    BlockNumber,
    checksum_address,
)

CHANNEL_TIMEOUT: Final = 50
"""L1 blocks that a channel may stay open (Granite; the config's own value counted before it)."""

SEQUENCER_DRIFT_S: Final = 1800
"""Seconds that L2 time may run ahead of its L1 origin (Fjord; as above)."""

MAX_RLP_BYTES: Final = 100_000_000
"""Decompressed bytes of one channel that are read, and the bound on its frames (Fjord)."""

_FORKS_AT_GENESIS = (
    "regolith_time",
    "canyon_time",
    "delta_time",
    "ecotone_time",
    "fjord_time",
    "granite_time",
    "holocene_time",
)
_UNSUPPORTED = (
    ("pectra_blob_schedule_time", "it exists for two old test networks only"),
    ("karst_time", "the last fork that this node derives is Jovian"),
    ("interop_time", "the last fork that this node derives is Jovian"),
    ("alt_da", "data lives on L1 alone"),
)


@dataclass(frozen=True, slots=True)
class RollupGenesis:
    """Where the rollup starts: derivation begins after `l1`. `l2_time` is in seconds."""

    l1: BlockRef
    l2: BlockRef
    l2_time: int
    system_config: SystemConfig


@dataclass(frozen=True, slots=True)
class RollupConfig:
    """What derivation depends on besides L1's blocks. Times are in seconds.

    `max_sequencer_drift_s` and `channel_timeout` are kept for the file's sake: from Fjord and
    Granite on, which are active from genesis here, SEQUENCER_DRIFT_S and CHANNEL_TIMEOUT hold.
    Forks up to Holocene are active at 0; `isthmus_time` and `jovian_time` are 0 or None.
    `seq_window_size` counts L1 blocks, the epoch's own included.
    """

    genesis: RollupGenesis
    block_time: int
    max_sequencer_drift_s: int
    seq_window_size: int
    channel_timeout: int
    l1_chain_id: int
    l2_chain_id: int
    isthmus_time: int | None
    jovian_time: int | None
    batch_inbox: Address
    deposit_contract: Address
    l1_system_config: Address
    eip1559_elasticity: int
    eip1559_denominator: int
    eip1559_denominator_canyon: int
    protocol_versions: Address | None = None

    def is_isthmus(self, timestamp: int) -> bool:
        """Whether Isthmus is active at an L2 timestamp."""
        return self.isthmus_time is not None and timestamp >= self.isthmus_time

    def is_jovian(self, timestamp: int) -> bool:
        """Whether Jovian is active at an L2 timestamp."""
        return self.jovian_time is not None and timestamp >= self.jovian_time

    def l1_info_layout(self, timestamp: int) -> L1InfoLayout:
        """Return the layout of the L1-attributes calldata at an L2 timestamp."""
        if self.is_jovian(timestamp):
            return L1InfoLayout.JOVIAN
        return L1InfoLayout.ISTHMUS if self.is_isthmus(timestamp) else L1InfoLayout.ECOTONE

    def check_against(self, chain: ChainConfig) -> None:
        """Compare with the execution layer's config; ConfigError names the field that differs."""
        if chain.rollup is None:
            raise ConfigError("genesis.json config.optimism: expected a rollup's chain config")
        pairs = (
            ("l2_chain_id", self.l2_chain_id, chain.chain_id),
            ("holocene_time", 0, chain.rollup.holocene_time),
            ("isthmus_time", self.isthmus_time, chain.rollup.isthmus_time),
            ("jovian_time", self.jovian_time, chain.rollup.jovian_time),
            (
                "chain_op_config.eip1559Elasticity",
                self.eip1559_elasticity,
                chain.rollup.eip1559_elasticity,
            ),
            (
                "chain_op_config.eip1559DenominatorCanyon",
                self.eip1559_denominator_canyon,
                chain.rollup.eip1559_denominator,
            ),
        )
        for name, ours, theirs in pairs:
            if ours != theirs:
                raise ConfigError(f"{name}: rollup.json says {ours}, genesis.json says {theirs}")


def read_rollup_config(path: Path) -> RollupConfig:
    """Read rollup.json; ConfigError names the file and what is wrong in it."""
    raw = read_json(path)
    try:
        return parse_rollup_config(raw)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse_rollup_config(raw: Mapping[str, Any]) -> RollupConfig:
    """Check the content of rollup.json; ConfigError names the field that is wrong."""
    fields = JsonFields(raw, "")
    isthmus_time, jovian_time = _parse_forks(fields)
    op_config = fields.object("chain_op_config")
    config = RollupConfig(
        genesis=_parse_genesis(fields.object("genesis")),
        block_time=fields.integer("block_time", minimum=1),
        max_sequencer_drift_s=fields.integer("max_sequencer_drift", minimum=1),
        seq_window_size=fields.integer("seq_window_size", minimum=2),
        channel_timeout=fields.integer("channel_timeout", minimum=1),
        l1_chain_id=fields.integer("l1_chain_id", minimum=1),
        l2_chain_id=fields.integer("l2_chain_id", minimum=1),
        isthmus_time=isthmus_time,
        jovian_time=jovian_time,
        batch_inbox=_non_zero_address(fields, "batch_inbox_address"),
        deposit_contract=_non_zero_address(fields, "deposit_contract_address"),
        l1_system_config=_non_zero_address(fields, "l1_system_config_address"),
        eip1559_elasticity=op_config.integer("eip1559Elasticity", minimum=1, maximum=2**32 - 1),
        eip1559_denominator=op_config.integer("eip1559Denominator", minimum=1, maximum=2**32 - 1),
        eip1559_denominator_canyon=op_config.integer(
            "eip1559DenominatorCanyon", minimum=1, maximum=2**32 - 1
        ),
        protocol_versions=fields.address("protocol_versions_address")
        if fields.has("protocol_versions_address")
        else None,
    )
    op_config.refuse_unknown()
    fields.refuse_unknown()
    if config.l1_chain_id == config.l2_chain_id:
        raise ConfigError(f"l2_chain_id: expected another id than L1's, got {config.l2_chain_id}")
    return config


def rollup_config_to_json(config: RollupConfig) -> dict[str, object]:
    """Return the content of rollup.json, as a stock op-node reads it."""
    raw: dict[str, object] = {
        "genesis": {
            "l1": _block_to_json(config.genesis.l1),
            "l2": _block_to_json(config.genesis.l2),
            "l2_time": config.genesis.l2_time,
            "system_config": system_config_to_json(config.genesis.system_config),
        },
        "block_time": config.block_time,
        "max_sequencer_drift": config.max_sequencer_drift_s,
        "seq_window_size": config.seq_window_size,
        "channel_timeout": config.channel_timeout,
        "l1_chain_id": config.l1_chain_id,
        "l2_chain_id": config.l2_chain_id,
        **dict.fromkeys(_FORKS_AT_GENESIS, 0),
    }
    for name, time in (("isthmus_time", config.isthmus_time), ("jovian_time", config.jovian_time)):
        if time is not None:
            raw[name] = time
    raw["batch_inbox_address"] = checksum_address(config.batch_inbox)
    raw["deposit_contract_address"] = checksum_address(config.deposit_contract)
    raw["l1_system_config_address"] = checksum_address(config.l1_system_config)
    if config.protocol_versions is not None:
        raw["protocol_versions_address"] = checksum_address(config.protocol_versions)
    raw["chain_op_config"] = {
        "eip1559Elasticity": config.eip1559_elasticity,
        "eip1559Denominator": config.eip1559_denominator,
        "eip1559DenominatorCanyon": config.eip1559_denominator_canyon,
    }
    return raw


def _parse_forks(fields: JsonFields) -> tuple[int | None, int | None]:
    for name in _FORKS_AT_GENESIS:
        if fields.integer(name) != 0:
            raise ConfigError(f"{name}: expected 0, got {fields.raw(name)}")
    for name, reason in _UNSUPPORTED:
        if fields.has(name):
            raise ConfigError(f"{name}: expected no such field ({reason})")
    times = [fields.optional_integer(name) for name in ("isthmus_time", "jovian_time")]
    for name, time in zip(("isthmus_time", "jovian_time"), times, strict=True):
        if time not in (None, 0):
            raise ConfigError(
                f"{name}: expected 0 or nothing (a later activation needs upgrade transactions), "
                f"got {time}"
            )
    if times[1] is not None and times[0] is None:
        raise ConfigError("isthmus_time: expected 0 (Jovian comes after Isthmus), it is missing")
    return times[0], times[1]


def _parse_genesis(fields: JsonFields) -> RollupGenesis:
    l1, l2 = _parse_block(fields, "l1"), _parse_block(fields, "l2")
    if l1.hash == l2.hash:
        raise ConfigError("genesis.l2.hash: expected another hash than L1's")
    system = fields.raw("system_config")
    genesis = RollupGenesis(
        l1=l1,
        l2=l2,
        l2_time=fields.integer("l2_time", minimum=1),
        system_config=parse_system_config(system, fields.name("system_config")),
    )
    fields.refuse_unknown()
    return genesis


def _parse_block(fields: JsonFields, name: str) -> BlockRef:
    block = fields.object(name)
    ref = BlockRef(block.hash("hash"), BlockNumber(block.integer("number")))
    block.refuse_unknown()
    if ref.hash == ZERO_HASH:
        raise ConfigError(f"{block.name('hash')}: expected a block hash, got zero")
    return ref


def _non_zero_address(fields: JsonFields, name: str) -> Address:
    address = fields.address(name)
    if address == ZERO_ADDRESS:
        raise ConfigError(f"{name}: expected a contract or inbox address, got zero")
    return address


def _block_to_json(ref: BlockRef) -> dict[str, object]:
    return {"hash": "0x" + ref.hash.hex(), "number": ref.number}

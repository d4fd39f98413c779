"""The chain's parameters: the `config` object of a geth-format genesis file, checked and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from node.errors import ConfigError
from node.types.primitives import ZERO_ADDRESS, Address, hex_address

LANE_GAS_RANGE = range(4, 17)
DEFAULT_LANE_BLOCK_LIMIT = 1 << 20

_OLDER_FORKS = (
    "homesteadBlock",
    "eip150Block",
    "eip155Block",
    "eip158Block",
    "byzantiumBlock",
    "constantinopleBlock",
    "petersburgBlock",
    "istanbulBlock",
    "muirGlacierBlock",
    "berlinBlock",
    "londonBlock",
    "arrowGlacierBlock",
    "grayGlacierBlock",
    "mergeNetsplitBlock",
    "shanghaiTime",
)
_ROLLUP_FORKS = (
    "bedrockBlock",
    "regolithTime",
    "canyonTime",
    "ecotoneTime",
    "fjordTime",
    "graniteTime",
)


@dataclass(frozen=True, slots=True)
class BlobParameters:
    """How blob gas is priced (EIP-7840): target and maximum in blobs per block."""

    target: int
    maximum: int
    base_fee_update_fraction: int


CANCUN_BLOBS = BlobParameters(3, 6, 3338477)
PRAGUE_BLOBS = BlobParameters(6, 9, 5007716)


@dataclass(frozen=True, slots=True)
class AttributionConfig:
    """The receipt precompile and its lane. `calldata_gas` is gas per byte, limits are bytes."""

    time: int
    calldata_gas: int
    block_calldata_limit: int


@dataclass(frozen=True, slots=True)
class RollupRules:
    """What makes a chain a rollup. Times are seconds; None means never.

    `eip1559_denominator` is the one since Canyon. Forks up to Granite are active from genesis.
    """

    holocene_time: int
    isthmus_time: int | None
    jovian_time: int | None
    eip1559_elasticity: int
    eip1559_denominator: int


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """Everything that the state transition of one chain depends on besides its blocks.

    `rollup` is None on a chain under Ethereum rules; `attribution` is None where the receipt
    precompile never activates. `prague_time` follows `isthmus_time` on a rollup.
    """

    chain_id: int
    prague_time: int | None
    cancun_blobs: BlobParameters
    prague_blobs: BlobParameters
    deposit_contract: Address
    rollup: RollupRules | None
    attribution: AttributionConfig | None

    def is_prague(self, timestamp: int) -> bool:
        """Whether Prague (Isthmus on a rollup) is active at `timestamp`."""
        return _active(self.prague_time, timestamp)

    def is_jovian(self, timestamp: int) -> bool:
        """Whether Jovian is active at `timestamp`."""
        return self.rollup is not None and _active(self.rollup.jovian_time, timestamp)

    def is_attribution(self, timestamp: int) -> bool:
        """Whether the receipt precompile and its lane are active at `timestamp`."""
        return self.attribution is not None and timestamp >= self.attribution.time

    def blobs_at(self, timestamp: int) -> BlobParameters:
        """Return the blob schedule in force at `timestamp`."""
        return self.prague_blobs if self.is_prague(timestamp) else self.cancun_blobs


def _active(time: int | None, timestamp: int) -> bool:
    return time is not None and timestamp >= time


def parse_chain_config(raw: Mapping[str, Any]) -> ChainConfig:
    """Check the `config` object of a genesis file; ConfigError names the field that is wrong."""
    for name in _OLDER_FORKS:
        if raw.get(name, 0) != 0:
            raise ConfigError(
                f"config.{name}: expected 0 (older forks are not run), got {raw[name]}"
            )
    if _time(raw, "cancunTime") != 0:
        raise ConfigError("config.cancunTime: expected 0 (forks before Cancun are not run)")
    if raw.get("osakaTime") is not None:
        raise ConfigError("config.osakaTime: the last fork that this node runs is Prague")
    prague_time = _time(raw, "pragueTime")
    rollup = _parse_rollup(raw, prague_time) if "optimism" in raw else None
    schedule = raw.get("blobSchedule", {})
    if rollup is not None and schedule:
        raise ConfigError("config.blobSchedule: a rollup has no blobs, expected no such field")
    return ChainConfig(
        chain_id=_integer(raw, "chainId", minimum=1),
        prague_time=prague_time,
        cancun_blobs=_parse_blobs(schedule, "cancun", CANCUN_BLOBS),
        prague_blobs=_parse_blobs(schedule, "prague", PRAGUE_BLOBS),
        deposit_contract=_address(raw, "depositContractAddress"),
        rollup=rollup,
        attribution=_parse_attribution(raw, rollup),
    )


def _parse_rollup(raw: Mapping[str, Any], prague_time: int | None) -> RollupRules:
    for name in _ROLLUP_FORKS:
        if raw.get(name) != 0:
            raise ConfigError(f"config.{name}: expected 0, got {raw.get(name)}")
    isthmus_time = _time(raw, "isthmusTime")
    if isthmus_time != prague_time:
        raise ConfigError(
            f"config.isthmusTime: expected pragueTime ({prague_time}), got {isthmus_time}"
        )
    holocene_time = _time(raw, "holoceneTime")
    if holocene_time is None:
        raise ConfigError("config.holoceneTime: expected 0, it is missing")
    jovian_time = _time(raw, "jovianTime")
    if jovian_time not in (None, 0):
        raise ConfigError(
            "config.jovianTime: expected 0 or nothing (a later activation needs upgrade "
            f"transactions), got {jovian_time}"
        )
    optimism = raw["optimism"]
    if not isinstance(optimism, Mapping):
        raise ConfigError(f"config.optimism: expected an object, got {optimism!r}")
    return RollupRules(
        holocene_time=holocene_time,
        isthmus_time=isthmus_time,
        jovian_time=jovian_time,
        eip1559_elasticity=_integer(optimism, "eip1559Elasticity", minimum=1, maximum=2**32 - 1),
        eip1559_denominator=_integer(
            optimism, "eip1559DenominatorCanyon", minimum=1, maximum=2**32 - 1
        ),
    )


def _parse_attribution(
    raw: Mapping[str, Any], rollup: RollupRules | None
) -> AttributionConfig | None:
    time = _time(raw, "attributionTime")
    if time is None:
        return None
    if rollup is None:
        raise ConfigError("config.attributionTime: only a rollup has the receipt precompile")
    gas = _integer(raw, "attributionCalldataGas", default=LANE_GAS_RANGE.start)
    if gas not in LANE_GAS_RANGE:
        raise ConfigError(f"config.attributionCalldataGas: expected 4 to 16, got {gas}")
    limit = _integer(raw, "attributionCalldataLimit", default=DEFAULT_LANE_BLOCK_LIMIT, minimum=1)
    return AttributionConfig(time, gas, limit)


def _parse_blobs(schedule: Any, name: str, default: BlobParameters) -> BlobParameters:
    if not isinstance(schedule, Mapping):
        raise ConfigError(f"config.blobSchedule: expected an object, got {schedule!r}")
    entry = schedule.get(name)
    if entry is None:
        return default
    if not isinstance(entry, Mapping):
        raise ConfigError(f"config.blobSchedule.{name}: expected an object, got {entry!r}")
    return BlobParameters(
        target=_integer(entry, "target"),
        maximum=_integer(entry, "max"),
        base_fee_update_fraction=_integer(entry, "baseFeeUpdateFraction", minimum=1),
    )


def _time(raw: Mapping[str, Any], name: str) -> int | None:
    return None if raw.get(name) is None else _integer(raw, name)


def _integer(
    raw: Mapping[str, Any],
    name: str,
    *,
    default: int | None = None,
    minimum: int = 0,
    maximum: int = 2**64 - 1,
) -> int:
    value = raw.get(name, default)
    if value is None:
        raise ConfigError(f"config.{name}: expected an integer, it is missing")
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        raise ConfigError(f"config.{name}: expected an integer from {minimum}, got {value!r}")
    return value


def _address(raw: Mapping[str, Any], name: str) -> Address:
    value = raw.get(name)
    if value is None:
        return ZERO_ADDRESS
    try:
        return hex_address(value)
    except (ValueError, AttributeError) as error:
        raise ConfigError(f"config.{name}: expected an address, got {value!r}") from error

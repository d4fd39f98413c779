"""The chain's parameters: the `config` object of a geth-format genesis file, checked and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from node.errors import ConfigError
from node.types.primitives import ZERO_ADDRESS, Address, hex_address

LANE_GAS_RANGE = range(4, 17)
DEFAULT_LANE_BLOCK_LIMIT = 1 << 20

BLOCK_FORKS = (
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
)
"""geth's names of what begins at a block number: over before any chain that we can run."""

ROLLUP_FORKS = (
    "bedrockBlock",
    "regolithTime",
    "canyonTime",
    "ecotoneTime",
    "fjordTime",
    "graniteTime",
    "holoceneTime",
)
"""op-geth's names of what our rollups have from their first block on."""

_OLDER_FORKS = (*BLOCK_FORKS, "shanghaiTime")
_NEWER_FORKS = ("osakaTime", "amsterdamTime", "karstTime", "interopTime")


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

    `eip1559_denominator` is the one since Canyon. Forks up to Granite are active from genesis. In
    a chain of our own so is Holocene, and Isthmus and Jovian are 0 or None.
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
                f"config.{name}: expected 0 (older forks are not run), got {raw[name]!r}"
            )
    cancun_time = _time(raw, "cancunTime")
    if cancun_time != 0:
        raise ConfigError(
            "config.cancunTime: expected 0 (forks before Cancun are not run), "
            f"got {_or_nothing(cancun_time)}"
        )
    for name in _NEWER_FORKS:
        if raw.get(name) is not None:
            raise ConfigError(
                f"config.{name}: expected nothing (the last fork that this node runs is "
                f"{'Jovian' if 'optimism' in raw else 'Prague'}), got {raw[name]!r}"
            )
    prague_time = _time(raw, "pragueTime")
    rollup = _parse_rollup(raw, prague_time) if "optimism" in raw else None
    schedule = {} if raw.get("blobSchedule") is None else raw["blobSchedule"]
    if rollup is not None and schedule:
        raise ConfigError(
            f"config.blobSchedule: expected nothing (a rollup has no blobs), got {schedule!r}"
        )
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
    for name in ROLLUP_FORKS:
        if _integer(raw, name) != 0:
            raise ConfigError(f"config.{name}: expected 0, got {raw[name]!r}")
    isthmus_time = _fork_at_genesis(raw, "isthmusTime")
    if isthmus_time != prague_time:
        raise ConfigError(
            f"config.isthmusTime: expected pragueTime ({_or_nothing(prague_time)}), "
            f"got {_or_nothing(isthmus_time)}"
        )
    jovian_time = _fork_at_genesis(raw, "jovianTime")
    if jovian_time is not None and isthmus_time is None:
        raise ConfigError("config.jovianTime: expected nothing without isthmusTime, got 0")
    optimism = raw["optimism"]
    if not isinstance(optimism, Mapping):
        raise ConfigError(f"config.optimism: expected an object, got {optimism!r}")
    return RollupRules(
        holocene_time=0,
        isthmus_time=isthmus_time,
        jovian_time=jovian_time,
        eip1559_elasticity=_eip1559_parameter(optimism, "eip1559Elasticity"),
        eip1559_denominator=_eip1559_parameter(optimism, "eip1559DenominatorCanyon"),
    )


def _fork_at_genesis(raw: Mapping[str, Any], name: str) -> int | None:
    time = _time(raw, name)
    if time not in (None, 0):
        raise ConfigError(
            f"config.{name}: expected 0 or nothing (a later activation needs upgrade "
            f"transactions), got {time}"
        )
    return time


def _eip1559_parameter(optimism: Mapping[str, Any], name: str) -> int:
    # Headers carry both in four bytes each.
    return _integer(optimism, name, prefix="optimism.", minimum=1, maximum=2**32 - 1)


def _parse_attribution(
    raw: Mapping[str, Any], rollup: RollupRules | None
) -> AttributionConfig | None:
    time = _time(raw, "attributionTime")
    if time is None:
        return None
    if rollup is None:
        raise ConfigError(
            f"config.attributionTime: expected nothing (only a rollup has receipts), got {time}"
        )
    gas = _integer(
        raw,
        "attributionCalldataGas",
        default=LANE_GAS_RANGE.start,
        minimum=LANE_GAS_RANGE.start,
        maximum=LANE_GAS_RANGE.stop - 1,
    )
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
    prefix = f"blobSchedule.{name}."
    target = _integer(entry, "target", prefix=prefix)
    return BlobParameters(
        target=target,
        maximum=_integer(entry, "max", prefix=prefix, minimum=max(target, 1)),
        base_fee_update_fraction=_integer(entry, "baseFeeUpdateFraction", prefix=prefix, minimum=1),
    )


def _time(raw: Mapping[str, Any], name: str) -> int | None:
    return None if raw.get(name) is None else _integer(raw, name)


def _integer(
    raw: Mapping[str, Any],
    name: str,
    *,
    prefix: str = "",
    default: int | None = None,
    minimum: int = 0,
    maximum: int = 2**64 - 1,
) -> int:
    value = default if raw.get(name) is None else raw[name]
    if value is None:
        raise ConfigError(f"config.{prefix}{name}: expected an integer, it is missing")
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        raise ConfigError(
            f"config.{prefix}{name}: expected an integer from {minimum} to {maximum}, got {value!r}"
        )
    return value


def _address(raw: Mapping[str, Any], name: str) -> Address:
    value = raw.get(name)
    if value is None:
        return ZERO_ADDRESS
    try:
        return hex_address(value)
    except (ValueError, AttributeError, TypeError) as error:
        raise ConfigError(f"config.{name}: expected an address, got {value!r}") from error


def _or_nothing(time: int | None) -> str:
    return "nothing" if time is None else str(time)

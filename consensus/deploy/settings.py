"""What whoever starts a rollup chooses."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from node.config import AttributionConfig
from node.errors import ConfigError
from node.genesis.dev_chains import EIP1559_DENOMINATOR, EIP1559_ELASTICITY
from node.types.primitives import ZERO_ADDRESS, Address, checksum_address, keccak256

WEEK_S = 7 * 24 * 3600

_GAS_LIMITS = range(21_000_000, 500_000_001)


@dataclass(frozen=True, slots=True)
class DeploySettings:
    """The choices of whoever starts a rollup. Times are in seconds, scalars in millionths.

    `owner` may change the system config later, pause the portal, replace predeploys, and collects
    the fees. `proposer` may propose outputs, every `submission_interval` L2 blocks, and
    `challenger` delete one before it has been there for `finalization_period_s`: both are the owner
    by default. `open_supply` and `allocation` are in units of 10**-18 OPEN: who deploys gets the
    supply on L1, and locks as much of it as the L2 accounts of the allocation start with.
    `min_base_fee` (wei per gas) adds Jovian.
    """

    l2_chain_id: int
    owner: Address
    batcher: Address
    proposer: Address = field(default=ZERO_ADDRESS)
    challenger: Address = field(default=ZERO_ADDRESS)
    submission_interval: int = 1800
    finalization_period_s: int = WEEK_S
    open_supply: int = 1_000_000_000 * 10**18
    allocation: Mapping[Address, int] = field(default_factory=dict)
    block_time: int = 2
    seq_window_size: int = 3600
    gas_limit: int = 30_000_000
    base_fee_scalar: int = 1368
    blob_base_fee_scalar: int = 810949
    eip1559_denominator: int = EIP1559_DENOMINATOR
    eip1559_elasticity: int = EIP1559_ELASTICITY
    min_base_fee: int | None = None
    attribution: AttributionConfig | None = None
    batch_inbox: Address = field(default=ZERO_ADDRESS)

    def __post_init__(self) -> None:
        defaults = {
            "batch_inbox": default_batch_inbox(self.l2_chain_id),
            "proposer": self.owner,
            "challenger": self.owner,
        }
        for name, default in defaults.items():
            if getattr(self, name) == ZERO_ADDRESS:
                object.__setattr__(self, name, default)
        if self.gas_limit not in _GAS_LIMITS:
            raise ConfigError(
                f"gas_limit: expected {_GAS_LIMITS.start} to {_GAS_LIMITS.stop - 1} "
                f"(what SystemConfig accepts), got {self.gas_limit}"
            )
        if self.locked > self.open_supply:
            raise ConfigError(
                f"allocation: expected no more than the supply, {self.open_supply} units of "
                f"10**-18 OPEN, got {self.locked}"
            )

    @property
    def locked(self) -> int:
        """What backs the allocation on L1, in units of 10**-18 OPEN."""
        return sum(self.allocation.values())


def default_batch_inbox(l2_chain_id: int) -> Address:
    """Return the inbox that op-deployer would choose: zero, then 19 bytes of a hash of the id."""
    return Address(b"\x00" + keccak256(l2_chain_id.to_bytes(32, "big"))[:19])


def settings_to_json(settings: DeploySettings) -> dict[str, Any]:
    """Return the settings as they are written down, to be compared with later ones."""
    return {item.name: _to_json(getattr(settings, item.name)) for item in fields(settings)}


def _to_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return checksum_address(Address(value))
    if isinstance(value, AttributionConfig):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    if isinstance(value, Mapping):
        return {checksum_address(address): str(amount) for address, amount in value.items()}
    # Amounts of OPEN are wider than the numbers of most JSON readers.
    return value if value is None or value < 1 << 53 else str(value)

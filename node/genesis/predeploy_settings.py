"""What the predeploys of a rollup must know of its L1 and of its operator."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from node.types.primitives import ZERO_ADDRESS, Address

MIN_WITHDRAWAL_AMOUNT = 10 * 10**18
DAY_S = 24 * 60 * 60


class WithdrawalNetwork(IntEnum):
    """Where a fee vault pays to; the numbers are those of the OP Stack's contracts."""

    L1 = 0
    L2 = 1


@dataclass(frozen=True, slots=True)
class FeeVaultSettings:
    """Who gets what a fee vault has collected, where, and from how much on (in wei)."""

    recipient: Address
    withdrawal_network: WithdrawalNetwork = WithdrawalNetwork.L2
    min_withdrawal_amount: int = MIN_WITHDRAWAL_AMOUNT


@dataclass(frozen=True, slots=True)
class EscrowSettings:
    """When payers get back what they escrowed at the AttributionHub.

    `withdrawal_delay_s` after they have asked, and then for `withdrawal_window_s`: the delay is the
    time that is left to settle what they have signed.
    """

    withdrawal_delay_s: int = 7 * DAY_S
    withdrawal_window_s: int = DAY_S


@dataclass(frozen=True, slots=True)
class PredeploySettings:
    """Values that genesis writes into the storage of predeploys.

    `l1_cross_domain_messenger` and `l1_standard_bridge` are contracts on L1: zero where a rollup
    has no bridge. `proxy_admin_owner` may replace the code behind every proxy.
    """

    proxy_admin_owner: Address
    sequencer_fee_vault: FeeVaultSettings
    base_fee_vault: FeeVaultSettings
    l1_fee_vault: FeeVaultSettings
    operator_fee_vault: FeeVaultSettings
    l1_cross_domain_messenger: Address = ZERO_ADDRESS
    l1_standard_bridge: Address = ZERO_ADDRESS
    escrow: EscrowSettings = EscrowSettings()

    @classmethod
    def owned_by(
        cls,
        owner: Address,
        *,
        l1_cross_domain_messenger: Address = ZERO_ADDRESS,
        l1_standard_bridge: Address = ZERO_ADDRESS,
    ) -> Self:
        """Return the settings of a rollup whose owner collects all of its fees, on L2.

        On L2 a withdrawal is a transfer, paid in the block that asks for it. To L1 it takes a proof
        and the finalization period, and whoever finalizes it pays L1 gas.
        """
        vault = FeeVaultSettings(owner)
        return cls(
            proxy_admin_owner=owner,
            sequencer_fee_vault=vault,
            base_fee_vault=vault,
            l1_fee_vault=vault,
            operator_fee_vault=vault,
            l1_cross_domain_messenger=l1_cross_domain_messenger,
            l1_standard_bridge=l1_standard_bridge,
        )

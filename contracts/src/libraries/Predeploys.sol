// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Predeploys
/// @notice Where the rollup's own contracts are on L2, from its first block on.
library Predeploys {
    /// @notice Wrapped OPEN.
    address internal constant WETH = 0x4200000000000000000000000000000000000006;

    /// @notice Sends messages to L1 and relays those that come from there.
    address internal constant L2_CROSS_DOMAIN_MESSENGER = 0x4200000000000000000000000000000000000007;

    /// @notice Takes tokens to L1 and back.
    address internal constant L2_STANDARD_BRIDGE = 0x4200000000000000000000000000000000000010;

    /// @notice What L2 knows about its L1 origin.
    address internal constant L1_BLOCK = 0x4200000000000000000000000000000000000015;

    /// @notice Records what L1 may prove: withdrawals of OPEN and messages.
    address payable internal constant L2_TO_L1_MESSAGE_PASSER =
        payable(0x4200000000000000000000000000000000000016);

    /// @notice May replace the code behind the proxies of all the others.
    address internal constant PROXY_ADMIN = 0x4200000000000000000000000000000000000018;
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Predeploys} from "../libraries/Predeploys.sol";
import {CrossDomainMessenger} from "../universal/CrossDomainMessenger.sol";
import {IOptimismPortal} from "./IOptimismPortal.sol";

/// @title L1CrossDomainMessenger
/// @notice Sends messages to L2 as deposits and relays those that L2 has proven as withdrawals.
contract L1CrossDomainMessenger is CrossDomainMessenger {
    /// @notice What carries messages to L2, and brings those from there.
    IOptimismPortal public immutable portal;

    /// @param portal_ The rollup's portal.
    constructor(IOptimismPortal portal_) {
        portal = portal_;
    }

    /// @notice The same under its older name.
    function PORTAL() external view returns (IOptimismPortal) {
        return portal;
    }

    /// @inheritdoc CrossDomainMessenger
    function otherMessenger() public pure override returns (address) {
        return Predeploys.L2_CROSS_DOMAIN_MESSENGER;
    }

    /// @inheritdoc CrossDomainMessenger
    function paused() public view override returns (bool) {
        return portal.paused();
    }

    function _send(uint64 gasLimit, bytes memory data) internal override {
        portal.depositTransaction(Predeploys.L2_CROSS_DOMAIN_MESSENGER, 0, gasLimit, false, data);
    }

    function _isOtherMessenger() internal view override returns (bool) {
        return msg.sender == address(portal) && portal.l2Sender() == Predeploys.L2_CROSS_DOMAIN_MESSENGER;
    }

    /// @dev A deposit by the messenger speaks in its name on L2.
    function _isUnsafeTarget(address target) internal view override returns (bool) {
        return target == address(this) || target == address(portal);
    }

    function _openGate() internal view override returns (address) {
        return address(portal);
    }
}

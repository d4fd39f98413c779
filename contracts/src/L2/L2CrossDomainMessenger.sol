// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AddressAlias} from "../libraries/AddressAlias.sol";
import {Predeploys} from "../libraries/Predeploys.sol";
import {CrossDomainMessenger} from "../universal/CrossDomainMessenger.sol";
import {L2ToL1MessagePasser} from "./L2ToL1MessagePasser.sol";

/// @title L2CrossDomainMessenger
/// @notice Sends messages to L1 as withdrawals and relays those that L1 has deposited. Genesis
///         writes where the messenger on L1 is.
contract L2CrossDomainMessenger is CrossDomainMessenger {
    /// @dev The messenger on L1.
    address internal l1Messenger;

    /// @notice The rollup has no messenger on L1.
    error NoMessengerOnL1();

    /// @notice The messenger on L1, under its older name.
    function l1CrossDomainMessenger() external view returns (address) {
        return l1Messenger;
    }

    /// @inheritdoc CrossDomainMessenger
    function otherMessenger() public view override returns (address) {
        return l1Messenger;
    }

    /// @inheritdoc CrossDomainMessenger
    function paused() public pure override returns (bool) {
        return false;
    }

    function _send(uint64 gasLimit, bytes memory data) internal override {
        address target = l1Messenger;
        if (target == address(0)) revert NoMessengerOnL1();
        L2ToL1MessagePasser(Predeploys.L2_TO_L1_MESSAGE_PASSER).initiateWithdrawal(target, gasLimit, data);
    }

    /// @dev A contract's deposit comes from its alias.
    function _isOtherMessenger() internal view override returns (bool) {
        return msg.sender == AddressAlias.fromL1Contract(l1Messenger);
    }

    /// @dev A withdrawal by the messenger speaks in its name on L1.
    function _isUnsafeTarget(address target) internal view override returns (bool) {
        return target == address(this) || target == Predeploys.L2_TO_L1_MESSAGE_PASSER;
    }

    function _openGate() internal pure override returns (address) {
        return Predeploys.L2_TO_L1_MESSAGE_PASSER;
    }
}

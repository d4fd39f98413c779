// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CrossDomainMessenger} from "../universal/CrossDomainMessenger.sol";

/// @title MessageTarget
/// @notice Takes messages and says who sent them; refuses, wastes gas or calls back when told to.
contract MessageTarget {
    /// @notice Messages received.
    uint256 public count;

    /// @notice Whether messages are refused.
    bool public isRefusing;

    /// @notice Outcome of the last `callBack`.
    bool public hasCalledBack;

    /// @notice What the last `callBack` has returned or reverted with.
    bytes public answer;

    /// @notice A message has come.
    event Received(address indexed messenger, address indexed sender, bytes data);

    /// @notice Messages are refused for now.
    error Refused();

    function setRefusing(bool isRefusing_) external {
        isRefusing = isRefusing_;
    }

    function receiveMessage(bytes calldata data) external {
        if (isRefusing) revert Refused();
        ++count;
        emit Received(msg.sender, CrossDomainMessenger(msg.sender).xDomainMessageSender(), data);
    }

    /// @notice Calls `to` in the middle of a message and keeps what came out.
    function callBack(address to, bytes calldata data) external {
        if (isRefusing) revert Refused();
        (hasCalledBack, answer) = to.call(data);
        ++count;
    }

    /// @notice Uses up all gas.
    function exhaust() external pure {
        assembly ("memory-safe") {
            invalid()
        }
    }

    /// @notice Reverts with `length` bytes.
    function bomb(uint256 length) external pure {
        assembly ("memory-safe") {
            revert(0, length)
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Payee
/// @notice An account with code: it makes the calls that it is told to, and when it is paid it makes
///         one that was prepared, or refuses.
contract Payee {
    /// @notice Whether payments are refused.
    bool public refuses;

    /// @notice How many payments came.
    uint256 public payments;

    /// @notice Whether the last prepared call has succeeded.
    bool public success;

    /// @notice What it has returned.
    bytes public result;

    address private _callee;
    bytes private _data;

    /// @notice A payment came while payments are refused.
    error Refused();

    receive() external payable {
        if (refuses) revert Refused();
        ++payments;
        if (_callee == address(0)) return;
        (success, result) = _callee.call(_data);
    }

    function setRefuses(bool refuses_) external {
        refuses = refuses_;
    }

    /// @notice Prepares what is called during the next payments.
    function prepare(address callee, bytes calldata data) external {
        (_callee, _data) = (callee, data);
    }

    /// @notice Calls, and passes on a revert.
    function run(address target, bytes calldata data) external payable {
        (bool isDone, bytes memory answer) = target.call{value: msg.value}(data);
        if (isDone) return;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {OptimismPortal} from "../L1/OptimismPortal.sol";

/// @title WithdrawalTarget
/// @notice What a withdrawal may call: it notes what it sees of the portal, makes a call that was
///         prepared, or fails in each way in which a callee can.
contract WithdrawalTarget {
    /// @notice Gas at the beginning of the last `note`.
    uint256 public gasGiven;

    /// @notice The portal's L2 sender during the last `note`.
    address public l2Sender;

    /// @notice OPEN held here during the last `note`.
    uint256 public tokens;

    /// @notice Whether the prepared call has succeeded.
    bool public success;

    /// @notice What the prepared call has returned.
    bytes public result;

    address private _callee;
    bytes private _data;

    /// @notice What `fail` ends with, and `callAll` if one of them does.
    error Failed();

    function prepare(address callee, bytes calldata data) external {
        (_callee, _data) = (callee, data);
    }

    function note(OptimismPortal portal) external {
        gasGiven = gasleft();
        l2Sender = portal.l2Sender();
        tokens = portal.openToken().balanceOf(address(this));
    }

    function callPrepared() external {
        (success, result) = _callee.call(_data);
    }

    /// @notice Calls one after the other in one transaction; all have to succeed.
    function callAll(address callee, bytes[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool done, ) = callee.call(calls[i]);
            if (!done) revert Failed();
        }
    }

    function fail() external pure {
        revert Failed();
    }

    /// @notice Uses up all gas.
    function burn() external pure {
        assembly ("memory-safe") {
            invalid()
        }
    }

    /// @notice Returns so much that copying it would cost the caller dearly.
    function flood() external pure {
        assembly ("memory-safe") {
            return(0, 300000)
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Caller
/// @notice Forwards calldata to a target with each kind of call and reports the outcome instead
///         of reverting.
contract Caller {
    /// @notice What callThenRevert always ends with.
    error Undone(bool success, bytes result);

    receive() external payable {}

    function call(address target, bytes calldata data) external payable returns (bool success, bytes memory result) {
        return target.call{value: msg.value}(data);
    }

    function staticCall(address target, bytes calldata data) external view returns (bool success, bytes memory result) {
        return target.staticcall(data);
    }

    function delegateCall(address target, bytes calldata data) external payable returns (bool success, bytes memory result) {
        return target.delegatecall(data);
    }

    /// @notice CALLCODE, which the language no longer offers.
    function callCode(address target, bytes calldata data) external payable returns (bool success, bytes memory result) {
        bytes memory input = data;
        assembly ("memory-safe") {
            success := callcode(gas(), target, callvalue(), add(input, 32), mload(input), 0, 0)
            result := mload(0x40)
            mstore(result, returndatasize())
            returndatacopy(add(result, 32), 0, returndatasize())
            // Keep the free pointer a multiple of a word.
            mstore(0x40, and(add(add(result, returndatasize()), 63), not(31)))
        }
    }

    /// @notice Calls and then undoes whatever the call has done.
    function callThenRevert(address target, bytes calldata data) external payable {
        (bool success, bytes memory result) = target.call{value: msg.value}(data);
        revert Undone(success, result);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Greeter
/// @notice Reads, writes, logs and the two ways to revert with a reason.
contract Greeter {
    string private _greeting;

    /// @notice Somebody has changed the greeting.
    event GreetingChanged(address indexed by, string greeting);

    /// @notice What failCustom reverts with.
    error GreetingRefused(address by, uint256 code);

    constructor(string memory greeting) {
        _greeting = greeting;
    }

    function setGreeting(string calldata greeting) external {
        _greeting = greeting;
        emit GreetingChanged(msg.sender, greeting);
    }

    function greet() external view returns (string memory) {
        return _greeting;
    }

    /// @notice Reverts with `reason` as the standard Error(string).
    function fail(string calldata reason) external pure {
        revert(reason);
    }

    /// @notice Reverts with GreetingRefused.
    function failCustom(uint256 code) external view {
        revert GreetingRefused(msg.sender, code);
    }
}

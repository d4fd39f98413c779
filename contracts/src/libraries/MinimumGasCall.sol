// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title MinimumGasCall
/// @notice Calls that either get a promised amount of gas or do not happen: a relayer must not be
///         able to make a message fail by bringing too little.
library MinimumGasCall {
    /// @dev More than a call costs before its target runs: 2,600 for an account not touched yet,
    ///      the same again for one that it delegates to (EIP-7702), and the instructions between
    ///      the check and the call.
    uint256 internal constant CALL_OVERHEAD = 6_000;

    /// @notice Calls `target` without value. What it returns is not copied: it may be long on
    ///         purpose.
    /// @param minGas   Gas that the target gets at least; it gets all that is there.
    /// @param reserved Gas that is kept for the caller, less what the call itself costs.
    /// @return success False if the target has failed, or if there is too little gas to call it.
    function tryCall(
        address target,
        uint256 minGas,
        uint256 reserved,
        bytes memory data
    ) internal returns (bool success) {
        // A call passes on 63/64 of the gas that is left (EIP-150).
        if (gasleft() * 63 < minGas * 64 + (CALL_OVERHEAD + reserved) * 63) return false;
        assembly ("memory-safe") {
            success := call(sub(gas(), reserved), target, 0, add(data, 32), mload(data), 0, 0)
        }
    }
}

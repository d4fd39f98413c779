// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title GuaranteedCall
/// @notice Calls that either give the callee the gas that it was promised or do not happen: whoever
///         relays a message cannot make it fail by bringing too little.
library GuaranteedCall {
    /// @dev More than a call costs before its callee runs: 2,600 for an account not touched yet,
    ///      the same again for one that it delegates to (EIP-7702), and the instructions between
    ///      the check and the call.
    uint256 private constant CALL_OVERHEAD = 6_000;

    /// @notice Calls without value. What the callee returns is not copied, so that its length costs
    ///         nothing here.
    /// @param minGas   Gas that the callee gets at least; it gets all that is there.
    /// @param reserved Gas that is kept for the caller, less what the call itself costs.
    /// @return isMade  False if there is too little gas: then nothing was called.
    /// @return success False if the callee has reverted, or was not called.
    function tryCall(
        address target,
        uint256 minGas,
        uint256 reserved,
        bytes memory data
    ) internal returns (bool isMade, bool success) {
        if (gasleft() < CALL_OVERHEAD + reserved || available(reserved) < minGas) return (false, false);
        isMade = true;
        assembly ("memory-safe") {
            success := call(sub(gas(), reserved), target, 0, add(data, 32), mload(data), 0, 0)
        }
    }

    /// @notice Gas that a call made now would give its callee at least.
    /// @param reserved Gas that is kept for the caller.
    function available(uint256 reserved) internal view returns (uint256) {
        uint256 left = gasleft();
        uint256 kept = CALL_OVERHEAD + reserved;
        // A call passes on at most 63 of 64 parts (EIP-150).
        return left < kept ? 0 : ((left - kept) * 63) / 64;
    }
}

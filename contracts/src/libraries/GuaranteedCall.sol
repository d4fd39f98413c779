// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title GuaranteedCall
/// @notice Calls that begin only if the callee gets at least the gas that it was promised: whoever
///         relays a message cannot make it fail by bringing too little.
library GuaranteedCall {
    /// @dev What the call itself costs at most, an account with a cold delegation included, and
    ///      KEPT_GAS.
    uint256 private constant OVERHEAD = 40_000;

    /// @dev What the caller keeps to finish, whatever the callee uses up.
    uint256 private constant KEPT_GAS = 20_000;

    /// @notice There is less gas than the callee was promised.
    /// @param available What it could be given.
    /// @param promised  What it has to be given.
    error NotEnoughGas(uint256 available, uint256 promised);

    /// @notice Calls without value, with all gas but what is needed to finish. What the callee
    ///         returns is not looked at, so that its length costs nothing here.
    /// @param target  The callee.
    /// @param minGas  Gas that it has to be given.
    /// @param data    Calldata.
    /// @return success False if the callee has reverted.
    function callWithGas(address target, uint256 minGas, bytes memory data) internal returns (bool success) {
        uint256 left = gasleft();
        // A call passes on at most 63 of 64 parts (EIP-150).
        uint256 available = left < OVERHEAD ? 0 : ((left - OVERHEAD) * 63) / 64;
        if (left < OVERHEAD || available < minGas) revert NotEnoughGas(available, minGas);
        assembly ("memory-safe") {
            success := call(sub(gas(), KEPT_GAS), target, 0, add(data, 32), mload(data), 0, 0)
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FastLZ} from "../libraries/FastLZ.sol";
import {TransactionShape} from "../libraries/TransactionShape.sol";

/// @title Probe
/// @notice Shows what libraries answer.
contract Probe {
    /// @notice See FastLZ.
    function compressedLength(bytes calldata data) external pure returns (uint256) {
        return FastLZ.compressedLength(data);
    }

    /// @notice See TransactionShape.
    function isSigned(bytes calldata encoded) external pure returns (bool) {
        return TransactionShape.isSigned(encoded);
    }
}

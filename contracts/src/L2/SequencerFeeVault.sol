// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FeeVault} from "./FeeVault.sol";

/// @title SequencerFeeVault
/// @notice Collects what transactions pay as priority fee: it is the coinbase of each block.
contract SequencerFeeVault is FeeVault {
    /// @notice The recipient, by the oldest of its names.
    function l1FeeWallet() external view returns (address) {
        return recipient;
    }
}

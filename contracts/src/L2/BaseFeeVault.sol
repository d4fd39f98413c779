// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FeeVault} from "./FeeVault.sol";

/// @title BaseFeeVault
/// @notice Collects what transactions pay as base fee.
contract BaseFeeVault is FeeVault {}

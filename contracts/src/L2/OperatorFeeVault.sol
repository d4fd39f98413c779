// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FeeVault} from "./FeeVault.sol";

/// @title OperatorFeeVault
/// @notice Collects what transactions pay to the operator.
contract OperatorFeeVault is FeeVault {}

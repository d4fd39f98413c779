// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FeeVault} from "./FeeVault.sol";

/// @title L1FeeVault
/// @notice Collects what transactions pay for their place on L1.
contract L1FeeVault is FeeVault {}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title OpenToken
/// @notice OPEN on L1: 18 decimals and a fixed supply. Locked in the portal, it is the rollup's
///         native coin.
contract OpenToken is ERC20, ERC20Permit {
    /// @param initialHolder Receives the whole supply.
    /// @param initialSupply Supply in units of 10**-18 OPEN.
    constructor(address initialHolder, uint256 initialSupply) ERC20("OPEN", "OPEN") ERC20Permit("OPEN") {
        _mint(initialHolder, initialSupply);
    }
}

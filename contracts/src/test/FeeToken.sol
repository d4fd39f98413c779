// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title FeeToken
/// @notice A token that the portal must refuse: it burns one unit of each transfer, and has as
///         many decimals as its deployer likes.
contract FeeToken is ERC20 {
    uint8 private immutable _decimals;

    constructor(uint8 decimals_, uint256 supply) ERC20("Fee", "FEE") {
        _decimals = decimals_;
        _mint(msg.sender, supply);
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    function _update(address from, address to, uint256 amount) internal override {
        bool isTransfer = from != address(0) && to != address(0) && amount > 0;
        super._update(from, to, isTransfer ? amount - 1 : amount);
        if (isTransfer) super._update(from, address(0), 1);
    }
}

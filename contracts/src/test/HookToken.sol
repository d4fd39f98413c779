// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title HookToken
/// @notice A token that asks a holder with code before it moves its balance.
contract HookToken is ERC20 {
    constructor(uint256 supply) ERC20("Hook", "HOOK") {
        _mint(msg.sender, supply);
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (from.code.length != 0 && to.code.length != 0) HookHolder(from).beforeTransfer();
        super._update(from, to, amount);
    }
}

/// @title HookHolder
/// @notice What a holder is asked.
interface HookHolder {
    function beforeTransfer() external;
}

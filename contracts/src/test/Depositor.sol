// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {OptimismPortal} from "../L1/OptimismPortal.sol";

/// @title Depositor
/// @notice Deposits as a contract, whose address is therefore aliased on L2.
contract Depositor {
    function deposit(
        OptimismPortal portal,
        address to,
        uint256 value,
        uint64 gasLimit,
        bool isCreation,
        bytes calldata data
    ) external payable {
        portal.depositTransaction{value: msg.value}(to, value, gasLimit, isCreation, data);
    }

    /// @notice Deposits OPEN that this contract holds.
    function depositERC20(
        OptimismPortal portal,
        address to,
        uint256 mint,
        uint256 value,
        uint64 gasLimit,
        bool isCreation,
        bytes calldata data
    ) external {
        IERC20 token = portal.openToken();
        token.approve(address(portal), mint);
        portal.depositERC20Transaction(to, mint, value, gasLimit, isCreation, data);
    }
}

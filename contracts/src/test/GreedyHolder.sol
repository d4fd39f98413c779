// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {StandardBridge} from "../universal/StandardBridge.sol";
import {HookHolder} from "./HookToken.sol";

/// @title GreedyHolder
/// @notice Bridges a HookToken, and once more from inside of the transfer, so that a bridge which
///         looks at its balance would count the inner amount twice.
contract GreedyHolder is HookHolder {
    StandardBridge private immutable _bridge;
    IERC20 private immutable _token;
    uint256 private _inner;

    constructor(StandardBridge bridge_, IERC20 token_) {
        _bridge = bridge_;
        _token = token_;
    }

    /// @notice Bridges `outer` and, during its transfer, `inner`, if that is not zero.
    function bridge(address remoteToken, uint256 outer, uint256 inner) external {
        _inner = inner;
        _token.approve(address(_bridge), type(uint256).max);
        _bridge.bridgeERC20To(address(_token), remoteToken, msg.sender, outer, 200_000, "");
    }

    function beforeTransfer() external override {
        uint256 inner = _inner;
        if (inner == 0) return;
        _inner = 0;
        _bridge.bridgeERC20To(address(_token), address(1), address(this), inner, 200_000, "");
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Predeploys} from "../libraries/Predeploys.sol";
import {CrossDomainMessenger} from "../universal/CrossDomainMessenger.sol";
import {StandardBridge} from "../universal/StandardBridge.sol";
import {IOptimismPortal} from "./IOptimismPortal.sol";
import {L1CrossDomainMessenger} from "./L1CrossDomainMessenger.sol";

/// @title L1StandardBridge
/// @notice Takes ERC-20 tokens other than OPEN from L1 to L2 and back.
contract L1StandardBridge is StandardBridge {
    L1CrossDomainMessenger private immutable _messenger;

    /// @notice The portal, by way of which OPEN crosses.
    IOptimismPortal public immutable portal;

    /// @dev OPEN, which is not bridged as a token.
    address private immutable _openToken;

    /// @notice Tokens are on their way to L2. Comes with ERC20BridgeInitiated.
    event ERC20DepositInitiated(
        address indexed l1Token,
        address indexed l2Token,
        address indexed from,
        address to,
        uint256 amount,
        bytes extraData
    );

    /// @notice Tokens have come from L2. Comes with ERC20BridgeFinalized.
    event ERC20WithdrawalFinalized(
        address indexed l1Token,
        address indexed l2Token,
        address indexed from,
        address to,
        uint256 amount,
        bytes extraData
    );

    /// @param messenger_ L1's messenger.
    constructor(L1CrossDomainMessenger messenger_) {
        _messenger = messenger_;
        portal = messenger_.portal();
        _openToken = portal.openToken();
    }

    /// @notice Refuses ether.
    function depositETH(uint32, bytes calldata) external payable {
        revert EtherNotBridged(address(portal));
    }

    /// @notice Refuses ether.
    function depositETHTo(address, uint32, bytes calldata) external payable {
        revert EtherNotBridged(address(portal));
    }

    /// @notice bridgeERC20 under its older name.
    function depositERC20(
        address _l1Token,
        address _l2Token,
        uint256 _amount,
        uint32 _minGasLimit,
        bytes calldata _extraData
    ) external onlyAccountWithKey {
        _initiate(_l1Token, _l2Token, msg.sender, _amount, _minGasLimit, _extraData);
    }

    /// @notice bridgeERC20To under its older name.
    function depositERC20To(
        address _l1Token,
        address _l2Token,
        address _to,
        uint256 _amount,
        uint32 _minGasLimit,
        bytes calldata _extraData
    ) external {
        _initiate(_l1Token, _l2Token, _to, _amount, _minGasLimit, _extraData);
    }

    /// @notice The bridge on L2, under its older name.
    function l2TokenBridge() external pure returns (address) {
        return Predeploys.L2_STANDARD_BRIDGE;
    }

    /// @inheritdoc StandardBridge
    function messenger() public view override returns (CrossDomainMessenger) {
        return _messenger;
    }

    /// @inheritdoc StandardBridge
    function otherBridge() public pure override returns (address) {
        return Predeploys.L2_STANDARD_BRIDGE;
    }

    /// @inheritdoc StandardBridge
    function paused() public view override returns (bool) {
        return portal.paused();
    }

    function _emitInitiated(
        address localToken,
        address remoteToken,
        address from,
        address to,
        uint256 amount,
        bytes calldata extraData
    ) internal override {
        emit ERC20DepositInitiated(localToken, remoteToken, from, to, amount, extraData);
        super._emitInitiated(localToken, remoteToken, from, to, amount, extraData);
    }

    function _emitFinalized(
        address localToken,
        address remoteToken,
        address from,
        address to,
        uint256 amount,
        bytes calldata extraData
    ) internal override {
        emit ERC20WithdrawalFinalized(localToken, remoteToken, from, to, amount, extraData);
        super._emitFinalized(localToken, remoteToken, from, to, amount, extraData);
    }

    function _isOpen(address localToken) internal view override returns (bool) {
        return localToken == _openToken;
    }

    function _openGate() internal view override returns (address) {
        return address(portal);
    }
}

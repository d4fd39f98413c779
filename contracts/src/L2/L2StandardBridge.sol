// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Predeploys} from "../libraries/Predeploys.sol";
import {CrossDomainMessenger} from "../universal/CrossDomainMessenger.sol";
import {IOptimismMintableERC20} from "../universal/IOptimismMintableERC20.sol";
import {StandardBridge} from "../universal/StandardBridge.sol";

/// @title L2StandardBridge
/// @notice Takes ERC-20 tokens other than wrapped OPEN from L2 to L1 and back. Genesis writes where
///         the bridge on L1 is.
contract L2StandardBridge is StandardBridge {
    /// @dev What tools name to `withdraw` where they mean the chain's coin.
    address private constant LEGACY_ETHER = 0xDeadDeAddeAddEAddeadDEaDDEAdDeaDDeAD0000;

    /// @dev The bridge on L1.
    address internal l1Bridge;

    /// @notice Tokens are on their way to L1. Comes with ERC20BridgeInitiated.
    event WithdrawalInitiated(
        address indexed l1Token,
        address indexed l2Token,
        address indexed from,
        address to,
        uint256 amount,
        bytes extraData
    );

    /// @notice Tokens have come from L1. Comes with ERC20BridgeFinalized.
    event DepositFinalized(
        address indexed l1Token,
        address indexed l2Token,
        address indexed from,
        address to,
        uint256 amount,
        bytes extraData
    );

    /// @notice Takes tokens that stand for those of L1 back there, to the caller's own address.
    ///         Payable only to refuse the chain's coin by name.
    /// @param _l2Token     A token that knows its counterpart on L1.
    /// @param _amount      In the token's smallest unit.
    /// @param _minGasLimit Least gas on L1.
    /// @param _extraData   Anything; both events repeat it.
    function withdraw(
        address _l2Token,
        uint256 _amount,
        uint32 _minGasLimit,
        bytes calldata _extraData
    ) external payable onlyAccountWithKey {
        _withdraw(_l2Token, msg.sender, _amount, _minGasLimit, _extraData);
    }

    /// @notice Takes tokens that stand for those of L1 back there, to `_to`. Payable only to refuse
    ///         the chain's coin by name.
    /// @param _l2Token     A token that knows its counterpart on L1.
    /// @param _to          Who gets them.
    /// @param _amount      In the token's smallest unit.
    /// @param _minGasLimit Least gas on L1.
    /// @param _extraData   Anything; both events repeat it.
    function withdrawTo(
        address _l2Token,
        address _to,
        uint256 _amount,
        uint32 _minGasLimit,
        bytes calldata _extraData
    ) external payable {
        _withdraw(_l2Token, _to, _amount, _minGasLimit, _extraData);
    }

    /// @notice The bridge on L1, under its older name.
    function l1TokenBridge() external view returns (address) {
        return l1Bridge;
    }

    /// @inheritdoc StandardBridge
    function messenger() public pure override returns (CrossDomainMessenger) {
        return CrossDomainMessenger(Predeploys.L2_CROSS_DOMAIN_MESSENGER);
    }

    /// @inheritdoc StandardBridge
    function otherBridge() public view override returns (address) {
        return l1Bridge;
    }

    /// @inheritdoc StandardBridge
    function paused() public pure override returns (bool) {
        return false;
    }

    function _emitInitiated(
        address localToken,
        address remoteToken,
        address from,
        address to,
        uint256 amount,
        bytes calldata extraData
    ) internal override {
        emit WithdrawalInitiated(remoteToken, localToken, from, to, amount, extraData);
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
        emit DepositFinalized(remoteToken, localToken, from, to, amount, extraData);
        super._emitFinalized(localToken, remoteToken, from, to, amount, extraData);
    }

    function _isOpen(address localToken) internal pure override returns (bool) {
        return localToken == Predeploys.WETH;
    }

    function _openGate() internal pure override returns (address) {
        return Predeploys.L2_TO_L1_MESSAGE_PASSER;
    }

    function _withdraw(
        address l2Token,
        address to,
        uint256 amount,
        uint32 minGasLimit,
        bytes calldata extraData
    ) private {
        if (msg.value != 0 || l2Token == LEGACY_ETHER) revert EtherNotBridged(_openGate());
        if (_isOpen(l2Token)) revert OpenNotBridged(_openGate());
        address l1Token = IOptimismMintableERC20(l2Token).remoteToken();
        _initiate(l2Token, l1Token, to, amount, minGasLimit, extraData);
    }
}

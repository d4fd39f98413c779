// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Predeploys} from "../libraries/Predeploys.sol";
import {L2ToL1MessagePasser} from "./L2ToL1MessagePasser.sol";
import {ProxyAdmin} from "./ProxyAdmin.sol";

/// @title FeeVault
/// @notice Collects one kind of fee. Anybody may have it paid out to the recipient, once enough is
///         there. Genesis writes the settings; the owner of the ProxyAdmin may change them.
abstract contract FeeVault {
    /// @notice Where the recipient is.
    enum WithdrawalNetwork {
        L1,
        L2
    }

    /// @notice Semantic version of this contract.
    string public constant version = "1.0.0";

    /// @dev L1 gas limit of a withdrawal to L1.
    uint256 private constant WITHDRAWAL_GAS_LIMIT = 400_000;

    /// @notice OPEN that has been paid out, in wei.
    uint256 public totalProcessed;

    /// @notice OPEN that has to be here for a withdrawal, in wei.
    uint256 public minWithdrawalAmount;

    /// @notice Who gets the fees.
    address public recipient;

    /// @notice Where the recipient is.
    WithdrawalNetwork public withdrawalNetwork;

    /// @notice Fees have been paid out.
    /// @param value In wei.
    /// @param to    The recipient.
    /// @param from  Who has asked for it.
    event Withdrawal(uint256 value, address to, address from);

    /// @notice Comes with each Withdrawal, and tells the network, too.
    event Withdrawal(uint256 value, address to, address from, WithdrawalNetwork withdrawalNetwork);

    /// @notice Withdrawals now take another amount.
    event MinWithdrawalAmountUpdated(uint256 oldWithdrawalAmount, uint256 newWithdrawalAmount);

    /// @notice Fees now go to somebody else.
    event RecipientUpdated(address oldRecipient, address newRecipient);

    /// @notice Fees now go to the other network, or to the same.
    event WithdrawalNetworkUpdated(
        WithdrawalNetwork oldWithdrawalNetwork, WithdrawalNetwork newWithdrawalNetwork
    );

    /// @notice There is less here than a withdrawal takes.
    error BelowMinimum(uint256 balance, uint256 minimum);

    /// @notice The recipient refuses the fees.
    error RecipientRefused(address recipient);

    /// @notice Nobody would get the fees.
    error ZeroRecipient();

    /// @notice Only the owner of the ProxyAdmin changes settings.
    error OnlyProxyAdminOwner(address caller);

    modifier onlyProxyAdminOwner() {
        if (msg.sender != ProxyAdmin(Predeploys.PROXY_ADMIN).owner()) {
            revert OnlyProxyAdminOwner(msg.sender);
        }
        _;
    }

    receive() external payable {}

    /// @notice Pays everything out to the recipient. Anybody may call it.
    /// @return value In wei.
    function withdraw() external returns (uint256 value) {
        value = address(this).balance;
        if (value < minWithdrawalAmount) revert BelowMinimum(value, minWithdrawalAmount);
        address to = recipient;
        if (to == address(0)) revert ZeroRecipient();
        totalProcessed += value;
        emit Withdrawal(value, to, msg.sender);
        emit Withdrawal(value, to, msg.sender, withdrawalNetwork);
        if (withdrawalNetwork == WithdrawalNetwork.L2) {
            (bool success,) = to.call{value: value}("");
            if (!success) revert RecipientRefused(to);
        } else {
            L2ToL1MessagePasser(Predeploys.L2_TO_L1_MESSAGE_PASSER).initiateWithdrawal{value: value}(
                to, WITHDRAWAL_GAS_LIMIT, ""
            );
        }
    }

    /// @notice Sets the amount, in wei, that has to be here for a withdrawal.
    function setMinWithdrawalAmount(uint256 newMinWithdrawalAmount) external onlyProxyAdminOwner {
        emit MinWithdrawalAmountUpdated(minWithdrawalAmount, newMinWithdrawalAmount);
        minWithdrawalAmount = newMinWithdrawalAmount;
    }

    /// @notice Sets who gets the fees.
    function setRecipient(address newRecipient) external onlyProxyAdminOwner {
        if (newRecipient == address(0)) revert ZeroRecipient();
        emit RecipientUpdated(recipient, newRecipient);
        recipient = newRecipient;
    }

    /// @notice Sets where the recipient is.
    function setWithdrawalNetwork(WithdrawalNetwork newWithdrawalNetwork)
        external
        onlyProxyAdminOwner
    {
        emit WithdrawalNetworkUpdated(withdrawalNetwork, newWithdrawalNetwork);
        withdrawalNetwork = newWithdrawalNetwork;
    }

    /// @notice The same as `minWithdrawalAmount`, by its older name.
    function MIN_WITHDRAWAL_AMOUNT() external view returns (uint256) {
        return minWithdrawalAmount;
    }

    /// @notice The same as `recipient`, by its older name.
    function RECIPIENT() external view returns (address) {
        return recipient;
    }

    /// @notice The same as `withdrawalNetwork`, by its older name.
    function WITHDRAWAL_NETWORK() external view returns (WithdrawalNetwork) {
        return withdrawalNetwork;
    }
}

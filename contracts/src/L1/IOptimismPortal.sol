// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IOptimismPortal
/// @notice What the messenger and the bridge need of the portal.
interface IOptimismPortal {
    /// @notice Deposits a transaction that brings no OPEN.
    function depositTransaction(
        address _to,
        uint256 _value,
        uint64 _gasLimit,
        bool _isCreation,
        bytes calldata _data
    ) external payable;

    /// @notice The L2 sender of the withdrawal that is being finalized.
    function l2Sender() external view returns (address);

    /// @notice True while withdrawals are stopped.
    function paused() external view returns (bool);

    /// @notice The L1 token that is the rollup's native coin.
    function openToken() external view returns (address);
}

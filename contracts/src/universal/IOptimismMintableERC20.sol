// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IOptimismMintableERC20
/// @notice A token that stands for one on the other chain. Bridges know it by this interface's id
///         (ERC-165).
interface IOptimismMintableERC20 {
    /// @notice The token on the other chain.
    function remoteToken() external view returns (address);

    /// @notice Who may mint and burn.
    function bridge() external view returns (address);

    /// @notice Creates tokens for `to`.
    function mint(address to, uint256 amount) external;

    /// @notice Destroys tokens of `from`.
    function burn(address from, uint256 amount) external;
}

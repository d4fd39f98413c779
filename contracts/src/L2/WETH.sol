// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Predeploys} from "../libraries/Predeploys.sol";

/// @title WETH
/// @notice The native coin as an ERC-20, one for one: wrapped OPEN. It keeps the name and the
///         functions of WETH9, by which applications know it.
contract WETH {
    /// @notice Semantic version of this contract.
    string public constant version = "1.0.0";

    /// @notice Decimals of the token, as of the native coin.
    uint8 public constant decimals = 18;

    /// @notice Tokens of each account.
    mapping(address => uint256) public balanceOf;

    /// @notice Tokens of an owner that a spender may move. The highest number means any amount.
    mapping(address => mapping(address => uint256)) public allowance;

    /// @notice A spender may move so many tokens.
    event Approval(address indexed src, address indexed guy, uint256 wad);

    /// @notice Tokens have moved.
    event Transfer(address indexed src, address indexed dst, uint256 wad);

    /// @notice Native coin has become tokens.
    event Deposit(address indexed dst, uint256 wad);

    /// @notice Tokens have become native coin.
    event Withdrawal(address indexed src, uint256 wad);

    /// @notice The account has fewer tokens.
    error InsufficientBalance(address account, uint256 balance, uint256 needed);

    /// @notice The spender may move fewer tokens.
    error InsufficientAllowance(address spender, uint256 allowance, uint256 needed);

    /// @notice The account does not take native coin.
    error CoinRefused(address account);

    /// @notice Wraps what is sent here.
    receive() external payable {
        deposit();
    }

    /// @notice Wraps what is sent here, whatever the call says.
    fallback() external payable {
        deposit();
    }

    /// @notice Name of the token: that of the native coin, wrapped.
    function name() external view returns (string memory) {
        return string.concat("Wrapped ", INativeCoin(Predeploys.L1_BLOCK).gasPayingTokenName());
    }

    /// @notice Symbol of the token.
    function symbol() external view returns (string memory) {
        return string.concat("W", INativeCoin(Predeploys.L1_BLOCK).gasPayingTokenSymbol());
    }

    /// @notice All tokens that there are: each is native coin held here.
    function totalSupply() external view returns (uint256) {
        return address(this).balance;
    }

    /// @notice Unwraps tokens of the caller.
    function withdraw(uint256 wad) external {
        _take(msg.sender, wad);
        emit Withdrawal(msg.sender, wad);
        (bool success,) = msg.sender.call{value: wad}("");
        if (!success) revert CoinRefused(msg.sender);
    }

    /// @notice Lets a spender move tokens of the caller.
    function approve(address guy, uint256 wad) external returns (bool) {
        allowance[msg.sender][guy] = wad;
        emit Approval(msg.sender, guy, wad);
        return true;
    }

    /// @notice Moves tokens of the caller.
    function transfer(address dst, uint256 wad) external returns (bool) {
        return transferFrom(msg.sender, dst, wad);
    }

    /// @notice Wraps the native coin that comes with the call.
    function deposit() public payable {
        balanceOf[msg.sender] += msg.value;
        emit Deposit(msg.sender, msg.value);
    }

    /// @notice Moves tokens of an account that has allowed it, or of the caller.
    function transferFrom(address src, address dst, uint256 wad) public returns (bool) {
        if (src != msg.sender) _spend(src, wad);
        _take(src, wad);
        unchecked {
            balanceOf[dst] += wad;
        }
        emit Transfer(src, dst, wad);
        return true;
    }

    function _take(address src, uint256 wad) private {
        uint256 balance = balanceOf[src];
        if (balance < wad) revert InsufficientBalance(src, balance, wad);
        unchecked {
            balanceOf[src] = balance - wad;
        }
    }

    function _spend(address src, uint256 wad) private {
        uint256 allowed = allowance[src][msg.sender];
        if (allowed == type(uint256).max) return;
        if (allowed < wad) revert InsufficientAllowance(msg.sender, allowed, wad);
        unchecked {
            allowance[src][msg.sender] = allowed - wad;
        }
    }
}

/// @dev What L1Block tells about the native coin.
interface INativeCoin {
    function gasPayingTokenName() external view returns (string memory);

    function gasPayingTokenSymbol() external view returns (string memory);
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {OptimismMintableERC20} from "./OptimismMintableERC20.sol";

/// @title OptimismMintableERC20Factory
/// @notice Creates tokens that stand for those of the other chain, at addresses that depend on
///         nothing but the token. Anybody may: which of them to use, users have to know.
contract OptimismMintableERC20Factory {
    /// @notice Semantic version of this contract.
    string public constant version = "1.0.0";

    /// @dev Decimals where the caller gives none.
    uint8 private constant DEFAULT_DECIMALS = 18;

    /// @notice The bridge that may mint and burn. On L2 genesis writes it.
    address public bridge;

    /// @notice For each token created here: the one it stands for.
    mapping(address => address) public deployments;

    /// @notice A token was created. Comes first, for tools that know only this one.
    event StandardL2TokenCreated(address indexed remoteToken, address indexed localToken);

    /// @notice A token was created.
    event OptimismMintableERC20Created(
        address indexed localToken, address indexed remoteToken, address deployer
    );

    /// @notice A token has to stand for another one.
    error RemoteTokenMissing();

    /// @notice The same token was created before.
    error AlreadyCreated(address localToken);

    /// @param bridge_ The bridge that may mint and burn.
    constructor(address bridge_) {
        bridge = bridge_;
    }

    /// @notice The bridge, as tools ask for it.
    function BRIDGE() external view returns (address) {
        return bridge;
    }

    /// @notice createOptimismMintableERC20 under its older name.
    function createStandardL2Token(
        address _remoteToken,
        string memory _name,
        string memory _symbol
    ) external returns (address) {
        return createOptimismMintableERC20WithDecimals(_remoteToken, _name, _symbol, DEFAULT_DECIMALS);
    }

    /// @notice Creates a token of 18 decimals.
    function createOptimismMintableERC20(
        address _remoteToken,
        string memory _name,
        string memory _symbol
    ) external returns (address) {
        return createOptimismMintableERC20WithDecimals(_remoteToken, _name, _symbol, DEFAULT_DECIMALS);
    }

    /// @notice Creates a token.
    /// @param _remoteToken The token on the other chain.
    /// @param _name        Name.
    /// @param _symbol      Symbol.
    /// @param _decimals    Decimals, which should be those of the other token.
    /// @return localToken  Address of the token, created with CREATE2: its salt is the hash of the
    ///                     encoded arguments.
    function createOptimismMintableERC20WithDecimals(
        address _remoteToken,
        string memory _name,
        string memory _symbol,
        uint8 _decimals
    ) public returns (address localToken) {
        if (_remoteToken == address(0)) revert RemoteTokenMissing();
        bytes32 salt = keccak256(abi.encode(_remoteToken, _name, _symbol, _decimals));
        bytes memory code = abi.encodePacked(
            type(OptimismMintableERC20).creationCode,
            abi.encode(bridge, _remoteToken, _name, _symbol, _decimals)
        );
        localToken = Create2.computeAddress(salt, keccak256(code));
        // Said by name: the failing creation itself would take all gas.
        if (localToken.code.length != 0) revert AlreadyCreated(localToken);
        Create2.deploy(0, salt, code);

        deployments[localToken] = _remoteToken;
        emit StandardL2TokenCreated(_remoteToken, localToken);
        emit OptimismMintableERC20Created(localToken, _remoteToken, msg.sender);
    }
}

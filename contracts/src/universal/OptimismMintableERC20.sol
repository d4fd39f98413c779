// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";
import {IOptimismMintableERC20} from "./IOptimismMintableERC20.sol";

/// @title OptimismMintableERC20
/// @notice What a token of one chain is on the other: the bridge there mints what it has locked
///         here, and burns what it gives back.
contract OptimismMintableERC20 is ERC20, ERC20Permit, ERC165, IOptimismMintableERC20 {
    /// @notice Semantic version of this contract.
    string public constant version = "1.0.0";

    /// @inheritdoc IOptimismMintableERC20
    address public immutable override remoteToken;

    /// @inheritdoc IOptimismMintableERC20
    address public immutable override bridge;

    uint8 private immutable _decimals;

    /// @notice The bridge has created tokens.
    event Mint(address indexed account, uint256 amount);

    /// @notice The bridge has destroyed tokens.
    event Burn(address indexed account, uint256 amount);

    /// @notice Only the bridge mints and burns.
    error NotTheBridge(address caller, address bridge);

    modifier onlyBridge() {
        if (msg.sender != bridge) revert NotTheBridge(msg.sender, bridge);
        _;
    }

    /// @param bridge_      Who may mint and burn.
    /// @param remoteToken_ The token on the other chain.
    /// @param name_        Name, also that of the signing domain of permits.
    /// @param symbol_      Symbol.
    /// @param decimals_    Decimals, which should be those of the other token.
    constructor(
        address bridge_,
        address remoteToken_,
        string memory name_,
        string memory symbol_,
        uint8 decimals_
    ) ERC20(name_, symbol_) ERC20Permit(name_) {
        bridge = bridge_;
        remoteToken = remoteToken_;
        _decimals = decimals_;
    }

    /// @inheritdoc IOptimismMintableERC20
    function mint(address to, uint256 amount) external override onlyBridge {
        _mint(to, amount);
        emit Mint(to, amount);
    }

    /// @inheritdoc IOptimismMintableERC20
    function burn(address from, uint256 amount) external override onlyBridge {
        _burn(from, amount);
        emit Burn(from, amount);
    }

    /// @notice The remote token, as tools ask for it.
    function REMOTE_TOKEN() external view returns (address) {
        return remoteToken;
    }

    /// @notice The bridge, as tools ask for it.
    function BRIDGE() external view returns (address) {
        return bridge;
    }

    /// @notice The remote token, under the name that it has on L2.
    function l1Token() external view returns (address) {
        return remoteToken;
    }

    /// @notice The bridge, under the name that it has on L2.
    function l2Bridge() external view returns (address) {
        return bridge;
    }

    /// @inheritdoc ERC165
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == type(IOptimismMintableERC20).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @inheritdoc ERC20
    function decimals() public view override returns (uint8) {
        return _decimals;
    }
}

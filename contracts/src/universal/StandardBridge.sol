// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";
import {AddressAlias} from "../libraries/AddressAlias.sol";
import {CrossDomainMessenger} from "./CrossDomainMessenger.sol";
import {IOptimismMintableERC20} from "./IOptimismMintableERC20.sol";

/// @title StandardBridge
/// @notice One of the two contracts that take ERC-20 tokens between L1 and L2. A token is locked on
///         the chain where it comes from and minted on the other. Tokens whose balances change by
///         themselves do not fit: what they gain stays locked.
abstract contract StandardBridge {
    using SafeERC20 for IERC20;

    /// @notice Semantic version of this contract.
    string public constant version = "1.0.0";

    /// @notice What is locked here, by local and remote token. Each pair has only its own: a made-up
    ///         remote token cannot release what belongs to another one.
    mapping(address => mapping(address => uint256)) public deposits;

    /// @dev True while a token is being taken.
    bool private transient _isTaking;

    /// @notice Tokens have been locked or burnt here, to come out on the other side.
    event ERC20BridgeInitiated(
        address indexed localToken,
        address indexed remoteToken,
        address indexed from,
        address to,
        uint256 amount,
        bytes extraData
    );

    /// @notice Tokens from the other side have been released or minted here.
    event ERC20BridgeFinalized(
        address indexed localToken,
        address indexed remoteToken,
        address indexed from,
        address to,
        uint256 amount,
        bytes extraData
    );

    /// @notice Ether does not cross. The rollup's coin is OPEN; it crosses by way of `openGate`.
    error EtherNotBridged(address openGate);

    /// @notice OPEN would exist twice on the other side. It crosses by way of `openGate`.
    error OpenNotBridged(address openGate);

    /// @notice Without a receiver tokens go to the caller's address, where a contract may have no
    ///         counterpart: name one with the function whose name ends in To.
    error ReceiverMissing(address caller);

    /// @notice The local token stands for another remote token.
    error WrongTokenPair(address localToken, address expectedRemote, address givenRemote);

    /// @notice Only a message of the other bridge finalizes.
    error NotTheOtherBridge(address caller);

    /// @notice Less of the token than needed is locked for this pair.
    error NotLocked(address localToken, address remoteToken, uint256 locked, uint256 asked);

    /// @notice The token has called its holder, who has tried to bridge more of it meanwhile.
    error Reentered();

    /// @notice The bridge is paused on L1.
    error BridgePaused();

    modifier onlyAccountWithKey() {
        if (!AddressAlias.senderHasKey()) revert ReceiverMissing(msg.sender);
        _;
    }

    /// @notice Refuses ether.
    receive() external payable {
        revert EtherNotBridged(_openGate());
    }

    /// @notice Refuses ether.
    function bridgeETH(uint32, bytes calldata) external payable {
        revert EtherNotBridged(_openGate());
    }

    /// @notice Refuses ether.
    function bridgeETHTo(address, uint32, bytes calldata) external payable {
        revert EtherNotBridged(_openGate());
    }

    /// @notice Refuses ether.
    function finalizeBridgeETH(address, address, uint256, bytes calldata) external payable {
        revert EtherNotBridged(_openGate());
    }

    /// @notice Takes tokens to the caller's own address on the other side. The caller has approved
    ///         them, if they come from here.
    /// @param _localToken  Token on this side.
    /// @param _remoteToken Token on the other side.
    /// @param _amount      In the token's smallest unit.
    /// @param _minGasLimit Least gas on the other side.
    /// @param _extraData   Anything; both events repeat it.
    function bridgeERC20(
        address _localToken,
        address _remoteToken,
        uint256 _amount,
        uint32 _minGasLimit,
        bytes calldata _extraData
    ) external onlyAccountWithKey {
        _initiate(_localToken, _remoteToken, msg.sender, _amount, _minGasLimit, _extraData);
    }

    /// @notice Takes tokens of the caller to `_to` on the other side.
    /// @param _localToken  Token on this side.
    /// @param _remoteToken Token on the other side.
    /// @param _to          Who gets them.
    /// @param _amount      In the token's smallest unit.
    /// @param _minGasLimit Least gas on the other side.
    /// @param _extraData   Anything; both events repeat it.
    function bridgeERC20To(
        address _localToken,
        address _remoteToken,
        address _to,
        uint256 _amount,
        uint32 _minGasLimit,
        bytes calldata _extraData
    ) external {
        _initiate(_localToken, _remoteToken, _to, _amount, _minGasLimit, _extraData);
    }

    /// @notice Releases or mints what the other bridge has taken.
    /// @param _localToken  Token on this side.
    /// @param _remoteToken Token on the other side.
    /// @param _from        Who has sent it from there.
    /// @param _to          Who gets it.
    /// @param _amount      In the token's smallest unit.
    /// @param _extraData   Anything; the events repeat it.
    function finalizeBridgeERC20(
        address _localToken,
        address _remoteToken,
        address _from,
        address _to,
        uint256 _amount,
        bytes calldata _extraData
    ) external {
        if (paused()) revert BridgePaused();
        if (msg.sender != address(messenger()) || messenger().xDomainMessageSender() != otherBridge()) {
            revert NotTheOtherBridge(msg.sender);
        }
        if (_isMintable(_localToken)) {
            _checkPair(_localToken, _remoteToken);
            IOptimismMintableERC20(_localToken).mint(_to, _amount);
        } else {
            _release(_localToken, _remoteToken, _to, _amount);
        }
        _emitFinalized(_localToken, _remoteToken, _from, _to, _amount, _extraData);
    }

    /// @notice The messenger, as tools ask for it.
    function MESSENGER() external view returns (CrossDomainMessenger) {
        return messenger();
    }

    /// @notice The other bridge, as tools ask for it.
    function OTHER_BRIDGE() external view returns (address) {
        return otherBridge();
    }

    /// @notice Carries messages to the other bridge.
    function messenger() public view virtual returns (CrossDomainMessenger);

    /// @notice The bridge on the other side.
    function otherBridge() public view virtual returns (address);

    /// @notice True while nothing is finalized.
    function paused() public view virtual returns (bool);

    /// @dev Takes tokens of the caller and tells the other bridge how many have come: a token that
    ///      charges for transfers brings fewer than `amount`. Not re-entrant, because a token that
    ///      calls its holder would have what came inside counted twice.
    function _initiate(
        address localToken,
        address remoteToken,
        address to,
        uint256 amount,
        uint32 minGasLimit,
        bytes calldata extraData
    ) internal {
        if (_isTaking) revert Reentered();
        _isTaking = true;
        if (_isOpen(localToken)) revert OpenNotBridged(_openGate());
        uint256 taken = amount;
        if (_isMintable(localToken)) {
            _checkPair(localToken, remoteToken);
            IOptimismMintableERC20(localToken).burn(msg.sender, amount);
        } else {
            taken = _lock(localToken, remoteToken, amount);
        }
        _emitInitiated(localToken, remoteToken, msg.sender, to, taken, extraData);
        messenger().sendMessage(
            otherBridge(),
            // There, the remote token is the local one.
            abi.encodeCall(
                this.finalizeBridgeERC20, (remoteToken, localToken, msg.sender, to, taken, extraData)
            ),
            minGasLimit
        );
        _isTaking = false;
    }

    /// @dev Announces tokens that leave.
    function _emitInitiated(
        address localToken,
        address remoteToken,
        address from,
        address to,
        uint256 amount,
        bytes calldata extraData
    ) internal virtual {
        emit ERC20BridgeInitiated(localToken, remoteToken, from, to, amount, extraData);
    }

    /// @dev Announces tokens that have come.
    function _emitFinalized(
        address localToken,
        address remoteToken,
        address from,
        address to,
        uint256 amount,
        bytes calldata extraData
    ) internal virtual {
        emit ERC20BridgeFinalized(localToken, remoteToken, from, to, amount, extraData);
    }

    /// @dev Whether a token is OPEN itself, in whatever form.
    function _isOpen(address localToken) internal view virtual returns (bool);

    /// @dev The contract by way of which OPEN leaves this chain.
    function _openGate() internal view virtual returns (address);

    function _lock(address localToken, address remoteToken, uint256 amount) private returns (uint256 taken) {
        uint256 before = IERC20(localToken).balanceOf(address(this));
        IERC20(localToken).safeTransferFrom(msg.sender, address(this), amount);
        taken = IERC20(localToken).balanceOf(address(this)) - before;
        deposits[localToken][remoteToken] += taken;
    }

    function _release(address localToken, address remoteToken, address to, uint256 amount) private {
        uint256 locked = deposits[localToken][remoteToken];
        if (locked < amount) revert NotLocked(localToken, remoteToken, locked, amount);
        deposits[localToken][remoteToken] = locked - amount;
        IERC20(localToken).safeTransfer(to, amount);
    }

    function _isMintable(address token) private view returns (bool) {
        return ERC165Checker.supportsInterface(token, type(IOptimismMintableERC20).interfaceId);
    }

    function _checkPair(address localToken, address remoteToken) private view {
        address expected = IOptimismMintableERC20(localToken).remoteToken();
        if (expected != remoteToken) revert WrongTokenPair(localToken, expected, remoteToken);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {AddressAlias} from "../libraries/AddressAlias.sol";
import {L2OutputOracle} from "./L2OutputOracle.sol";
import {ResourceMetering} from "./ResourceMetering.sol";
import {SystemConfig} from "./SystemConfig.sol";
import {Withdrawals} from "./Withdrawals.sol";

/// @title OptimismPortal
/// @notice The gate between L1 and the rollup. A deposit is a transaction that the rollup must
///         execute; it may bring OPEN, which stays locked here and is minted on L2. A withdrawal
///         takes it out again. The token's own errors pass through and are part of this interface.
contract OptimismPortal is IERC20Errors, ResourceMetering, Withdrawals {
    using SafeERC20 for IERC20;

    /// @notice Semantic version. Tools take major 2 for a portal of the output-oracle kind.
    string public constant version = "2.1.0";

    /// @notice Longest data of a deposit, in bytes: what nodes still pass on between each other.
    uint256 public constant MAX_DATA_BYTES = 120_000;

    /// @dev Version of the encoding of `opaqueData`.
    uint256 private constant DEPOSIT_VERSION = 0;

    /// @notice A deposit that the rollup will execute.
    /// @param from       Sender on L2: the caller, or the alias of a calling contract.
    /// @param to         Target on L2; zero for a contract creation.
    /// @param version    Version of the encoding: 0.
    /// @param opaqueData mint, value, gas limit, creation flag and data, tightly packed.
    event TransactionDeposited(address indexed from, address indexed to, uint256 indexed version, bytes opaqueData);

    /// @notice Ether is not the rollup's coin: bring OPEN with depositERC20Transaction.
    error EtherNotAccepted();

    /// @notice The deposited token has other than 18 decimals.
    error UnsupportedTokenDecimals(uint8 decimals);

    /// @notice The settings name another portal, token or oracle.
    error SettingsMismatch(address named, address actual);

    /// @notice A contract creation has no target.
    error CreationWithTarget(address target);

    /// @notice The gas limit does not cover what L2 charges for the data alone.
    error GasLimitTooLow(uint64 given, uint64 minimum);

    /// @notice The data is too long.
    error DataTooLong(uint256 given, uint256 maximum);

    /// @notice The token has moved another amount than asked for.
    error TokenAmountMismatch(uint256 expected, uint256 received);

    /// @param openToken_    Token of 18 decimals that takes no fee on transfers.
    /// @param systemConfig_ Settings that already name this portal, the token and the oracle.
    /// @param l2Oracle_     Outputs that withdrawals are proven against; deployed later.
    constructor(
        IERC20 openToken_,
        SystemConfig systemConfig_,
        L2OutputOracle l2Oracle_
    ) Withdrawals(openToken_, systemConfig_, l2Oracle_) {
        uint8 decimals = IERC20Metadata(address(openToken_)).decimals();
        if (decimals != 18) revert UnsupportedTokenDecimals(decimals);
        _requireSame(systemConfig_.optimismPortal(), address(this));
        _requireSame(address(systemConfig_.openToken()), address(openToken_));
        _requireSame(systemConfig_.l2OutputOracle(), address(l2Oracle_));
    }

    /// @notice Refuses ether that is sent without a call.
    receive() external payable {
        revert EtherNotAccepted();
    }

    /// @notice Deposits a transaction that brings no OPEN. Payable only to refuse ether by name.
    /// @param _to         Target on L2.
    /// @param _value      Native OPEN that moves from the sender's L2 balance to the target.
    /// @param _gasLimit   Gas on L2, bought here at the deposit market's price.
    /// @param _isCreation Creates a contract; `_to` has to be zero.
    /// @param _data       Calldata or creation code.
    function depositTransaction(
        address _to,
        uint256 _value,
        uint64 _gasLimit,
        bool _isCreation,
        bytes calldata _data
    ) external payable metered(_gasLimit) {
        if (msg.value != 0) revert EtherNotAccepted();
        _deposit(_to, 0, _value, _gasLimit, _isCreation, _data);
    }

    /// @notice Locks OPEN of the caller, who has approved it, and deposits a transaction that mints
    ///         as much on L2 to its sender before it is executed; the mint stands even if the
    ///         transaction fails.
    /// @param _to         Target on L2.
    /// @param _mint       OPEN to lock here and to mint to the sender on L2.
    /// @param _value      Native OPEN that moves from the sender's L2 balance to the target.
    /// @param _gasLimit   Gas on L2, bought here at the deposit market's price.
    /// @param _isCreation Creates a contract; `_to` has to be zero.
    /// @param _data       Calldata or creation code.
    function depositERC20Transaction(
        address _to,
        uint256 _mint,
        uint256 _value,
        uint64 _gasLimit,
        bool _isCreation,
        bytes calldata _data
    ) external metered(_gasLimit) {
        if (_mint != 0) _lock(_mint);
        _deposit(_to, _mint, _value, _gasLimit, _isCreation, _data);
    }

    /// @notice Least gas limit of a deposit: 40 gas for each byte of data, the dearest case of
    ///         EIP-7623's floor, and 21,000.
    function minimumGasLimit(uint64 _byteCount) public pure returns (uint64) {
        return _byteCount * 40 + 21_000;
    }

    function _requireSame(address named, address actual) private pure {
        if (named != actual) revert SettingsMismatch(named, actual);
    }

    /// @dev Pulls tokens and insists on the exact amount: each native OPEN is backed by one here.
    function _lock(uint256 amount) private {
        uint256 before = openToken.balanceOf(address(this));
        openToken.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = openToken.balanceOf(address(this)) - before;
        if (received != amount) revert TokenAmountMismatch(amount, received);
    }

    /// @dev Checks a deposit and announces it to the rollup.
    function _deposit(
        address to,
        uint256 mint,
        uint256 value,
        uint64 gasLimit,
        bool isCreation,
        bytes calldata data
    ) private {
        if (isCreation && to != address(0)) revert CreationWithTarget(to);
        if (data.length > MAX_DATA_BYTES) revert DataTooLong(data.length, MAX_DATA_BYTES);
        uint64 minimum = minimumGasLimit(uint64(data.length));
        if (gasLimit < minimum) revert GasLimitTooLow(gasLimit, minimum);

        bytes memory opaqueData = abi.encodePacked(mint, value, gasLimit, isCreation, data);
        emit TransactionDeposited(AddressAlias.ofSender(), to, DEPOSIT_VERSION, opaqueData);
    }
}

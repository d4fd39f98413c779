// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ModelRegistry} from "./ModelRegistry.sol";
import {Vouchers} from "./Vouchers.sol";

/// @title PayerEscrow
/// @notice What payers have set aside for models, the vouchers that spend it, and what is owed to
///         those who are paid. Only a voucher moves a payer's money to somebody else.
abstract contract PayerEscrow is ModelRegistry, Vouchers {
    /// @notice What a payer has for one model.
    /// @param balanceGwei   Not yet spent.
    /// @param spentGwei     Charged so far: the next voucher must be higher.
    /// @param requestedGwei Of the balance, what the payer wants back.
    /// @param requestedAt   Time of that request; zero if there is none.
    /// @param signer        Whose signature a voucher needs; never changes.
    struct Escrow {
        uint64 balanceGwei;
        uint64 spentGwei;
        uint64 requestedGwei;
        uint64 requestedAt;
        address signer;
    }

    /// @dev The same in storage: an account that signs for itself has no second slot.
    struct Account {
        uint64 balanceGwei;
        uint64 spentGwei;
        uint64 requestedGwei;
        uint56 requestedAt;
        bool isOwnSigner;
        address signer;
    }

    /// @dev What an account has ever been paid, and taken. Neither returns to zero, so that paying
    ///      it again changes a slot that is in use.
    struct Earnings {
        uint128 earnedWei;
        uint128 claimedWei;
    }

    /// @notice Why a voucher was left out.
    enum SkipReason {
        WRONG_SIGNER,
        EXPIRED,
        NOTHING_NEW,
        ESCROW_TOO_SMALL,
        RECEIPTS_MISSING
    }

    /// @notice Seconds between a request for withdrawal and its execution.
    uint64 public withdrawalDelay;

    /// @notice Seconds after that in which it may be executed.
    uint64 public withdrawalWindow;

    mapping(address => Earnings) private _earnings;
    mapping(address => mapping(bytes32 => Account)) private _escrows;

    /// @notice A payer has added to its escrow for a model.
    event Deposited(
        bytes32 indexed modelKey, address indexed payer, address signer, uint64 amountGwei
    );
    /// @notice A payer wants so much back; zero takes an earlier request back.
    event WithdrawalRequested(bytes32 indexed modelKey, address indexed payer, uint64 amountGwei);
    /// @notice A payer has got so much back.
    event Withdrawn(bytes32 indexed modelKey, address indexed payer, uint64 amountGwei);
    /// @notice A payer has paid so much, and `cumulativeGwei` since its first answer.
    event VoucherCharged(
        bytes32 indexed modelKey, address indexed payer, uint64 amountGwei, uint64 cumulativeGwei
    );
    /// @notice Voucher number `index` of the call was left out.
    event VoucherSkipped(uint256 index, SkipReason reason);
    /// @notice An account has taken what it was owed.
    event Claimed(address indexed account, address indexed to, uint256 amountWei);

    /// @notice Escrows are in whole gwei.
    error NotWholeGwei(uint256 amountWei);
    /// @notice With this deposit a payer's total would exceed 64 bits of gwei.
    error AmountTooLarge(uint256 amountGwei);
    /// @notice A contract cannot sign: it has to name a key.
    error SignerRequired();
    /// @notice The escrow's signer was named by its first deposit.
    error SignerFixed(address signer);
    /// @notice More is requested than there is.
    error EscrowTooSmall(uint64 balanceGwei);
    /// @notice Nothing is requested.
    error NoWithdrawal();
    /// @notice The request matures at this time.
    error WithdrawalTooEarly(uint256 notBefore);
    /// @notice The request could be executed until this time.
    error WithdrawalLapsed(uint256 notAfter);
    /// @notice There is nothing to claim.
    error NothingOwed();
    /// @notice The account has refused the payment.
    error PaymentFailed(address to);

    /// @notice Adds the OPEN that comes with the call to the caller's escrow for a model.
    /// @param signer Whose vouchers spend it: the caller's own key if zero. Fixed by the first call.
    function deposit(bytes32 modelKey, address signer) external payable {
        if (_models[modelKey].owner == address(0)) revert UnknownModel(modelKey);
        if (msg.value % 1 gwei != 0) revert NotWholeGwei(msg.value);
        Account storage entry = _escrows[msg.sender][modelKey];
        address usedSigner = _fixSigner(entry, signer);
        uint256 amountGwei = msg.value / 1 gwei;
        // What was spent counts too, so that a voucher's total always fits.
        uint256 total = uint256(entry.balanceGwei) + entry.spentGwei + amountGwei;
        if (total > type(uint64).max) revert AmountTooLarge(amountGwei);
        entry.balanceGwei += uint64(amountGwei);
        emit Deposited(modelKey, msg.sender, usedSigner, uint64(amountGwei));
    }

    /// @notice Announces a withdrawal, and replaces an earlier announcement. Until it is executed
    ///         the escrow still pays for vouchers.
    /// @param amountGwei How much; zero takes the announcement back.
    function requestWithdrawal(bytes32 modelKey, uint64 amountGwei) external {
        Account storage entry = _escrows[msg.sender][modelKey];
        if (amountGwei > entry.balanceGwei) revert EscrowTooSmall(entry.balanceGwei);
        if (amountGwei == 0 && entry.requestedAt == 0) revert NoWithdrawal();
        entry.requestedGwei = amountGwei;
        entry.requestedAt = amountGwei == 0 ? 0 : uint56(block.timestamp);
        emit WithdrawalRequested(modelKey, msg.sender, amountGwei);
    }

    /// @notice Executes the withdrawal: what was announced, or what vouchers have left of it.
    function withdraw(bytes32 modelKey) external {
        Account storage entry = _escrows[msg.sender][modelKey];
        uint64 requestedAt = entry.requestedAt;
        if (requestedAt == 0) revert NoWithdrawal();
        uint256 notBefore = uint256(requestedAt) + withdrawalDelay;
        if (block.timestamp < notBefore) revert WithdrawalTooEarly(notBefore);
        uint256 notAfter = notBefore + withdrawalWindow;
        if (block.timestamp > notAfter) revert WithdrawalLapsed(notAfter);
        uint64 amountGwei = uint64(Math.min(entry.requestedGwei, entry.balanceGwei));
        entry.balanceGwei -= amountGwei;
        (entry.requestedGwei, entry.requestedAt) = (0, 0);
        emit Withdrawn(modelKey, msg.sender, amountGwei);
        _pay(msg.sender, uint256(amountGwei) * 1 gwei);
    }

    /// @notice Pays the caller what it is owed.
    function claim() external {
        claimTo(msg.sender);
    }

    /// @notice Pays what the caller is owed to another account: neither zero nor this contract.
    function claimTo(address to) public {
        _checkPayout(to);
        Earnings storage entry = _earnings[msg.sender];
        uint128 amountWei = entry.earnedWei - entry.claimedWei;
        if (amountWei == 0) revert NothingOwed();
        entry.claimedWei += amountWei;
        emit Claimed(msg.sender, to, amountWei);
        _pay(to, amountWei);
    }

    /// @notice The escrow of a payer for a model; all zero if there is none.
    function escrow(address payer, bytes32 modelKey) external view returns (Escrow memory) {
        Account storage entry = _escrows[payer][modelKey];
        return Escrow(
            entry.balanceGwei,
            entry.spentGwei,
            entry.requestedGwei,
            entry.requestedAt,
            _signerOf(entry, payer)
        );
    }

    /// @notice What an account may claim, in wei, over all models.
    function owed(address account) external view returns (uint256) {
        Earnings storage entry = _earnings[account];
        return entry.earnedWei - entry.claimedWei;
    }

    /// @notice What an account has ever been paid and what it has taken of it, in wei.
    function earnings(address account) external view returns (uint256 earnedWei, uint256 claimedWei) {
        Earnings storage entry = _earnings[account];
        return (entry.earnedWei, entry.claimedWei);
    }

    /// @dev Charges what can be charged, in order, and no more than there are receipts for.
    /// @param limitGwei What there are receipts for.
    function _charge(
        bytes32 modelKey,
        Voucher[] calldata vouchers,
        uint256 limitGwei
    ) internal returns (uint64 chargedGwei) {
        bytes32 domain = domainSeparator();
        for (uint256 i = 0; i < vouchers.length; ++i) {
            Voucher calldata voucher = vouchers[i];
            (address payer, uint64 total) = (voucher.payer, voucher.cumulativeGwei);
            Account storage entry = _escrows[payer][modelKey];
            (uint64 balance, uint64 spent) = (entry.balanceGwei, entry.spentGwei);
            uint64 amount = total > spent ? total - spent : 0;
            if (block.timestamp > voucher.expiry) {
                emit VoucherSkipped(i, SkipReason.EXPIRED);
            } else if (amount == 0) {
                emit VoucherSkipped(i, SkipReason.NOTHING_NEW);
            } else if (amount > balance) {
                emit VoucherSkipped(i, SkipReason.ESCROW_TOO_SMALL);
            } else if (amount > limitGwei - chargedGwei) {
                emit VoucherSkipped(i, SkipReason.RECEIPTS_MISSING);
            } else if (!_isSigned(domain, modelKey, voucher, _signerOf(entry, payer))) {
                emit VoucherSkipped(i, SkipReason.WRONG_SIGNER);
            } else {
                (entry.balanceGwei, entry.spentGwei) = (balance - amount, total);
                chargedGwei += amount;
                emit VoucherCharged(modelKey, payer, amount, total);
            }
        }
    }

    /// @dev Adds to what an account may claim.
    function _credit(address account, uint256 amountWei) internal {
        // All of the OPEN that fits into escrows, 2**34 times, is below 2**128 wei.
        _earnings[account].earnedWei += uint128(amountWei);
    }

    /// @dev Notes a new escrow's signer, and checks what is said of that of an old one.
    function _fixSigner(Account storage entry, address signer) private returns (address) {
        address present = _signerOf(entry, msg.sender);
        if (present == address(0)) {
            present = signer == address(0) ? msg.sender : signer;
            if (present == msg.sender) _markOwnSigner(entry);
            else entry.signer = present;
        } else if (signer != address(0) && signer != present) {
            revert SignerFixed(present);
        }
        return present;
    }

    function _signerOf(Account storage entry, address payer) private view returns (address) {
        return entry.isOwnSigner ? payer : entry.signer;
    }

    /// @dev A key can sign for its account, delegated (EIP-7702) or not; a contract cannot.
    function _markOwnSigner(Account storage entry) private {
        uint256 size = msg.sender.code.length;
        bool isDelegated = size == 23 && bytes3(msg.sender.code) == 0xef0100;
        if (size != 0 && !isDelegated) revert SignerRequired();
        entry.isOwnSigner = true;
    }

    function _pay(address to, uint256 amountWei) private {
        (bool success,) = to.call{value: amountWei}("");
        if (!success) revert PaymentFailed(to);
    }
}

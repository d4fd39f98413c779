// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ModelRegistry} from "./ModelRegistry.sol";

/// @title PayerEscrow
/// @notice What payers have set aside for models, the vouchers that spend it, and what is owed to
///         those who are paid. Only a voucher moves a payer's money to somebody else.
abstract contract PayerEscrow is ModelRegistry {
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

    /// @notice A payer's word: charge me up to this for all that the model has ever answered me.
    /// @param cumulativeGwei Total since the first answer.
    /// @param expiry         Last second at which it may be charged.
    /// @param r              Of the signature.
    /// @param vs             Of the signature, in the short form of EIP-2098.
    struct Voucher {
        address payer;
        uint64 cumulativeGwei;
        uint64 expiry;
        bytes32 r;
        bytes32 vs;
    }

    /// @notice Why a voucher was left out.
    enum SkipReason {
        WRONG_SIGNER,
        EXPIRED,
        NOTHING_NEW,
        ESCROW_TOO_SMALL,
        RECEIPTS_MISSING
    }

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant VOUCHER_TYPEHASH =
        keccak256("Voucher(address payer,bytes32 modelKey,uint64 cumulativeGwei,uint64 expiry)");
    bytes32 private constant DOMAIN_NAME = keccak256("OpenRollup AttributionHub");
    bytes32 private constant DOMAIN_VERSION = keccak256("1");

    /// @notice Seconds between a request for withdrawal and its execution.
    uint64 public withdrawalDelay;

    /// @notice Seconds after that in which it may be executed.
    uint64 public withdrawalWindow;

    /// @notice What an account may claim, in wei, over all models.
    mapping(address => uint256) public owed;

    mapping(address => mapping(bytes32 => Escrow)) private _escrows;

    event Deposited(
        bytes32 indexed modelKey, address indexed payer, address signer, uint64 amountGwei
    );
    event WithdrawalRequested(bytes32 indexed modelKey, address indexed payer, uint64 amountGwei);
    event Withdrawn(bytes32 indexed modelKey, address indexed payer, uint64 amountGwei);
    event VoucherCharged(
        bytes32 indexed modelKey, address indexed payer, uint64 amountGwei, uint64 cumulativeGwei
    );
    event VoucherSkipped(uint256 index, SkipReason reason);
    event Claimed(address indexed account, address indexed to, uint256 amountWei);

    error NotWholeGwei(uint256 amountWei);
    error AmountTooLarge(uint256 amountGwei);
    error SignerRequired();
    error SignerFixed(address signer);
    error EscrowTooSmall(uint64 balanceGwei);
    error NoWithdrawal();
    error WithdrawalTooEarly(uint256 notBefore);
    error WithdrawalLapsed(uint256 notAfter);
    error NothingOwed();
    error PaymentFailed(address to);

    /// @notice Adds the OPEN that comes with the call to the caller's escrow for a model.
    /// @param signer Whose vouchers spend it: the caller's own key if zero. Fixed by the first call.
    function deposit(bytes32 modelKey, address signer) external payable {
        if (_models[modelKey].owner == address(0)) revert UnknownModel(modelKey);
        if (msg.value % 1 gwei != 0) revert NotWholeGwei(msg.value);
        Escrow storage entry = _escrows[msg.sender][modelKey];
        address fixedSigner = entry.signer;
        if (fixedSigner == address(0)) {
            fixedSigner = signer == address(0) ? _ownSigner() : signer;
            entry.signer = fixedSigner;
        } else if (signer != address(0) && signer != fixedSigner) {
            revert SignerFixed(fixedSigner);
        }
        uint256 amountGwei = msg.value / 1 gwei;
        // What was spent counts too, so that a voucher's total always fits.
        uint256 total = uint256(entry.balanceGwei) + entry.spentGwei + amountGwei;
        if (total > type(uint64).max) revert AmountTooLarge(amountGwei);
        entry.balanceGwei += uint64(amountGwei);
        emit Deposited(modelKey, msg.sender, fixedSigner, uint64(amountGwei));
    }

    /// @notice Announces a withdrawal, and replaces an earlier announcement. Until it is executed
    ///         the escrow still pays for vouchers.
    /// @param amountGwei How much; zero takes the announcement back.
    function requestWithdrawal(bytes32 modelKey, uint64 amountGwei) external {
        Escrow storage entry = _escrows[msg.sender][modelKey];
        if (amountGwei > entry.balanceGwei) revert EscrowTooSmall(entry.balanceGwei);
        entry.requestedGwei = amountGwei;
        entry.requestedAt = amountGwei == 0 ? 0 : uint64(block.timestamp);
        emit WithdrawalRequested(modelKey, msg.sender, amountGwei);
    }

    /// @notice Executes the withdrawal: what was announced, or what vouchers have left of it.
    function withdraw(bytes32 modelKey) external {
        Escrow storage entry = _escrows[msg.sender][modelKey];
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

    /// @notice Pays what the caller is owed to another account.
    function claimTo(address to) public {
        uint256 amountWei = owed[msg.sender];
        if (amountWei == 0) revert NothingOwed();
        owed[msg.sender] = 0;
        emit Claimed(msg.sender, to, amountWei);
        _pay(to, amountWei);
    }

    /// @notice The escrow of a payer for a model; all zero if there is none.
    function escrow(address payer, bytes32 modelKey) external view returns (Escrow memory) {
        return _escrows[payer][modelKey];
    }

    /// @notice What the signer of a voucher signs (EIP-712).
    function voucherDigest(
        address payer,
        bytes32 modelKey,
        uint64 cumulativeGwei,
        uint64 expiry
    ) external view returns (bytes32) {
        return _digest(domainSeparator(), payer, modelKey, cumulativeGwei, expiry);
    }

    /// @notice The EIP-712 domain of vouchers.
    function domainSeparator() public view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_TYPEHASH, DOMAIN_NAME, DOMAIN_VERSION, block.chainid, address(this))
        );
    }

    /// @dev Charges what can be charged, in order, and no more than there are receipts for.
    function _charge(
        bytes32 modelKey,
        Voucher[] calldata vouchers,
        uint256 unsettledGwei
    ) internal returns (uint256 chargedGwei) {
        bytes32 domain = domainSeparator();
        for (uint256 i = 0; i < vouchers.length; ++i) {
            Voucher calldata voucher = vouchers[i];
            Escrow storage entry = _escrows[voucher.payer][modelKey];
            (uint64 balance, uint64 spent) = (entry.balanceGwei, entry.spentGwei);
            if (block.timestamp > voucher.expiry) {
                emit VoucherSkipped(i, SkipReason.EXPIRED);
            } else if (voucher.cumulativeGwei <= spent) {
                emit VoucherSkipped(i, SkipReason.NOTHING_NEW);
            } else if (voucher.cumulativeGwei - spent > balance) {
                emit VoucherSkipped(i, SkipReason.ESCROW_TOO_SMALL);
            } else if (voucher.cumulativeGwei - spent > unsettledGwei - chargedGwei) {
                emit VoucherSkipped(i, SkipReason.RECEIPTS_MISSING);
            } else if (!_isSigned(domain, modelKey, voucher, entry.signer)) {
                emit VoucherSkipped(i, SkipReason.WRONG_SIGNER);
            } else {
                uint64 amount = voucher.cumulativeGwei - spent;
                (entry.balanceGwei, entry.spentGwei) = (balance - amount, voucher.cumulativeGwei);
                chargedGwei += amount;
                emit VoucherCharged(modelKey, voucher.payer, amount, voucher.cumulativeGwei);
            }
        }
    }

    /// @dev A key can sign for its account, delegated (EIP-7702) or not; a contract cannot.
    function _ownSigner() private view returns (address) {
        uint256 size = msg.sender.code.length;
        bool isDelegated = size == 23 && bytes3(msg.sender.code) == 0xef0100;
        if (size != 0 && !isDelegated) revert SignerRequired();
        return msg.sender;
    }

    function _isSigned(
        bytes32 domain,
        bytes32 modelKey,
        Voucher calldata voucher,
        address signer
    ) private pure returns (bool) {
        bytes32 digest =
            _digest(domain, voucher.payer, modelKey, voucher.cumulativeGwei, voucher.expiry);
        // By recovery only, so that delegating the signer's account to code changes nothing.
        (address recovered, ECDSA.RecoverError fault,) =
            ECDSA.tryRecover(digest, voucher.r, voucher.vs);
        return fault == ECDSA.RecoverError.NoError && recovered == signer;
    }

    function _digest(
        bytes32 domain,
        address payer,
        bytes32 modelKey,
        uint64 cumulativeGwei,
        uint64 expiry
    ) private pure returns (bytes32) {
        bytes32 structHash =
            keccak256(abi.encode(VOUCHER_TYPEHASH, payer, modelKey, cumulativeGwei, expiry));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function _pay(address to, uint256 amountWei) private {
        (bool success,) = to.call{value: amountWei}("");
        if (!success) revert PaymentFailed(to);
    }
}

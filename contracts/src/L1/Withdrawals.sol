// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {TrieProof} from "@openzeppelin/contracts/utils/cryptography/TrieProof.sol";
import {GuaranteedCall} from "../libraries/GuaranteedCall.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {Types} from "../libraries/Types.sol";
import {L2OutputOracle} from "./L2OutputOracle.sol";
import {SystemConfig} from "./SystemConfig.sol";

/// @title Withdrawals
/// @notice The way out of the rollup in two steps. A withdrawal is proven against an output root;
///         when both the proof and the output are final and the output is still the same, it is
///         finalized: its value is paid in OPEN out of what is locked here, then its target is
///         called if there is data.
abstract contract Withdrawals {
    using SafeERC20 for IERC20;

    /// @notice A proof that waits for its finality, by the hash of its withdrawal.
    /// @param outputRoot    What it was proven against.
    /// @param timestamp     When, in seconds.
    /// @param l2OutputIndex Where the oracle held that root.
    struct ProvenWithdrawal {
        bytes32 outputRoot;
        uint128 timestamp;
        uint128 l2OutputIndex;
    }

    /// @dev What `l2Sender` answers when no withdrawal is being finalized: an address without a key.
    address private constant NO_L2_SENDER = 0x000000000000000000000000000000000000dEaD;

    /// @dev Tools estimate gas as this sender, so that an estimate at which the call fails is none.
    address private constant ESTIMATION_ADDRESS = address(1);

    /// @dev Gas kept for the time after the target's call: one event, and a wide margin.
    uint256 private constant RESERVED_GAS = 34_000;

    /// @dev The storage value of a sent message, as a trie holds it: RLP of 1.
    bytes private constant SENT = hex"01";

    /// @notice The L1 token that is the rollup's native coin.
    IERC20 public immutable openToken;

    /// @notice The rollup's settings.
    SystemConfig public immutable systemConfig;

    /// @notice The rollup's states as claimed on L1.
    L2OutputOracle public immutable l2Oracle;

    /// @notice Proofs by withdrawal hash.
    mapping(bytes32 => ProvenWithdrawal) public provenWithdrawals;

    /// @notice Whether a withdrawal has been finalized, by its hash.
    mapping(bytes32 => bool) public finalizedWithdrawals;

    /// @notice Whether withdrawals are halted. Deposits never are.
    bool public paused;

    /// @dev Sender of the withdrawal that is being finalized; zero for none.
    address private transient _l2Sender;

    /// @notice A withdrawal has been proven.
    event WithdrawalProven(bytes32 indexed withdrawalHash, address indexed from, address indexed to);

    /// @notice Who has proven it.
    event WithdrawalProvenExtension1(bytes32 indexed withdrawalHash, address indexed proofSubmitter);

    /// @notice A withdrawal has been finalized: its value has been paid.
    /// @param success False if the call that followed has failed. It is not repeated.
    event WithdrawalFinalized(bytes32 indexed withdrawalHash, bool success);

    /// @notice Withdrawals are halted.
    event Paused(address account);

    /// @notice Withdrawals go on.
    event Unpaused(address account);

    /// @notice The guardian has halted withdrawals.
    error WithdrawalsPaused();

    /// @notice The caller is not the guardian.
    error NotGuardian(address caller);

    /// @notice Neither the portal nor the token may be called in the portal's name.
    error BadTarget(address target);

    /// @notice From the oracle: there is no such output (any more).
    error OutputNotFound(uint256 index, uint256 count);

    /// @notice The four words are not what the output root commits to.
    error OutputRootMismatch(bytes32 expected, bytes32 actual);

    /// @notice The withdrawal is proven, and what it was proven against still stands.
    error AlreadyProven(bytes32 withdrawalHash);

    /// @notice The storage proof does not show that the message passer has sent the withdrawal.
    ///         Where a true proof shows that nothing is there, it may be RLPInvalidEncoding instead.
    error InvalidWithdrawalProof(TrieProof.ProofError reason);

    /// @notice The withdrawal has to be proven first.
    error NotProven(bytes32 withdrawalHash);

    /// @notice The withdrawal has been finalized before.
    error AlreadyFinalized(bytes32 withdrawalHash);

    /// @notice The proof may still be doubted.
    /// @param finalAfter It is final when L1's time is greater than this.
    error ProofNotFinal(uint256 finalAfter);

    /// @notice The output may still be deleted.
    /// @param finalAfter It is final when L1's time is greater than this.
    error OutputNotFinal(uint256 finalAfter);

    /// @notice The oracle holds another output than the proven one: prove again.
    error OutputChanged(bytes32 proven, bytes32 actual);

    /// @notice A withdrawal is being finalized.
    error Reentered();

    /// @notice There is less gas than the target was promised.
    /// @param available What it could be given.
    /// @param promised  What it has to be given.
    error NotEnoughGas(uint256 available, uint256 promised);

    /// @notice The withdrawal's call would fail with this gas.
    error GasEstimationFailed();

    constructor(IERC20 openToken_, SystemConfig systemConfig_, L2OutputOracle l2Oracle_) {
        openToken = openToken_;
        systemConfig = systemConfig_;
        l2Oracle = l2Oracle_;
    }

    modifier whenNotPaused() {
        if (paused) revert WithdrawalsPaused();
        _;
    }

    /// @notice Shows that the rollup has sent a withdrawal. It may be proven again only after the
    ///         output that it was proven against has been deleted or replaced.
    /// @param _tx              The withdrawal.
    /// @param _l2OutputIndex   Index of an output at or after the withdrawal's block.
    /// @param _outputRootProof What that output commits to.
    /// @param _withdrawalProof Trie nodes from the message passer's storage root to the
    ///                         withdrawal's entry in sentMessages, as eth_getProof returns them.
    function proveWithdrawalTransaction(
        Types.WithdrawalTransaction calldata _tx,
        uint256 _l2OutputIndex,
        Types.OutputRootProof calldata _outputRootProof,
        bytes[] calldata _withdrawalProof
    ) external whenNotPaused {
        if (_tx.target == address(this) || _tx.target == address(openToken)) revert BadTarget(_tx.target);

        bytes32 outputRoot = l2Oracle.getL2Output(_l2OutputIndex).outputRoot;
        bytes32 claimed = Hashing.hashOutputRootProof(_outputRootProof);
        if (outputRoot != claimed) revert OutputRootMismatch(outputRoot, claimed);

        bytes32 withdrawalHash = Hashing.hashWithdrawal(_tx);
        ProvenWithdrawal storage proven = provenWithdrawals[withdrawalHash];
        if (proven.timestamp != 0) _checkProvenAgain(withdrawalHash, proven);
        _checkSent(withdrawalHash, _outputRootProof.messagePasserStorageRoot, _withdrawalProof);

        proven.outputRoot = outputRoot;
        (proven.timestamp, proven.l2OutputIndex) = (uint128(block.timestamp), uint128(_l2OutputIndex));
        emit WithdrawalProven(withdrawalHash, _tx.sender, _tx.target);
        emit WithdrawalProvenExtension1(withdrawalHash, msg.sender);
    }

    /// @notice Pays out a withdrawal and calls its target. If the payment fails nothing happens and
    ///         it may be tried again; if the call fails, the payment stands and the withdrawal is
    ///         finalized.
    /// @param _tx The withdrawal, proven before.
    function finalizeWithdrawalTransaction(Types.WithdrawalTransaction calldata _tx) external whenNotPaused {
        if (_l2Sender != address(0)) revert Reentered();
        bytes32 withdrawalHash = Hashing.hashWithdrawal(_tx);
        if (finalizedWithdrawals[withdrawalHash]) revert AlreadyFinalized(withdrawalHash);
        _checkFinal(withdrawalHash);

        finalizedWithdrawals[withdrawalHash] = true;
        if (_tx.value != 0) openToken.safeTransfer(_tx.target, _tx.value);
        bool success = true;
        if (_tx.data.length != 0) {
            _l2Sender = _tx.sender;
            bool isCalled;
            (isCalled, success) = GuaranteedCall.tryCall(_tx.target, _tx.gasLimit, RESERVED_GAS, _tx.data);
            if (!isCalled) revert NotEnoughGas(GuaranteedCall.available(RESERVED_GAS), _tx.gasLimit);
            _l2Sender = address(0);
        }
        emit WithdrawalFinalized(withdrawalHash, success);
        if (!success && tx.origin == ESTIMATION_ADDRESS) revert GasEstimationFailed();
    }

    /// @notice Halts withdrawals.
    function pause() external {
        _setPaused(true);
        emit Paused(msg.sender);
    }

    /// @notice Lets withdrawals go on.
    function unpause() external {
        _setPaused(false);
        emit Unpaused(msg.sender);
    }

    /// @notice Whether the period in which an output may be deleted is over.
    function isOutputFinalized(uint256 _l2OutputIndex) external view returns (bool) {
        uint256 proposedAt = l2Oracle.getL2Output(_l2OutputIndex).timestamp;
        return block.timestamp > proposedAt + l2Oracle.FINALIZATION_PERIOD_SECONDS();
    }

    /// @notice The L2 account in whose name the portal calls just now.
    function l2Sender() external view returns (address) {
        address sender = _l2Sender;
        return sender == address(0) ? NO_L2_SENDER : sender;
    }

    /// @notice May halt withdrawals: the owner of the settings.
    function guardian() public view returns (address) {
        return systemConfig.owner();
    }

    function _setPaused(bool paused_) private {
        if (msg.sender != guardian()) revert NotGuardian(msg.sender);
        paused = paused_;
    }

    /// @dev A second proof starts the period anew, so nobody may make one at will.
    function _checkProvenAgain(bytes32 withdrawalHash, ProvenWithdrawal storage proven) private view {
        if (finalizedWithdrawals[withdrawalHash]) revert AlreadyFinalized(withdrawalHash);
        if (proven.l2OutputIndex >= l2Oracle.nextOutputIndex()) return;
        if (l2Oracle.getL2Output(proven.l2OutputIndex).outputRoot == proven.outputRoot) {
            revert AlreadyProven(withdrawalHash);
        }
    }

    function _checkSent(bytes32 withdrawalHash, bytes32 storageRoot, bytes[] calldata proof) private pure {
        // sentMessages is in slot 0 of the message passer; a trie's keys are hashed once more.
        bytes32 slot = keccak256(abi.encode(withdrawalHash, uint256(0)));
        bytes memory key = abi.encodePacked(keccak256(abi.encode(slot)));
        (bytes memory value, TrieProof.ProofError reason) = TrieProof.tryTraverse(storageRoot, key, proof);
        if (reason != TrieProof.ProofError.NO_ERROR) revert InvalidWithdrawalProof(reason);
        if (keccak256(value) != keccak256(SENT)) revert InvalidWithdrawalProof(TrieProof.ProofError.INVALID_PROOF);
    }

    function _checkFinal(bytes32 withdrawalHash) private view {
        ProvenWithdrawal memory proven = provenWithdrawals[withdrawalHash];
        if (proven.timestamp == 0) revert NotProven(withdrawalHash);
        uint256 period = l2Oracle.FINALIZATION_PERIOD_SECONDS();
        uint256 finalAfter = proven.timestamp + period;
        if (block.timestamp <= finalAfter) revert ProofNotFinal(finalAfter);

        Types.OutputProposal memory output = l2Oracle.getL2Output(proven.l2OutputIndex);
        if (output.outputRoot != proven.outputRoot) revert OutputChanged(proven.outputRoot, output.outputRoot);
        // It may be younger than the proof: deleted, and proposed again with the same root.
        finalAfter = output.timestamp + period;
        if (block.timestamp <= finalAfter) revert OutputNotFinal(finalAfter);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Types} from "../libraries/Types.sol";

/// @title L2OutputOracle
/// @notice The rollup's states as its proposer claims them: one output root for every
///         SUBMISSION_INTERVAL blocks. Until a claim is final, the challenger may delete it.
contract L2OutputOracle {
    /// @notice Semantic version of this contract.
    string public constant version = "1.0.0";

    /// @notice L2 blocks from one output to the next.
    uint256 public immutable SUBMISSION_INTERVAL;

    /// @notice Seconds from one L2 block to the next.
    uint256 public immutable L2_BLOCK_TIME;

    /// @notice May delete outputs that are not final.
    address public immutable CHALLENGER;

    /// @notice May propose outputs.
    address public immutable PROPOSER;

    /// @notice Seconds after which an output, or the proof of a withdrawal, is final.
    uint256 public immutable FINALIZATION_PERIOD_SECONDS;

    /// @notice Number of the rollup's first block. It has no output itself.
    uint256 public immutable startingBlockNumber;

    /// @notice Time of the rollup's first block, in seconds.
    uint256 public immutable startingTimestamp;

    /// @dev All outputs, their block numbers ascending.
    Types.OutputProposal[] internal l2Outputs;

    /// @notice A state has been claimed.
    /// @param outputRoot    Hash of what is claimed.
    /// @param l2OutputIndex Its place among all outputs.
    /// @param l2BlockNumber The rollup's block.
    /// @param l1Timestamp   Time of the L1 block, in seconds.
    event OutputProposed(
        bytes32 indexed outputRoot,
        uint256 indexed l2OutputIndex,
        uint256 indexed l2BlockNumber,
        uint256 l1Timestamp
    );

    /// @notice The outputs from an index on are gone.
    /// @param prevNextOutputIndex Count of outputs before.
    /// @param newNextOutputIndex  Count of outputs now.
    event OutputsDeleted(uint256 indexed prevNextOutputIndex, uint256 indexed newNextOutputIndex);

    /// @notice Outputs need a distance and blocks a duration.
    error InvalidInterval(uint256 submissionInterval, uint256 l2BlockTime);

    /// @notice The rollup cannot begin in the future: each output, and so each proof of a
    ///         withdrawal, is to be younger than its beginning.
    error StartsInTheFuture(uint256 startingTimestamp, uint256 now_);

    /// @notice The caller is not the proposer.
    error NotProposer(address caller);

    /// @notice The caller is not the challenger.
    error NotChallenger(address caller);

    /// @notice Proposing costs nothing but gas.
    error EtherNotAccepted();

    /// @notice Zero is no output root.
    error EmptyOutputRoot();

    /// @notice It is another block's turn.
    error UnexpectedBlockNumber(uint256 given, uint256 expected);

    /// @notice The L2 block's time has not passed yet.
    error BlockInTheFuture(uint256 l2Timestamp, uint256 now_);

    /// @notice L1 is another chain than the one the proposal was made for.
    error L1BlockMismatch(bytes32 given, bytes32 actual);

    /// @notice There is no such output (any more).
    error OutputNotFound(uint256 index, uint256 count);

    /// @notice The output is final: withdrawals may have been paid out on its ground.
    error OutputIsFinal(uint256 index);

    /// @param submissionInterval_        L2 blocks between outputs.
    /// @param l2BlockTime_               Seconds between L2 blocks.
    /// @param startingBlockNumber_       Number of the rollup's first block.
    /// @param startingTimestamp_         Time of the rollup's first block, in seconds.
    /// @param proposer_                  May propose outputs.
    /// @param challenger_                May delete outputs.
    /// @param finalizationPeriodSeconds_ Seconds until an output is final.
    constructor(
        uint256 submissionInterval_,
        uint256 l2BlockTime_,
        uint256 startingBlockNumber_,
        uint256 startingTimestamp_,
        address proposer_,
        address challenger_,
        uint256 finalizationPeriodSeconds_
    ) {
        if (submissionInterval_ == 0 || l2BlockTime_ == 0) revert InvalidInterval(submissionInterval_, l2BlockTime_);
        if (startingTimestamp_ > block.timestamp) revert StartsInTheFuture(startingTimestamp_, block.timestamp);
        SUBMISSION_INTERVAL = submissionInterval_;
        L2_BLOCK_TIME = l2BlockTime_;
        startingBlockNumber = startingBlockNumber_;
        startingTimestamp = startingTimestamp_;
        PROPOSER = proposer_;
        CHALLENGER = challenger_;
        FINALIZATION_PERIOD_SECONDS = finalizationPeriodSeconds_;
    }

    /// @notice Claims the state after the next block that is due. Payable only to refuse ether by
    ///         name.
    /// @param _outputRoot    Hash of the state.
    /// @param _l2BlockNumber The block; nextBlockNumber().
    /// @param _l1BlockHash   An L1 block that the state was derived from, zero for none: if L1 has
    ///                       replaced that block in the meantime, nothing is proposed.
    /// @param _l1BlockNumber That block's number, among the last 256.
    function proposeL2Output(
        bytes32 _outputRoot,
        uint256 _l2BlockNumber,
        bytes32 _l1BlockHash,
        uint256 _l1BlockNumber
    ) external payable {
        if (msg.sender != PROPOSER) revert NotProposer(msg.sender);
        if (msg.value != 0) revert EtherNotAccepted();
        if (_outputRoot == 0) revert EmptyOutputRoot();
        uint256 expected = nextBlockNumber();
        if (_l2BlockNumber != expected) revert UnexpectedBlockNumber(_l2BlockNumber, expected);
        uint256 l2Timestamp = computeL2Timestamp(_l2BlockNumber);
        if (l2Timestamp >= block.timestamp) revert BlockInTheFuture(l2Timestamp, block.timestamp);
        if (_l1BlockHash != 0) {
            bytes32 actual = blockhash(_l1BlockNumber);
            if (actual != _l1BlockHash) revert L1BlockMismatch(_l1BlockHash, actual);
        }
        emit OutputProposed(_outputRoot, l2Outputs.length, _l2BlockNumber, block.timestamp);
        l2Outputs.push(Types.OutputProposal(_outputRoot, uint128(block.timestamp), uint128(_l2BlockNumber)));
    }

    /// @notice Takes back an output that is not final, and all later ones.
    /// @param _l2OutputIndex The first one to go.
    function deleteL2Outputs(uint256 _l2OutputIndex) external {
        if (msg.sender != CHALLENGER) revert NotChallenger(msg.sender);
        uint256 count = l2Outputs.length;
        if (block.timestamp > getL2Output(_l2OutputIndex).timestamp + FINALIZATION_PERIOD_SECONDS) {
            revert OutputIsFinal(_l2OutputIndex);
        }
        // Only the length: however many outputs there are, they are gone at the same cost.
        assembly ("memory-safe") {
            sstore(l2Outputs.slot, _l2OutputIndex)
        }
        emit OutputsDeleted(count, _l2OutputIndex);
    }

    /// @notice The output that covers a block: the first one at or after it.
    function getL2OutputAfter(uint256 _l2BlockNumber) external view returns (Types.OutputProposal memory) {
        return l2Outputs[getL2OutputIndexAfter(_l2BlockNumber)];
    }

    /// @notice Index of the newest output.
    function latestOutputIndex() external view returns (uint256) {
        uint256 count = l2Outputs.length;
        if (count == 0) revert OutputNotFound(0, 0);
        return count - 1;
    }

    /// @notice Index of the next output: the count of those that are there.
    function nextOutputIndex() external view returns (uint256) {
        return l2Outputs.length;
    }

    /// @notice SUBMISSION_INTERVAL, as some tools call it.
    function submissionInterval() external view returns (uint256) {
        return SUBMISSION_INTERVAL;
    }

    /// @notice L2_BLOCK_TIME, as some tools call it.
    function l2BlockTime() external view returns (uint256) {
        return L2_BLOCK_TIME;
    }

    /// @notice CHALLENGER, as some tools call it.
    function challenger() external view returns (address) {
        return CHALLENGER;
    }

    /// @notice PROPOSER, as some tools call it.
    function proposer() external view returns (address) {
        return PROPOSER;
    }

    /// @notice FINALIZATION_PERIOD_SECONDS, as some tools call it.
    function finalizationPeriodSeconds() external view returns (uint256) {
        return FINALIZATION_PERIOD_SECONDS;
    }

    /// @notice The output with this index.
    function getL2Output(uint256 _l2OutputIndex) public view returns (Types.OutputProposal memory) {
        uint256 count = l2Outputs.length;
        if (_l2OutputIndex >= count) revert OutputNotFound(_l2OutputIndex, count);
        return l2Outputs[_l2OutputIndex];
    }

    /// @notice Index of the first output at or after a block. Tools know by the text of the refusal
    ///         that they have to wait.
    function getL2OutputIndexAfter(uint256 _l2BlockNumber) public view returns (uint256) {
        uint256 upper = l2Outputs.length;
        require(
            upper != 0 && _l2BlockNumber <= l2Outputs[upper - 1].l2BlockNumber,
            "L2OutputOracle: cannot get output for a block that has not been proposed"
        );
        uint256 lower = 0;
        while (lower < upper) {
            uint256 middle = (lower + upper) / 2;
            if (l2Outputs[middle].l2BlockNumber < _l2BlockNumber) lower = middle + 1;
            else upper = middle;
        }
        return lower;
    }

    /// @notice The newest block that has an output, or the rollup's first one.
    function latestBlockNumber() public view returns (uint256) {
        uint256 count = l2Outputs.length;
        return count == 0 ? startingBlockNumber : l2Outputs[count - 1].l2BlockNumber;
    }

    /// @notice The block whose output is due next.
    function nextBlockNumber() public view returns (uint256) {
        return latestBlockNumber() + SUBMISSION_INTERVAL;
    }

    /// @notice Time of an L2 block, in seconds.
    function computeL2Timestamp(uint256 _l2BlockNumber) public view returns (uint256) {
        return startingTimestamp + (_l2BlockNumber - startingBlockNumber) * L2_BLOCK_TIME;
    }
}

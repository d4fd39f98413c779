// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockHeader} from "@openzeppelin/contracts/utils/BlockHeader.sol";
import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";
import {TrieProof} from "@openzeppelin/contracts/utils/cryptography/TrieProof.sol";
import {AttributionBatch} from "../libraries/AttributionBatch.sol";
import {AttributionRecord} from "../libraries/AttributionRecord.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {Types} from "../libraries/Types.sol";
import {L2OutputOracle} from "./L2OutputOracle.sol";

/// @title AttributionVerifier
/// @notice Shows L1 that a receipt is on the rollup: record, batch, log, transaction receipt, block,
///         blocks that knew its hash, output root. It holds nothing and trusts the oracle alone.
/// @dev    Bytes that are no RLP are refused with RLPInvalidEncoding or a panic of the library.
contract AttributionVerifier {
    using BlockHeader for Memory.Slice[];
    using Memory for *;
    using RLP for *;

    /// @notice That one block knew the hash of an earlier one, by EIP-1186 proofs under its state.
    /// @param accountProof From the state root to the history contract (EIP-2935).
    /// @param storageProof From there to the slot of the earlier block.
    struct HistoryStep {
        bytes[] accountProof;
        bytes[] storageProof;
    }

    /// @notice What proof.json has, without where the oracle is.
    /// @param outputIndex      Of the output that all rests on.
    /// @param logger           Who wrote the receipt.
    /// @param stream           Into which of its streams.
    /// @param seq              The receipt's number there.
    /// @param record           Its encoding.
    /// @param batchPath        Siblings from its leaf to the batch root.
    /// @param logIndex         Of the batch's event within its transaction.
    /// @param transactionIndex Within the block.
    /// @param receiptProof     Trie nodes from the receipts root to the transaction's receipt.
    /// @param headers          From the receipt's block to the output's.
    /// @param history          Step i shows the hash of header i in the state of header i + 1.
    struct Proof {
        uint256 outputIndex;
        address logger;
        uint64 stream;
        uint64 seq;
        bytes record;
        bytes32[] batchPath;
        uint64 logIndex;
        uint64 transactionIndex;
        bytes[] receiptProof;
        bytes[] headers;
        HistoryStep[] history;
    }

    /// @notice What a proof shows.
    /// @param record      The receipt.
    /// @param blockNumber Of the rollup's block that holds it.
    /// @param timestamp   Of that block, in seconds.
    /// @param blockHash   Of that block.
    /// @param finalAfter  The output may be deleted until L1's time is greater than this, in seconds.
    struct Receipt {
        AttributionRecord.Record record;
        uint256 blockNumber;
        uint256 timestamp;
        bytes32 blockHash;
        uint256 finalAfter;
    }

    /// @dev What is read of a header.
    struct Block {
        bytes32 hash;
        bytes32 stateRoot;
        bytes32 receiptsRoot;
        bytes32 withdrawalsRoot;
        uint256 number;
        uint256 timestamp;
    }

    /// @dev The event of a batch.
    struct Batch {
        uint256 fromSeq;
        uint256 count;
        bytes32 root;
    }

    /// @dev The precompile that writes receipts on the rollup.
    address private constant ATTRIBUTION = 0x0000000000000000000000000000000000000A77;

    bytes32 private constant APPENDED = keccak256("Appended(address,uint64,uint64,uint64,uint128,bytes32)");

    /// @dev EIP-2935: where a chain keeps the hashes of its last blocks, and of how many.
    address private constant HISTORY_STORAGE = 0x0000F90827F1C53a10cb7A02335B175320002935;
    uint256 private constant HISTORY_WINDOW = 8191;

    /// @dev A receipt's type is in front of its list, if it has one.
    uint8 private constant LIST = 0xc0;
    uint8 private constant DEPOSIT = 0x7e;

    /// @notice Semantic version of this contract.
    string public constant version = "1.0.0";

    /// @notice The rollup's states as claimed on L1.
    L2OutputOracle public immutable l2Oracle;

    /// @notice The call data is not the one encoding of its proof.
    error NotCanonical();

    /// @notice From the oracle: there is no such output (any more).
    error OutputNotFound(uint256 index, uint256 count);

    /// @notice The last header does not give the output root that the oracle holds.
    error OutputRootMismatch(bytes32 expected, bytes32 actual);

    /// @notice The oracle holds that output for another block than the last header's.
    error OutputBlockMismatch(uint256 expected, uint256 actual);

    /// @notice The output may still be deleted.
    /// @param finalAfter It is final when L1's time is greater than this.
    error OutputNotFinal(uint256 finalAfter);

    /// @notice Each header but the last needs a step to the next; there is one header at least.
    error WrongHistoryLength(uint256 headers, uint256 steps);

    /// @notice The nodes of a step do not lead to the earlier block's slot.
    error InvalidHistoryProof(uint256 step, TrieProof.ProofError reason);

    /// @notice The later block is not after the earlier one, or too far to know its hash.
    error HistoryOutOfReach(uint256 earlier, uint256 later);

    /// @notice The later block knew another hash.
    error HistoryMismatch(uint256 step, bytes32 known, bytes32 given);

    /// @notice The nodes do not lead to the transaction's receipt.
    error InvalidReceiptProof(TrieProof.ProofError reason);

    /// @notice A proof lists a node that is part of the one before it.
    error NodeTooShort(uint256 index);

    /// @notice That is no receipt of a transaction that succeeded.
    error TransactionFailed();

    /// @notice The transaction has fewer logs.
    error LogNotFound(uint256 index, uint256 count);

    /// @notice The log is not the event of a batch of this stream.
    error NotAppended();

    /// @notice The record is not this number of the stream, by the batch's root.
    error InvalidBatchPath();

    /// @param l2Oracle_ The rollup's output oracle.
    constructor(L2OutputOracle l2Oracle_) {
        l2Oracle = l2Oracle_;
    }

    /// @notice What a proof shows, if its output is true; it may not be final yet.
    function verify(Proof calldata proof) external view returns (Receipt memory) {
        return _verify(proof);
    }

    /// @notice What a proof shows whose output can no longer be deleted.
    function verifyFinal(Proof calldata proof) external view returns (Receipt memory receipt) {
        receipt = _verify(proof);
        if (block.timestamp <= receipt.finalAfter) revert OutputNotFinal(receipt.finalAfter);
    }

    function _verify(Proof calldata proof) private view returns (Receipt memory receipt) {
        if (keccak256(abi.encode(proof)) != keccak256(msg.data[4:])) revert NotCanonical();
        receipt.record = AttributionRecord.decode(proof.record);
        uint256 count = proof.headers.length;
        if (count == 0 || proof.history.length != count - 1) revert WrongHistoryLength(count, proof.history.length);

        Block memory first = _readHeader(proof.headers[0]);
        Block memory last = first;
        for (uint256 i = 1; i < count; ++i) {
            Block memory earlier = last;
            last = _readHeader(proof.headers[i]);
            _checkStep(i - 1, proof.history[i - 1], earlier, last);
        }
        receipt.finalAfter = _checkOutput(proof.outputIndex, last);
        _checkBatch(proof, first.receiptsRoot);
        (receipt.blockNumber, receipt.timestamp, receipt.blockHash) = (first.number, first.timestamp, first.hash);
    }

    function _checkOutput(uint256 index, Block memory last) private view returns (uint256 finalAfter) {
        Types.OutputProposal memory output = l2Oracle.getL2Output(index);
        bytes32 root = Hashing.outputRoot(last.stateRoot, last.withdrawalsRoot, last.hash);
        if (root != output.outputRoot) revert OutputRootMismatch(output.outputRoot, root);
        if (last.number != output.l2BlockNumber) revert OutputBlockMismatch(output.l2BlockNumber, last.number);
        return output.timestamp + l2Oracle.FINALIZATION_PERIOD_SECONDS();
    }

    function _readHeader(bytes memory header) private pure returns (Block memory result) {
        Memory.Slice[] memory fields = BlockHeader.parseHeader(header);
        result.hash = keccak256(header);
        result.stateRoot = fields.getStateRoot();
        result.receiptsRoot = fields.getReceiptsRoot();
        result.withdrawalsRoot = fields.getWithdrawalsRoot();
        result.number = fields.getNumber();
        result.timestamp = fields.getTimestamp();
    }

    function _checkStep(
        uint256 step,
        HistoryStep calldata history,
        Block memory earlier,
        Block memory later
    ) private pure {
        if (later.number <= earlier.number || later.number - earlier.number > HISTORY_WINDOW) {
            revert HistoryOutOfReach(earlier.number, later.number);
        }
        bytes memory account = _historyNode(
            step, later.stateRoot, keccak256(abi.encodePacked(HISTORY_STORAGE)), history.accountProof
        );
        // An account is [nonce, balance, storage root, code hash].
        bytes32 storageRoot = account.decodeList()[2].readBytes32();
        bytes32 slot = keccak256(abi.encode(earlier.number % HISTORY_WINDOW));
        bytes32 known = _historyNode(step, storageRoot, slot, history.storageProof).decodeBytes32();
        if (known != earlier.hash) revert HistoryMismatch(step, known, earlier.hash);
    }

    function _historyNode(
        uint256 step,
        bytes32 root,
        bytes32 key,
        bytes[] calldata nodes
    ) private pure returns (bytes memory) {
        (bytes memory value, TrieProof.ProofError reason) = _traverse(root, abi.encodePacked(key), nodes);
        if (reason != TrieProof.ProofError.NO_ERROR) revert InvalidHistoryProof(step, reason);
        return value;
    }

    function _checkBatch(Proof calldata proof, bytes32 receiptsRoot) private pure {
        Batch memory batch = _readBatch(proof, receiptsRoot);
        bytes32 leaf = AttributionBatch.leaf(proof.logger, proof.stream, proof.seq, proof.record);
        if (proof.seq < batch.fromSeq) revert InvalidBatchPath();
        uint256 index = proof.seq - batch.fromSeq;
        if (!AttributionBatch.contains(batch.root, batch.count, index, leaf, proof.batchPath)) {
            revert InvalidBatchPath();
        }
    }

    function _readBatch(Proof calldata proof, bytes32 receiptsRoot) private pure returns (Batch memory) {
        bytes memory key = RLP.encode(uint256(proof.transactionIndex));
        (bytes memory receipt, TrieProof.ProofError reason) = _traverse(receiptsRoot, key, proof.receiptProof);
        if (reason != TrieProof.ProofError.NO_ERROR) revert InvalidReceiptProof(reason);
        // [status, gas used up to here, bloom, logs]; a deposit's has two numbers more.
        Memory.Slice[] memory fields = _receiptFields(receipt);
        if (fields[0].readUint256() != 1) revert TransactionFailed();
        Memory.Slice[] memory logs = fields[3].readList();
        if (proof.logIndex >= logs.length) revert LogNotFound(proof.logIndex, logs.length);
        return _readLog(logs[proof.logIndex].readList(), proof.logger, proof.stream);
    }

    function _receiptFields(bytes memory receipt) private pure returns (Memory.Slice[] memory fields) {
        uint8 kind = uint8(receipt[0]);
        fields = (kind >= LIST ? receipt.asSlice() : receipt.asSlice().slice(1)).readList();
        if (fields.length != (kind == DEPOSIT ? 6 : 4)) revert TransactionFailed();
    }

    function _readLog(
        Memory.Slice[] memory fields,
        address logger,
        uint64 stream
    ) private pure returns (Batch memory batch) {
        // [emitter, topics, data]
        if (fields.length != 3 || fields[0].readAddress() != ATTRIBUTION) revert NotAppended();
        Memory.Slice[] memory topics = fields[1].readList();
        if (topics.length != 3 || topics[0].readBytes32() != APPENDED) revert NotAppended();
        if (topics[1].readBytes32() != bytes32(uint256(uint160(logger)))) revert NotAppended();
        if (topics[2].readBytes32() != bytes32(uint256(stream))) revert NotAppended();
        bytes memory data = fields[2].readBytes();
        if (data.length != 128) revert NotAppended();
        (batch.fromSeq, batch.count, , batch.root) = abi.decode(data, (uint64, uint64, uint128, bytes32));
    }

    /// @dev A node that is part of another is not to be listed: a proof has one form.
    function _traverse(
        bytes32 root,
        bytes memory key,
        bytes[] calldata nodes
    ) private pure returns (bytes memory, TrieProof.ProofError) {
        for (uint256 i = 1; i < nodes.length; ++i) {
            if (nodes[i].length < 32) revert NodeTooShort(i);
        }
        return TrieProof.tryTraverse(root, key, nodes);
    }
}

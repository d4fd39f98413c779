// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {AttributionStreams} from "../../libraries/AttributionStreams.sol";

/// @title LoggerStreams
/// @notice Whose receipts count for a model, and how much of them has been paid.
abstract contract LoggerStreams {
    /// @notice The life of a logger's stream: written for its model, closed with what it held, or
    ///         closed without.
    enum StreamStatus {
        NONE,
        ACTIVE,
        RETIRED,
        ABANDONED
    }

    /// @notice How much of a logger's receipts has been paid.
    /// @param settledGwei   Of the receipts' amounts.
    /// @param settledCredit Of the credit of all datasets.
    /// @param status        Whether more receipts count.
    /// @param finalGwei     What the stream held when its logger retired.
    /// @param finalCredit   The credit that the stream held then.
    struct StreamState {
        bytes32 modelKey;
        uint96 settledGwei;
        uint128 settledCredit;
        StreamStatus status;
        uint96 finalGwei;
        uint128 finalCredit;
    }

    /// @dev What is kept of a dataset's credit in a logger's stream.
    /// @param paid        What has been paid for.
    /// @param finalCredit What it had when the logger retired; zero before.
    struct CreditNote {
        uint128 paid;
        uint128 finalCredit;
    }

    mapping(address => mapping(uint64 => StreamState)) internal _streams;

    /// @dev By logger, stream and dataset.
    mapping(address => mapping(uint64 => mapping(uint32 => CreditNote))) internal _credits;

    /// @notice The receipts in a logger's stream count from now on.
    event LoggerAppointed(bytes32 indexed modelKey, address indexed logger);
    /// @notice What a logger has written stays payable, up to these totals of its stream.
    event LoggerRetired(
        bytes32 indexed modelKey, address indexed logger, uint96 finalGwei, uint128 finalCredit
    );
    /// @notice What a logger has written and was not paid is given up.
    event LoggerAbandoned(bytes32 indexed modelKey, address indexed logger);

    /// @notice Datasets are named once each, in ascending order; `index` is the first that is not.
    error DatasetsNotAscending(uint256 index);
    /// @notice The named datasets have not all of the unpaid credit: one is missing.
    error DatasetsIncomplete(uint256 coveredCredit, uint256 unsettledCredit);
    /// @notice A logger is appointed once for a model.
    error LoggerAlreadyAppointed(address logger);
    /// @notice The logger has written receipts into the model's stream before its appointment.
    error LoggerNotFresh(address logger, uint64 receipts);
    /// @notice It was never appointed for this model.
    error UnknownLogger(address logger);

    /// @notice The stream in which loggers write a model's receipts.
    function streamOf(bytes32 modelKey) public pure returns (uint64) {
        return uint64(bytes8(modelKey));
    }

    /// @notice How much of a logger's receipts has been paid.
    function streamState(bytes32 modelKey, address logger) external view returns (StreamState memory) {
        return _streamFor(modelKey, logger);
    }

    /// @notice What can still be settled of a logger's receipts.
    function unsettled(
        bytes32 modelKey,
        address logger
    ) external view returns (uint256 amountGwei, uint256 credit) {
        return _unsettled(_streamFor(modelKey, logger), logger, streamOf(modelKey));
    }

    /// @notice A dataset's unpaid credit in a logger's receipts.
    function unsettledCredit(
        bytes32 modelKey,
        address logger,
        uint32 dataset_
    ) external view returns (uint256) {
        StreamStatus status = _streamFor(modelKey, logger).status;
        if (status == StreamStatus.ABANDONED) return 0;
        uint64 stream = streamOf(modelKey);
        CreditNote storage note = _credits[logger][stream][dataset_];
        return _unsettledCredit(note, logger, stream, dataset_, status == StreamStatus.ACTIVE);
    }

    /// @dev Lets a logger's stream count, which has to be empty.
    function _appoint(bytes32 modelKey, address logger) internal {
        uint64 stream = streamOf(modelKey);
        StreamState storage state = _streams[logger][stream];
        if (state.status != StreamStatus.NONE) revert LoggerAlreadyAppointed(logger);
        (uint64 count,,) = AttributionStreams.head(logger, stream);
        if (count != 0) revert LoggerNotFresh(logger, count);
        (state.modelKey, state.status) = (modelKey, StreamStatus.ACTIVE);
        emit LoggerAppointed(modelKey, logger);
    }

    /// @dev Notes what the stream holds, dataset by dataset: its writer could add to it later.
    function _retire(bytes32 modelKey, address logger, uint32[] calldata datasets) internal {
        uint64 stream = streamOf(modelKey);
        StreamState storage state = _streams[logger][stream];
        (, uint128 amount, uint128 credited) = AttributionStreams.head(logger, stream);
        uint256 covered = 0;
        for (uint256 i = 0; i < datasets.length; ++i) {
            uint32 id = datasets[i];
            if (i != 0 && id <= datasets[i - 1]) revert DatasetsNotAscending(i);
            CreditNote storage note = _credits[logger][stream][id];
            uint256 credit = _unsettledCredit(note, logger, stream, id, true);
            if (credit == 0) continue;
            note.finalCredit = note.paid + uint128(credit);
            covered += credit;
        }
        uint256 whole = credited - state.settledCredit;
        if (covered != whole) revert DatasetsIncomplete(covered, whole);
        state.status = StreamStatus.RETIRED;
        (state.finalGwei, state.finalCredit) = (uint96(amount), credited);
        emit LoggerRetired(modelKey, logger, uint96(amount), credited);
    }

    /// @dev Gives up what the stream holds and is not paid.
    function _abandon(bytes32 modelKey, address logger) internal {
        _streams[logger][streamOf(modelKey)].status = StreamStatus.ABANDONED;
        emit LoggerAbandoned(modelKey, logger);
    }

    /// @dev The stream of a logger that has ever been appointed for the model.
    function _streamFor(
        bytes32 modelKey,
        address logger
    ) internal view returns (StreamState storage state) {
        state = _streams[logger][streamOf(modelKey)];
        // Streams of different models may have the same 8 bytes: the whole key decides.
        bool isKnown = state.modelKey == modelKey && state.status != StreamStatus.NONE;
        if (!isKnown) revert UnknownLogger(logger);
    }

    /// @dev What receipts hold that count and are not paid.
    function _unsettled(
        StreamState storage state,
        address logger,
        uint64 stream
    ) internal view returns (uint256 amountGwei, uint256 credit) {
        if (state.status == StreamStatus.ABANDONED) return (0, 0);
        if (state.status == StreamStatus.RETIRED) {
            return (state.finalGwei - state.settledGwei, state.finalCredit - state.settledCredit);
        }
        (, uint128 amount, uint128 credited) = AttributionStreams.head(logger, stream);
        return (amount - state.settledGwei, credited - state.settledCredit);
    }

    /// @dev A dataset that was not named when the logger retired had nothing unpaid then.
    function _unsettledCredit(
        CreditNote storage note,
        address logger,
        uint64 stream,
        uint32 dataset_,
        bool isActive
    ) internal view returns (uint256) {
        if (isActive) return AttributionStreams.credit(logger, stream, dataset_) - note.paid;
        return Math.saturatingSub(note.finalCredit, note.paid);
    }
}

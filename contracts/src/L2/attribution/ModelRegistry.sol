// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AttributionStreams} from "../../libraries/AttributionStreams.sol";

/// @title ModelRegistry
/// @notice Datasets, models, and who writes the receipts of a model.
abstract contract ModelRegistry {
    /// @notice What is kept of a dataset.
    struct Dataset {
        address owner;
        address payout;
        bytes32 contentHash;
    }

    /// @notice What is kept of a model. `logger` is zero while it has none.
    struct Model {
        address owner;
        uint64 priceGwei;
        uint16 ownerBps;
        uint8 declaredCount;
        address payout;
        address logger;
        uint32[16] declared;
    }

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

    /// @notice Most datasets that a model declares.
    uint256 public constant MAX_DECLARED = 16;

    uint256 internal constant FULL_BPS = 10_000;

    /// @notice Datasets so far: their ids are 1 to this.
    uint32 public datasetCount;

    mapping(uint32 => Dataset) internal _datasets;
    mapping(bytes32 => Model) internal _models;
    mapping(address => mapping(uint64 => StreamState)) internal _streams;

    /// @dev By logger, stream and dataset: the credit that has been paid for while the stream is
    ///      active, the credit that has not once it is retired.
    mapping(address => mapping(uint64 => mapping(uint32 => uint256))) internal _credits;

    event DatasetRegistered(
        uint32 indexed id, address indexed owner, address payout, bytes32 contentHash, string uri
    );
    event DatasetPayoutChanged(uint32 indexed id, address payout);
    event ModelRegistered(
        bytes32 indexed modelKey, address indexed owner, bytes32 modelHash, bytes32 salt, string uri
    );
    event ModelTerms(
        bytes32 indexed modelKey,
        uint64 stream,
        uint64 priceGwei,
        uint16 ownerBps,
        address payout,
        uint32[] declaredDatasets
    );
    event PriceChanged(bytes32 indexed modelKey, uint64 priceGwei);
    event ModelPayoutChanged(bytes32 indexed modelKey, address payout);
    event TrainingRecorded(bytes32 indexed modelKey, uint32 indexed dataset, bytes32 runHash);
    event LoggerAppointed(bytes32 indexed modelKey, address indexed logger);
    event LoggerRetired(
        bytes32 indexed modelKey, address indexed logger, uint96 finalGwei, uint128 finalCredit
    );
    event LoggerAbandoned(bytes32 indexed modelKey, address indexed logger);

    error NotOwner(address owner);
    error UnknownModel(bytes32 modelKey);
    error ModelExists(bytes32 modelKey);
    error UnknownDataset(uint32 dataset);
    error BadPayout(address payout);
    error BadShare(uint16 ownerBps);
    error TooManyDatasets(uint256 given, uint256 maximum);
    error DatasetsNotAscending(uint256 index);
    error DatasetsIncomplete(uint256 coveredCredit, uint256 unsettledCredit);
    error LoggerAlreadyAppointed(address logger);
    error LoggerNotFresh(address logger, uint64 receipts);
    error UnknownLogger(address logger);
    error NoLogger(bytes32 modelKey);

    modifier onlyModelOwner(bytes32 modelKey) {
        address owner = _models[modelKey].owner;
        if (owner == address(0)) revert UnknownModel(modelKey);
        if (msg.sender != owner) revert NotOwner(owner);
        _;
    }

    /// @notice Registers a dataset of the caller. Its id is one more than the last.
    /// @param contentHash Commitment to its content.
    /// @param uri         Where it is described.
    /// @param payout      Who is paid for it: neither zero nor this contract.
    function registerDataset(
        bytes32 contentHash,
        string calldata uri,
        address payout
    ) external returns (uint32 id) {
        _checkPayout(payout);
        id = ++datasetCount;
        _datasets[id] = Dataset(msg.sender, payout, contentHash);
        emit DatasetRegistered(id, msg.sender, payout, contentHash, uri);
    }

    /// @notice Changes who is paid for a dataset from now on.
    function setDatasetPayout(uint32 id, address payout) external {
        Dataset storage entry = _datasets[id];
        if (entry.owner == address(0)) revert UnknownDataset(id);
        if (entry.owner != msg.sender) revert NotOwner(entry.owner);
        _checkPayout(payout);
        entry.payout = payout;
        emit DatasetPayoutChanged(id, payout);
    }

    /// @notice Registers a model of the caller. Share and declared datasets are for ever, so that
    ///         contributors know their terms.
    /// @param modelHash        Commitment to the model.
    /// @param salt             Lets an owner register the same model more than once.
    /// @param logger           Who writes its receipts; zero to appoint one later.
    /// @param priceGwei        Asking price of an answer; information only.
    /// @param ownerBps         The owner's share of what is charged, in basis points.
    /// @param payout           Who receives the owner's share.
    /// @param declaredDatasets Who share in what no dataset is credited with; strictly ascending.
    function registerModel(
        bytes32 modelHash,
        string calldata uri,
        bytes32 salt,
        address logger,
        uint64 priceGwei,
        uint16 ownerBps,
        address payout,
        uint32[] calldata declaredDatasets
    ) external returns (bytes32 modelKey) {
        modelKey = modelKeyOf(msg.sender, modelHash, salt);
        if (_models[modelKey].owner != address(0)) revert ModelExists(modelKey);
        emit ModelRegistered(modelKey, msg.sender, modelHash, salt, uri);
        _setTerms(modelKey, priceGwei, ownerBps, payout, declaredDatasets);
        if (logger != address(0)) _appoint(modelKey, logger);
    }

    /// @notice Changes the asking price.
    function setPrice(bytes32 modelKey, uint64 priceGwei) external onlyModelOwner(modelKey) {
        _models[modelKey].priceGwei = priceGwei;
        emit PriceChanged(modelKey, priceGwei);
    }

    /// @notice Changes who receives the owner's share from now on.
    function setModelPayout(bytes32 modelKey, address payout) external onlyModelOwner(modelKey) {
        _checkPayout(payout);
        _models[modelKey].payout = payout;
        emit ModelPayoutChanged(modelKey, payout);
    }

    /// @notice Records that a model was trained on a dataset. The block gives the time.
    /// @param runHash Commitment to the training run.
    function recordTraining(
        bytes32 modelKey,
        uint32 dataset_,
        bytes32 runHash
    ) external onlyModelOwner(modelKey) {
        if (_datasets[dataset_].owner == address(0)) revert UnknownDataset(dataset_);
        emit TrainingRecorded(modelKey, dataset_, runHash);
    }

    /// @notice Appoints the first or the next logger. Receipts which the present one has written
    ///         stay payable; what it writes from now on is not.
    /// @param logger   Its stream of this model has to be empty, and it can be appointed only once.
    /// @param datasets All datasets with unpaid credit of the present logger, strictly ascending.
    function appointLogger(
        bytes32 modelKey,
        address logger,
        uint32[] calldata datasets
    ) external onlyModelOwner(modelKey) {
        address present = _models[modelKey].logger;
        if (present != address(0)) _retire(modelKey, present, datasets);
        _models[modelKey].logger = address(0);
        if (logger != address(0)) _appoint(modelKey, logger);
    }

    /// @notice Ends the present logger's work and gives up what it has written and is not paid: the
    ///         way out if it credited more datasets than a transaction can name.
    function abandonLogger(bytes32 modelKey) external onlyModelOwner(modelKey) {
        address logger = _models[modelKey].logger;
        if (logger == address(0)) revert NoLogger(modelKey);
        _streams[logger][streamOf(modelKey)].status = StreamStatus.ABANDONED;
        _models[modelKey].logger = address(0);
        emit LoggerAbandoned(modelKey, logger);
    }

    /// @notice The key of a model that `owner` registers.
    function modelKeyOf(
        address owner,
        bytes32 modelHash,
        bytes32 salt
    ) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), owner, modelHash, salt));
    }

    /// @notice The stream in which loggers write a model's receipts.
    function streamOf(bytes32 modelKey) public pure returns (uint64) {
        return uint64(bytes8(modelKey));
    }

    /// @notice A dataset; UnknownDataset if there is none.
    function dataset(uint32 id) external view returns (Dataset memory) {
        if (_datasets[id].owner == address(0)) revert UnknownDataset(id);
        return _datasets[id];
    }

    /// @notice A model; UnknownModel if there is none.
    function model(bytes32 modelKey) external view returns (Model memory) {
        if (_models[modelKey].owner == address(0)) revert UnknownModel(modelKey);
        return _models[modelKey];
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
        bool isActive = _streamFor(modelKey, logger).status == StreamStatus.ACTIVE;
        return _unsettledCredit(logger, streamOf(modelKey), dataset_, isActive);
    }

    function _checkPayout(address payout) private view {
        if (payout == address(0) || payout == address(this)) revert BadPayout(payout);
    }

    function _setTerms(
        bytes32 modelKey,
        uint64 priceGwei,
        uint16 ownerBps,
        address payout,
        uint32[] calldata declared
    ) private {
        if (ownerBps > FULL_BPS) revert BadShare(ownerBps);
        if (declared.length > MAX_DECLARED) revert TooManyDatasets(declared.length, MAX_DECLARED);
        _checkPayout(payout);
        Model storage entry = _models[modelKey];
        (entry.owner, entry.priceGwei, entry.ownerBps) = (msg.sender, priceGwei, ownerBps);
        (entry.declaredCount, entry.payout) = (uint8(declared.length), payout);
        for (uint256 i = 0; i < declared.length; ++i) {
            if (_datasets[declared[i]].owner == address(0)) revert UnknownDataset(declared[i]);
            if (i != 0 && declared[i] <= declared[i - 1]) revert DatasetsNotAscending(i);
            entry.declared[i] = declared[i];
        }
        emit ModelTerms(modelKey, streamOf(modelKey), priceGwei, ownerBps, payout, declared);
    }

    function _appoint(bytes32 modelKey, address logger) private {
        uint64 stream = streamOf(modelKey);
        StreamState storage state = _streams[logger][stream];
        if (state.status != StreamStatus.NONE) revert LoggerAlreadyAppointed(logger);
        (uint64 count,,) = AttributionStreams.head(logger, stream);
        if (count != 0) revert LoggerNotFresh(logger, count);
        (state.modelKey, state.status) = (modelKey, StreamStatus.ACTIVE);
        _models[modelKey].logger = logger;
        emit LoggerAppointed(modelKey, logger);
    }

    /// @dev Notes what the stream holds, dataset by dataset: its writer could add to it later.
    function _retire(bytes32 modelKey, address logger, uint32[] calldata datasets) private {
        uint64 stream = streamOf(modelKey);
        StreamState storage state = _streams[logger][stream];
        (, uint128 amount, uint128 credited) = AttributionStreams.head(logger, stream);
        uint256 covered = 0;
        for (uint256 i = 0; i < datasets.length; ++i) {
            uint32 id = datasets[i];
            if (i != 0 && id <= datasets[i - 1]) revert DatasetsNotAscending(i);
            uint256 credit = _unsettledCredit(logger, stream, id, true);
            _credits[logger][stream][id] = credit;
            covered += credit;
        }
        uint256 whole = credited - state.settledCredit;
        if (covered != whole) revert DatasetsIncomplete(covered, whole);
        state.status = StreamStatus.RETIRED;
        (state.finalGwei, state.finalCredit) = (uint96(amount), credited);
        emit LoggerRetired(modelKey, logger, uint96(amount), credited);
    }

    function _streamFor(
        bytes32 modelKey,
        address logger
    ) internal view returns (StreamState storage stream) {
        stream = _streams[logger][streamOf(modelKey)];
        // Streams of different models may have the same 8 bytes: the whole key decides.
        if (stream.modelKey != modelKey) revert UnknownLogger(logger);
    }

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

    function _unsettledCredit(
        address logger,
        uint64 stream,
        uint32 dataset_,
        bool isActive
    ) internal view returns (uint256) {
        uint256 noted = _credits[logger][stream][dataset_];
        return isActive ? AttributionStreams.credit(logger, stream, dataset_) - noted : noted;
    }
}

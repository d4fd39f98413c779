// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DatasetRegistry} from "./DatasetRegistry.sol";
import {LoggerStreams} from "./LoggerStreams.sol";

/// @title ModelRegistry
/// @notice Models, their terms, and who writes their receipts.
abstract contract ModelRegistry is DatasetRegistry, LoggerStreams {
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

    /// @notice Most datasets that a model declares.
    uint256 public constant MAX_DECLARED = 16;

    uint256 internal constant FULL_BPS = 10_000;

    mapping(bytes32 => Model) internal _models;

    /// @notice A model exists from now on; its terms follow.
    event ModelRegistered(
        bytes32 indexed modelKey, address indexed owner, bytes32 modelHash, bytes32 salt, string uri
    );
    /// @notice How a model's income is split, for ever but for price and payout.
    event ModelTerms(
        bytes32 indexed modelKey,
        uint64 stream,
        uint64 priceGwei,
        uint16 ownerBps,
        address payout,
        uint32[] declaredDatasets
    );
    /// @notice The asking price of an answer has changed.
    event PriceChanged(bytes32 indexed modelKey, uint64 priceGwei);
    /// @notice The owner's share goes to another account from now on.
    event ModelPayoutChanged(bytes32 indexed modelKey, address payout);
    /// @notice The owner says that the model was trained on a dataset.
    event TrainingRecorded(bytes32 indexed modelKey, uint32 indexed dataset, bytes32 runHash);

    /// @notice No model has this key.
    error UnknownModel(bytes32 modelKey);
    /// @notice The caller has registered this model with this salt already.
    error ModelExists(bytes32 modelKey);
    /// @notice A share above 10,000 basis points.
    error BadShare(uint16 ownerBps);
    /// @notice A model declares no more datasets than that.
    error TooManyDatasets(uint256 given, uint256 maximum);
    /// @notice The model has no logger that could be retired or abandoned.
    error NoLogger(bytes32 modelKey);

    modifier onlyModelOwner(bytes32 modelKey) {
        address owner = _models[modelKey].owner;
        if (owner == address(0)) revert UnknownModel(modelKey);
        if (msg.sender != owner) revert NotOwner(owner);
        _;
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
        if (logger == address(0)) return modelKey;
        _appoint(modelKey, logger);
        _models[modelKey].logger = logger;
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
    ///                 Zero leaves the model without one.
    /// @param datasets All datasets with unpaid credit of the present logger, strictly ascending.
    function appointLogger(
        bytes32 modelKey,
        address logger,
        uint32[] calldata datasets
    ) external onlyModelOwner(modelKey) {
        address present = _models[modelKey].logger;
        if (present == address(0) && logger == address(0)) revert NoLogger(modelKey);
        if (present != address(0)) _retire(modelKey, present, datasets);
        if (logger != address(0)) _appoint(modelKey, logger);
        _models[modelKey].logger = logger;
    }

    /// @notice Ends the present logger's work and gives up what it has written and is not paid: the
    ///         way out if it credited more datasets than a transaction can name.
    function abandonLogger(bytes32 modelKey) external onlyModelOwner(modelKey) {
        address logger = _models[modelKey].logger;
        if (logger == address(0)) revert NoLogger(modelKey);
        _abandon(modelKey, logger);
        _models[modelKey].logger = address(0);
    }

    /// @notice The key of a model that `owner` registers.
    function modelKeyOf(
        address owner,
        bytes32 modelHash,
        bytes32 salt
    ) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), owner, modelHash, salt));
    }

    /// @notice A model; UnknownModel if there is none.
    function model(bytes32 modelKey) external view returns (Model memory) {
        if (_models[modelKey].owner == address(0)) revert UnknownModel(modelKey);
        return _models[modelKey];
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
}

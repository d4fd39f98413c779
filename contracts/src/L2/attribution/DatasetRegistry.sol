// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title DatasetRegistry
/// @notice What models were made from, and who is paid for it.
abstract contract DatasetRegistry {
    /// @notice What is kept of a dataset.
    struct Dataset {
        address owner;
        address payout;
        bytes32 contentHash;
    }

    /// @notice Datasets so far: their ids are 1 to this.
    uint32 public datasetCount;

    mapping(uint32 => Dataset) internal _datasets;

    /// @notice A dataset exists from now on.
    event DatasetRegistered(
        uint32 indexed id, address indexed owner, address payout, bytes32 contentHash, string uri
    );
    /// @notice A dataset is paid to another account from now on.
    event DatasetPayoutChanged(uint32 indexed id, address payout);

    /// @notice Only this account may do that.
    error NotOwner(address owner);
    /// @notice No dataset has this id.
    error UnknownDataset(uint32 dataset);
    /// @notice An account that could never claim: zero, or this contract.
    error BadPayout(address payout);

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

    /// @notice A dataset; UnknownDataset if there is none.
    function dataset(uint32 id) external view returns (Dataset memory) {
        if (_datasets[id].owner == address(0)) revert UnknownDataset(id);
        return _datasets[id];
    }

    function _checkPayout(address payout) internal view {
        if (payout == address(0) || payout == address(this)) revert BadPayout(payout);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title AttributionRecord
/// @notice Reads the encoding of one receipt: uvarint amount, u8 k, k times (uvarint dataset,
///         uvarint weight), 32 bytes of commitment. There is one encoding of each record.
library AttributionRecord {
    /// @notice One paid inference.
    /// @param amount     What was paid, in gwei.
    /// @param datasets   What shaped the answer, ascending.
    /// @param weights    How much each did, in basis points; what is missing to 10,000 is unattributed.
    /// @param commitment Hash of what it was about.
    struct Record {
        uint64 amount;
        uint32[] datasets;
        uint16[] weights;
        bytes32 commitment;
    }

    uint256 private constant MAX_INFLUENCES = 16;
    uint256 private constant FULL_WEIGHT = 10_000;

    /// @notice These bytes are no record.
    error InvalidRecord();

    /// @notice The record that fills `data`.
    function decode(bytes calldata data) internal pure returns (Record memory record) {
        uint256 cursor;
        uint256 value;
        (value, cursor) = _readUvarint(data, 0, 64);
        record.amount = uint64(value);
        if (cursor >= data.length) revert InvalidRecord();
        uint256 count = uint8(data[cursor++]);
        if (count > MAX_INFLUENCES) revert InvalidRecord();
        (record.datasets, record.weights) = (new uint32[](count), new uint16[](count));
        cursor = _readInfluences(data, cursor, record);
        if (data.length != cursor + 32) revert InvalidRecord();
        record.commitment = bytes32(data[cursor:]);
    }

    function _readInfluences(
        bytes calldata data,
        uint256 cursor,
        Record memory record
    ) private pure returns (uint256) {
        uint256 total;
        for (uint256 i = 0; i < record.datasets.length; ++i) {
            uint256 dataset;
            uint256 weight;
            (dataset, cursor) = _readUvarint(data, cursor, 32);
            if (i != 0 && dataset <= record.datasets[i - 1]) revert InvalidRecord();
            (weight, cursor) = _readUvarint(data, cursor, 14);
            total += weight;
            if (weight == 0 || total > FULL_WEIGHT) revert InvalidRecord();
            (record.datasets[i], record.weights[i]) = (uint32(dataset), uint16(weight));
        }
        return cursor;
    }

    /// @dev LEB128 in its shortest form, below 2^bits.
    function _readUvarint(
        bytes calldata data,
        uint256 cursor,
        uint256 bits
    ) private pure returns (uint256 value, uint256 end) {
        for (uint256 shift = 0; shift < bits; shift += 7) {
            if (cursor >= data.length) revert InvalidRecord();
            uint256 group = uint8(data[cursor++]);
            value |= (group & 0x7f) << shift;
            if (group < 0x80) {
                if ((group == 0 && shift != 0) || value >> bits != 0) revert InvalidRecord();
                return (value, cursor);
            }
        }
        revert InvalidRecord();
    }
}

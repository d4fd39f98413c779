// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title PackedReceipts
/// @notice The receipt precompile as a contract in plain Solidity: the same call, records, state,
///         tree, event and errors. For comparison only.
contract PackedReceipts {
    struct Stream {
        uint40 count;
        uint96 amount;
        uint120 credited;
    }

    /// @dev Where the next byte is read, and whether something wrong has been.
    struct Cursor {
        uint256 place;
        bool isBad;
    }

    /// @dev What the records read so far come to.
    struct Batch {
        uint64 stream;
        uint64 fromSeq;
        uint256 count;
        uint256 amount;
        uint256 credited;
        bytes32[] leaves;
    }

    uint256 private constant _FULL_WEIGHT = 10_000;
    uint256 private constant _MAX_INFLUENCES = 16;

    mapping(address => mapping(uint64 => Stream)) private _streams;
    mapping(address => mapping(uint64 => mapping(uint256 => uint256))) private _credits;

    event Appended(
        address indexed logger,
        uint64 indexed stream,
        uint64 fromSeq,
        uint64 count,
        uint128 amount,
        bytes32 batchRoot
    );

    error BadSequence(uint64 expected);
    error BadRecord(uint256 index);
    error BadInput();
    error Overflow();

    /// @notice Appends records to a stream of the caller.
    function append(
        uint64 stream,
        uint64 fromSeq,
        bytes calldata records
    ) external returns (uint64 nextSeq, uint128 amount, bytes32 batchRoot) {
        if (records.length == 0) revert BadInput();
        Batch memory batch;
        (batch.stream, batch.fromSeq) = (stream, fromSeq);
        // A record has at least 34 bytes.
        batch.leaves = new bytes32[](records.length / 34 + 1);
        Cursor memory cursor;
        while (cursor.place < records.length) _add(batch, records, cursor);
        _advance(batch);
        (nextSeq, amount) = (uint64(fromSeq + batch.count), uint128(batch.amount));
        batchRoot = _root(batch.leaves, batch.count);
        emit Appended(msg.sender, stream, fromSeq, uint64(batch.count), amount, batchRoot);
    }

    /// @notice What a stream holds.
    function head(address logger, uint64 stream) external view returns (uint64, uint128, uint128) {
        Stream storage entry = _streams[logger][stream];
        return (entry.count, entry.amount, entry.credited);
    }

    /// @notice A dataset's credit in it, in gwei x basis points.
    function credit(address logger, uint64 stream, uint32 dataset) external view returns (uint256) {
        return _credits[logger][stream][dataset];
    }

    function _add(Batch memory batch, bytes calldata records, Cursor memory cursor) private {
        uint256 start = cursor.place;
        uint256 paid = _uvarint(records, cursor, 64);
        batch.credited += paid * _influences(records, cursor, batch.stream, paid);
        batch.amount += paid;
        cursor.place += 32;
        if (cursor.isBad || cursor.place > records.length) revert BadRecord(batch.count);
        uint64 seq = uint64(batch.fromSeq + batch.count);
        bytes memory prefix = abi.encodePacked(uint8(0), msg.sender, batch.stream, seq);
        bytes calldata record = records[start:cursor.place];
        batch.leaves[batch.count++] = keccak256(bytes.concat(prefix, record));
    }

    function _advance(Batch memory batch) private {
        Stream storage entry = _streams[msg.sender][batch.stream];
        if (batch.fromSeq != entry.count) revert BadSequence(entry.count);
        uint256 count = batch.count + entry.count;
        uint256 amount = batch.amount + entry.amount;
        uint256 credited = batch.credited + entry.credited;
        bool fits = count <= type(uint40).max && amount <= type(uint96).max;
        if (!fits || credited > type(uint120).max) revert Overflow();
        (entry.count, entry.amount) = (uint40(count), uint96(amount));
        entry.credited = uint120(credited);
    }

    function _influences(
        bytes calldata records,
        Cursor memory cursor,
        uint64 stream,
        uint256 paid
    ) private returns (uint256 weights) {
        uint256 count = _byte(records, cursor);
        if (count > _MAX_INFLUENCES) cursor.isBad = true;
        uint256 least = 0;
        mapping(uint256 => uint256) storage credits = _credits[msg.sender][stream];
        for (uint256 i = 0; i < count && !cursor.isBad; ++i) {
            uint256 dataset = _uvarint(records, cursor, 32);
            uint256 weight = _uvarint(records, cursor, 14);
            weights += weight;
            if (dataset < least || weight == 0 || weights > _FULL_WEIGHT) cursor.isBad = true;
            least = dataset + 1;
            if (paid != 0) credits[dataset] += paid * weight;
        }
    }

    function _uvarint(
        bytes calldata records,
        Cursor memory cursor,
        uint256 bits
    ) private pure returns (uint256 value) {
        uint256 group = 0x80;
        for (uint256 shift = 0; group >= 0x80 && !cursor.isBad; shift += 7) {
            group = _byte(records, cursor);
            value |= (group & 0x7f) << shift;
            if (value >> bits != 0 || (group == 0 && shift != 0)) cursor.isBad = true;
        }
    }

    /// @dev Zero behind the end, where a record is found to be cut off later.
    function _byte(bytes calldata records, Cursor memory cursor) private pure returns (uint256) {
        uint256 place = cursor.place++;
        return place < records.length ? uint8(records[place]) : 0;
    }

    function _root(bytes32[] memory level, uint256 count) private pure returns (bytes32) {
        while (count > 1) {
            for (uint256 i = 0; i + 1 < count; i += 2) {
                level[i / 2] = keccak256(abi.encodePacked(uint8(1), level[i], level[i + 1]));
            }
            if (count % 2 == 1) level[count / 2] = level[count - 1];
            count = (count + 1) / 2;
        }
        return level[0];
    }
}

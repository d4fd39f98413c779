// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title YulReceipts
/// @notice The receipt precompile as a contract, by hand in Yul: the same records, checks, state,
///         tree, event and errors. It shows what is gained by being native, so it is made as cheap
///         as we know how: call data without an ABI, one pass over it, credit summed in memory.
/// @dev    Call data: 0x00, the stream in 8 bytes, the first sequence number in 5, the records.
///         Zero is also the first byte of no selector of this contract.
contract YulReceipts {
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

    uint256 private constant _BAD_SEQUENCE = 0xd86c4521;
    uint256 private constant _BAD_RECORD = 0x2c1d1df4;
    uint256 private constant _BAD_INPUT = 0x2bb9acf7;
    uint256 private constant _OVERFLOW = 0x35278d12;
    bytes32 private constant _APPENDED =
        0x400779f11362dc40b41c1f2ed9ca513b2c0f2066ec67b0396dc100726ee52c94;

    // Memory: the preimage of a leaf (prefix, sequence number, record); that of a slot; sums of
    // credit by the last bits of the dataset, evicted to storage when two meet; the leaves, before
    // them a byte for the prefix of the first inner node.
    uint256 private constant _LEAF = 0x80;
    uint256 private constant _LEAF_SEQ = 0x9d;
    uint256 private constant _LEAF_RECORD = 0xa5;
    uint256 private constant _SLOT = 0x160;
    uint256 private constant _SLOT_DATASET = 0x17d;
    uint256 private constant _SUMS = 0x1a0;
    uint256 private constant _SUMS_END = 0x5a0;
    uint256 private constant _LEAVES = 0x5c0;

    uint256 private constant _NEXT = (1 << 192) + 32;
    uint256 private constant _FOUR_BYTES = 0x80808080 << 224;

    /// @notice What a stream holds.
    function head(
        address logger,
        uint64 stream
    ) external view returns (uint64 count, uint128 amount, uint128 credited) {
        uint256 word = _read(abi.encodePacked(uint8(2), logger, stream));
        return (uint64(word >> 216), uint128(uint96(word >> 120)), uint128(uint120(word)));
    }

    /// @notice A dataset's credit in it, in gwei x basis points.
    function credit(address logger, uint64 stream, uint32 dataset) external view returns (uint256) {
        return _read(abi.encodePacked(uint8(3), logger, stream, dataset));
    }

    function _read(bytes memory key) private view returns (uint256 word) {
        bytes32 slot = keccak256(key);
        assembly {
            word := sload(slot)
        }
    }

    /// @notice Appends records; see above.
    fallback() external {
        assembly {
            function fail(selector) {
                mstore(0, shl(224, selector))
                revert(0, 4)
            }
            function failWith(selector, argument) {
                mstore(0, shl(224, selector))
                mstore(4, argument)
                revert(0, 36)
            }
            function badRecord(cursor) {
                failWith(_BAD_RECORD, shr(5, sub(and(cursor, 0xffffffff), _LEAVES)))
            }
            // Adds a sum (credit, 1 in bit 32, dataset) to its slot.
            function flush(sum) {
                mstore(_SLOT_DATASET, shl(224, sum))
                let slot := keccak256(_SLOT, 33)
                sstore(slot, add(sload(slot), shr(40, sum)))
            }

            let limit := calldatasize()
            if or(lt(limit, 15), byte(0, calldataload(0))) { fail(_BAD_INPUT) }
            let stream := shr(192, calldataload(1))
            let fromSeq := shr(216, calldataload(9))
            mstore(_LEAF, or(shl(88, caller()), shl(24, stream)))
            mstore(_SLOT, or(shl(248, 3), mload(_LEAF)))
            // The next sequence number, and far below it where the next leaf goes.
            let cursor := or(shl(192, fromSeq), _LEAVES)
            let total := 0
            let credited := 0

            for { let p := 14 } lt(p, limit) {} {
                let start := p
                let word := calldataload(p)
                let amount := byte(0, word)
                let left
                // Which bytes of the beginning have their highest bit tells where a varint ends.
                switch and(word, _FOUR_BYTES)
                case 0x8080800000000000000000000000000000000000000000000000000000000000 {
                    let group := byte(3, word)
                    if iszero(group) { badRecord(cursor) }
                    amount :=
                        sub(
                            add(
                                add(amount, shl(7, byte(1, word))),
                                add(shl(14, byte(2, word)), shl(21, group))
                            ),
                            0x204080
                        )
                    left := byte(4, word)
                    p := add(p, 5)
                }
                case 0x8080000000000000000000000000000000000000000000000000000000000000 {
                    let group := byte(2, word)
                    if iszero(group) { badRecord(cursor) }
                    amount := sub(add(add(amount, shl(7, byte(1, word))), shl(14, group)), 0x4080)
                    left := byte(3, word)
                    p := add(p, 4)
                }
                default {
                    let place := 1
                    if gt(amount, 0x7f) {
                        let group := amount
                        for { let shift := 7 } gt(group, 0x7f) { shift := add(shift, 7) } {
                            group := byte(place, word)
                            amount := sub(add(amount, shl(shift, group)), shl(shift, 1))
                            place := add(place, 1)
                        }
                        if or(iszero(group), shr(64, amount)) { badRecord(cursor) }
                    }
                    left := byte(place, word)
                    p := add(p, add(place, 1))
                }
                if left {
                    if gt(left, 16) { badRecord(cursor) }
                    let previous := 0
                    let weights := 0
                    for {} left { left := sub(left, 1) } {
                        word := calldataload(p)
                        let dataset := byte(0, word)
                        if gt(dataset, 0x7f) {
                            let group := byte(1, word)
                            dataset := sub(add(dataset, shl(7, group)), 0x80)
                            let place := 1
                            for {} gt(group, 0x7f) {} {
                                place := add(place, 1)
                                group := byte(place, word)
                                let shift := mul(7, place)
                                dataset := sub(add(dataset, shl(shift, group)), shl(shift, 1))
                            }
                            if or(iszero(group), shr(32, dataset)) { badRecord(cursor) }
                            word := shl(shl(3, place), word)
                            p := add(p, place)
                        }
                        let weight := byte(1, word)
                        p := add(p, 2)
                        if gt(weight, 0x7f) {
                            let group := byte(2, word)
                            // A third group would be above 10000, and so is every larger weight.
                            if or(iszero(group), gt(group, 0x7f)) { badRecord(cursor) }
                            weight := sub(add(weight, shl(7, group)), 0x80)
                            p := add(p, 1)
                        }
                        // `previous` is one more than the dataset before.
                        if or(iszero(weight), lt(dataset, previous)) { badRecord(cursor) }
                        weights := add(weights, weight)
                        previous := add(dataset, 1)
                        if amount {
                            let place := add(_SUMS, shl(5, and(dataset, 31)))
                            let sum := mload(place)
                            let more := shl(40, mul(amount, weight))
                            dataset := or(dataset, 0x100000000)
                            switch and(xor(sum, dataset), 0xffffffffff)
                            case 0 { mstore(place, add(sum, more)) }
                            default {
                                if sum { flush(sum) }
                                mstore(place, or(dataset, more))
                            }
                        }
                    }
                    if gt(weights, 10000) { badRecord(cursor) }
                    credited := add(credited, mul(amount, weights))
                }
                p := add(p, 32)
                if gt(p, limit) { badRecord(cursor) }
                let size := sub(p, start)
                // What is behind the sequence number is overwritten: no record is that short.
                mstore(_LEAF_SEQ, cursor)
                calldatacopy(_LEAF_RECORD, start, size)
                mstore(and(cursor, 0xffffffff), keccak256(_LEAF, add(size, 37)))
                cursor := add(cursor, _NEXT)
                total := add(total, amount)
            }
            let seq := shr(192, cursor)

            // Each level over the one below it; a node's prefix takes the place of a byte that has
            // been hashed. `node` is that byte. Four at a time, as long as there are.
            for { let end := and(cursor, 0xffffffff) } gt(end, add(_LEAVES, 32)) {} {
                let out := _LEAVES
                let node := sub(_LEAVES, 1)
                for {} lt(add(node, 256), end) { node := add(node, 256) } {
                    mstore8(node, 1)
                    mstore(out, keccak256(node, 65))
                    mstore8(add(node, 64), 1)
                    mstore(add(out, 32), keccak256(add(node, 64), 65))
                    mstore8(add(node, 128), 1)
                    mstore(add(out, 64), keccak256(add(node, 128), 65))
                    mstore8(add(node, 192), 1)
                    mstore(add(out, 96), keccak256(add(node, 192), 65))
                    out := add(out, 128)
                }
                for {} lt(add(node, 64), end) { node := add(node, 64) } {
                    mstore8(node, 1)
                    mstore(out, keccak256(node, 65))
                    out := add(out, 32)
                }
                if lt(add(node, 1), end) {
                    mstore(out, mload(add(node, 1)))
                    out := add(out, 32)
                }
                end := out
            }

            mstore8(_SLOT, 2)
            let slot := keccak256(_SLOT, 29)
            mstore8(_SLOT, 3)
            let state := sload(slot)
            if iszero(eq(shr(216, state), fromSeq)) { failWith(_BAD_SEQUENCE, shr(216, state)) }
            let amounts := add(and(shr(120, state), 0xffffffffffffffffffffffff), total)
            let credits := add(and(state, 0xffffffffffffffffffffffffffffff), credited)
            if or(or(shr(40, seq), shr(96, amounts)), shr(120, credits)) { fail(_OVERFLOW) }
            sstore(slot, or(or(shl(216, seq), shl(120, amounts)), credits))
            if credited {
                for { let place := _SUMS } lt(place, _SUMS_END) { place := add(place, 32) } {
                    let sum := mload(place)
                    if sum { flush(sum) }
                }
            }

            // The root is where the first leaf was.
            let root := mload(_LEAVES)
            mstore(_LEAVES, fromSeq)
            mstore(add(_LEAVES, 0x20), sub(seq, fromSeq))
            mstore(add(_LEAVES, 0x40), total)
            mstore(add(_LEAVES, 0x60), root)
            log3(_LEAVES, 0x80, _APPENDED, caller(), stream)
            mstore(add(_LEAVES, 0x20), seq)
            return(add(_LEAVES, 0x20), 0x60)
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title FastLZ
/// @notice How many bytes FastLZ compression would give: the size estimate of the L1 data fee.
/// @dev    Nodes charge by this number, so every quirk counts: matches are looked up by a hash of
///         three bytes, at most 8,191 bytes back, and a match is counted one byte past the first
///         difference.
library FastLZ {
    /// @notice Length that `data` would be compressed to.
    function compressedLength(bytes calldata data) internal pure returns (uint256 total) {
        assembly ("memory-safe") {
            // Cost of literals: a length byte for each 32.
            function literals(count) -> cost {
                cost := add(count, shr(5, add(count, 31)))
            }
            // Cost of a match, which is written as several if it is longer than 262 bytes.
            function matched(count) -> cost {
                let rest := mod(sub(count, 1), 262)
                cost := add(mul(3, div(sub(count, 1), 262)), add(2, gt(rest, 5)))
            }
            // Notes in the table that the three bytes at `position` were seen there; answers where
            // bytes of the same hash were seen before, or 0.
            function note(table, start, position) -> before {
                let word := calldataload(add(start, position))
                let key := or(or(byte(0, word), shl(8, byte(1, word))), shl(16, byte(2, word)))
                let entry := add(table, shl(2, and(shr(19, mul(2654435769, key)), 0x1fff)))
                let old := mload(entry)
                before := shr(224, old)
                mstore(entry, xor(old, shl(224, xor(before, position))))
            }
            // How many bytes from `left` and `right` on agree before `end`, plus one if they differ
            // before it.
            function agreement(left, right, end) -> count {
                let first := right
                for {} lt(right, end) {} {
                    let difference := xor(calldataload(left), calldataload(right))
                    if difference {
                        for {} iszero(byte(0, difference)) {} {
                            difference := shl(8, difference)
                            right := add(right, 1)
                        }
                        break
                    }
                    left := add(left, 32)
                    right := add(right, 32)
                }
                // The words may agree, or differ, behind the end.
                if gt(right, end) { right := end }
                count := add(sub(right, first), lt(right, end))
            }

            let start := data.offset
            let size := data.length
            let anchor := 0
            // No match may start in the last 13 bytes.
            if gt(size, 13) {
                let limit := sub(size, 13)
                // 8,192 entries of four bytes; the word of the last one reaches 28 bytes further.
                // Copied from behind the calldata, they are zero.
                let table := mload(0x40)
                calldatacopy(table, calldatasize(), 32800)
                for { let position := 2 } lt(position, limit) {} {
                    let seen := note(table, start, position)
                    let unequal :=
                        xor(calldataload(add(start, seen)), calldataload(add(start, position)))
                    if or(shr(232, unequal), gt(sub(position, seen), 0x1fff)) {
                        position := add(position, 1)
                        continue
                    }
                    // A match at the very last place does not count.
                    if eq(add(position, 1), limit) { break }
                    let length :=
                        agreement(
                            add(start, add(seen, 3)),
                            add(start, add(position, 3)),
                            add(start, add(limit, 9))
                        )
                    total := add(total, add(literals(sub(position, anchor)), matched(length)))
                    position := add(position, length)
                    pop(note(table, start, position))
                    position := add(position, 1)
                    pop(note(table, start, position))
                    position := add(position, 1)
                    anchor := position
                }
            }
            total := add(total, literals(sub(size, anchor)))
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title TransactionShape
/// @notice Tells encoded transactions with a signature from those without.
library TransactionShape {
    /// @notice Whether `encoded` has the fields of a signed transaction: legacy, or of type 1, 2 or
    ///         4. Its signature is not checked. Anything else is not signed, and nothing reverts.
    function isSigned(bytes calldata encoded) internal pure returns (bool) {
        if (encoded.length == 0) return false;
        uint256 first = uint8(encoded[0]);
        // A legacy transaction's list stands alone. Without a signature it has six fields, or nine
        // of which the last two are empty (EIP-155).
        if (first >= 0xc0) return _hasFields(encoded, 9);
        if (first == 1) return _hasFields(encoded[1:], 11); // EIP-2930
        if (first == 2) return _hasFields(encoded[1:], 12); // EIP-1559
        if (first == 4) return _hasFields(encoded[1:], 13); // EIP-7702
        return false;
    }

    /// @dev Whether the bytes are one RLP list of so many items, of which the last is not empty.
    function _hasFields(bytes calldata encoded, uint256 count) private pure returns (bool) {
        if (encoded.length == 0 || uint8(encoded[0]) < 0xc0) return false;
        (uint256 content, uint256 end) = _item(encoded, 0);
        if (end != encoded.length) return false;
        uint256 next = content;
        for (; count > 0 && next < end; --count) {
            (content, next) = _item(encoded, next);
        }
        return count == 0 && next == end && content < end;
    }

    /// @dev Where the content of the RLP item at a place begins and where it ends: possibly behind
    ///      the end of the bytes.
    function _item(bytes calldata encoded, uint256 place) private pure returns (uint256, uint256) {
        unchecked {
            uint256 kind = uint8(encoded[place]);
            if (kind < 0x80) return (place, place + 1);
            ++place;
            uint256 size = kind & 0x3f; // of a string from 0x80 on, of a list from 0xc0 on
            if (size <= 55) return (place, place + size);
            uint256 width = size - 55; // of the length that comes first: 1 to 8 bytes
            assembly ("memory-safe") {
                size := shr(sub(256, shl(3, width)), calldataload(add(encoded.offset, place)))
            }
            return (place + width, place + width + size);
        }
    }
}

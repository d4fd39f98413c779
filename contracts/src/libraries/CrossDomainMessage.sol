// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title CrossDomainMessage
/// @notice How a message between the messengers of two chains is written and named. A message's
///         name is the hash of the call that relays it, which holds all of its fields.
library CrossDomainMessage {
    /// @notice Version of the encoding; the highest two bytes of each nonce tell it.
    uint16 internal constant VERSION = 1;

    /// @dev Bits below the version.
    uint256 private constant COUNT_BITS = 240;

    /// @notice The nonce of the message number `count`.
    function nonceOf(uint240 count) internal pure returns (uint256) {
        return (uint256(VERSION) << COUNT_BITS) | count;
    }

    /// @notice The version that a nonce tells.
    function versionOf(uint256 nonce) internal pure returns (uint16) {
        return uint16(nonce >> COUNT_BITS);
    }

    /// @notice The call of the other side's messenger that relays a message.
    function encode(
        uint256 nonce,
        address sender,
        address target,
        uint256 value,
        uint256 minGasLimit,
        bytes calldata message
    ) internal pure returns (bytes memory) {
        return abi.encodeWithSignature(
            "relayMessage(uint256,address,address,uint256,uint256,bytes)",
            nonce,
            sender,
            target,
            value,
            minGasLimit,
            message
        );
    }
}

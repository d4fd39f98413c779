// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title AttributionBatch
/// @notice The Merkle tree over the receipts of one `append`: a node without a partner moves up.
library AttributionBatch {
    /// @notice The leaf of an encoded record, number `seq` of a logger's stream.
    function leaf(
        address logger,
        uint64 stream,
        uint64 seq,
        bytes calldata record
    ) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(0), logger, stream, seq, record));
    }

    /// @notice Whether `path`, from the bottom up, shows that `node` is leaf `index` of the `count`
    ///         under `root`.
    function contains(
        bytes32 root,
        uint256 count,
        uint256 index,
        bytes32 node,
        bytes32[] calldata path
    ) internal pure returns (bool) {
        if (index >= count) return false;
        uint256 used;
        for (uint256 last = count - 1; last != 0; last >>= 1) {
            if (index ^ 1 <= last) {
                if (used == path.length) return false;
                bytes32 sibling = path[used++];
                (bytes32 left, bytes32 right) = index & 1 == 1 ? (sibling, node) : (node, sibling);
                node = keccak256(abi.encodePacked(uint8(1), left, right));
            }
            index >>= 1;
        }
        return used == path.length && node == root;
    }
}

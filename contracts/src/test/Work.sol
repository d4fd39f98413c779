// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Work
/// @notice Loops of one kind of work each, for measurements and gas tests.
contract Work {
    /// @notice The last result, so that no loop is for nothing.
    uint256 public result;

    mapping(uint256 => uint256) private _cells;

    /// @notice `n` rounds of multiplication and addition.
    function arithmetic(uint256 n) external returns (uint256 x) {
        x = 1;
        unchecked {
            for (uint256 i = 0; i < n; ++i) x = x * 6364136223846793005 + 1442695040888963407;
        }
        result = x;
    }

    /// @notice Writes `n` words of memory and adds them up.
    function memoryWords(uint256 n) external returns (uint256 x) {
        uint256[] memory words = new uint256[](n);
        unchecked {
            for (uint256 i = 0; i < n; ++i) words[i] = i * i;
            for (uint256 i = 0; i < n; ++i) x += words[i];
        }
        result = x;
    }

    /// @notice Hashes a word `n` times over.
    function hashes(uint256 n) external returns (uint256 x) {
        for (uint256 i = 0; i < n; ++i) x = uint256(keccak256(abi.encode(x)));
        result = x;
    }

    /// @notice Adds one to each of the first `n` storage cells.
    function storageCells(uint256 n) external returns (uint256 x) {
        for (uint256 i = 0; i < n; ++i) x += ++_cells[i];
        result = x;
    }

    /// @notice `n` rounds that mix arithmetic, memory, hashing and storage.
    function mixed(uint256 n) external returns (uint256 x) {
        bytes memory buffer = new bytes(256);
        for (uint256 i = 0; i < n; ++i) {
            unchecked {
                x = x * 6364136223846793005 + i;
            }
            buffer[x % 256] = bytes1(uint8(x >> 248));
            x ^= uint256(keccak256(buffer));
            _cells[i % 16] = x;
        }
        result = x;
    }
}

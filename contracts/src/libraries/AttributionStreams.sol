// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title AttributionStreams
/// @notice Reads the receipt precompile.
library AttributionStreams {
    address internal constant PRECOMPILE = 0x0000000000000000000000000000000000000A77;

    /// @notice The precompile is not active on this chain, or refused to answer.
    error AttributionUnavailable();

    /// @notice What a logger's stream holds: receipts, their amounts in gwei, their credit.
    function head(
        address logger,
        uint64 stream
    ) internal view returns (uint64 count, uint128 amount, uint128 credited) {
        bytes memory answer = _read(abi.encodeWithSignature("head(address,uint64)", logger, stream), 96);
        return abi.decode(answer, (uint64, uint128, uint128));
    }

    /// @notice A dataset's credit in it, in gwei x basis points.
    function credit(address logger, uint64 stream, uint32 dataset) internal view returns (uint256) {
        bytes memory answer = _read(
            abi.encodeWithSignature("credit(address,uint64,uint32)", logger, stream, dataset), 32
        );
        return abi.decode(answer, (uint256));
    }

    function _read(bytes memory call, uint256 size) private view returns (bytes memory answer) {
        bool success;
        (success, answer) = PRECOMPILE.staticcall(call);
        if (!success || answer.length != size) revert AttributionUnavailable();
    }
}

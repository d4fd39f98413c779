// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Types} from "./Types.sol";

/// @title Hashing
/// @notice The two hashes by which L1 knows withdrawals and states of the rollup.
library Hashing {
    /// @notice The key under which the L2ToL1MessagePasser records a withdrawal.
    function hashWithdrawal(Types.WithdrawalTransaction calldata withdrawal) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                withdrawal.nonce,
                withdrawal.sender,
                withdrawal.target,
                withdrawal.value,
                withdrawal.gasLimit,
                withdrawal.data
            )
        );
    }

    /// @notice The output root that commits to these four words.
    function hashOutputRootProof(Types.OutputRootProof calldata proof) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(proof.version, proof.stateRoot, proof.messagePasserStorageRoot, proof.latestBlockhash)
        );
    }

    /// @notice The output root of a block: of its state, the withdrawals made until then, its hash.
    function outputRoot(
        bytes32 stateRoot,
        bytes32 messagePasserStorageRoot,
        bytes32 blockHash
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(bytes32(0), stateRoot, messagePasserStorageRoot, blockHash));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Types
/// @notice Values that L1 and L2 agree on, as tools know them from the OP Stack.
library Types {
    /// @notice A claim about the rollup's state after one of its blocks.
    /// @param outputRoot    Hash of an OutputRootProof.
    /// @param timestamp     Time of the L1 block in which it was proposed, in seconds.
    /// @param l2BlockNumber The rollup's block.
    struct OutputProposal {
        bytes32 outputRoot;
        uint128 timestamp;
        uint128 l2BlockNumber;
    }

    /// @notice What an output root commits to.
    /// @param version                  Of the commitment: 0.
    /// @param stateRoot                Of the rollup's block.
    /// @param messagePasserStorageRoot Of the withdrawals made until then.
    /// @param latestBlockhash          Hash of the rollup's block.
    struct OutputRootProof {
        bytes32 version;
        bytes32 stateRoot;
        bytes32 messagePasserStorageRoot;
        bytes32 latestBlockhash;
    }

    /// @notice A message of the rollup to L1.
    /// @param nonce    Its number, with the version of the encoding in the two highest bytes.
    /// @param sender   Who sent it on L2.
    /// @param target   Who gets the value and the call on L1.
    /// @param value    OPEN that is paid out, in units of 10**-18.
    /// @param gasLimit Least gas that the call has to be given.
    /// @param data     Data of the call; without any nobody is called.
    struct WithdrawalTransaction {
        uint256 nonce;
        address sender;
        address target;
        uint256 value;
        uint256 gasLimit;
        bytes data;
    }
}

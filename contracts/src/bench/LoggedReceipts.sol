// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title LoggedReceipts
/// @notice Receipts that are nothing but events: no order, no sums, no payment. For comparison only.
contract LoggedReceipts {
    /// @notice What is logged of an answer.
    struct Answer {
        bytes32 modelHash;
        bytes32 requestHash;
        bytes32 responseHash;
        uint256 amount;
    }

    event Recorded(address indexed logger, Answer answer);

    /// @notice Logs one.
    function record(Answer calldata answer) external {
        emit Recorded(msg.sender, answer);
    }

    /// @notice Logs several.
    function recordAll(Answer[] calldata answers) external {
        for (uint256 i = 0; i < answers.length; ++i) {
            emit Recorded(msg.sender, answers[i]);
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title StoredReceipts
/// @notice Receipts as one would write them at first: a struct in storage for each answer, and
///         everybody who has a share in it is paid at once. For comparison only.
contract StoredReceipts {
    struct Share {
        address payee;
        uint96 basisPoints;
    }

    struct Receipt {
        address payer;
        bytes32 modelHash;
        bytes32 requestHash;
        bytes32 responseHash;
        uint256 amount;
        uint256 timestamp;
        Share[] shares;
    }

    Receipt[] private _receipts;

    event Recorded(uint256 indexed id, address indexed payer, uint256 amount);

    error BadShares(uint256 basisPoints);
    error PaymentFailed(address payee);

    /// @notice Records an answer and splits what comes with the call.
    function record(
        bytes32 modelHash,
        bytes32 requestHash,
        bytes32 responseHash,
        Share[] calldata shares
    ) external payable returns (uint256 id) {
        id = _receipts.length;
        Receipt storage entry = _receipts.push();
        entry.payer = msg.sender;
        entry.modelHash = modelHash;
        entry.requestHash = requestHash;
        entry.responseHash = responseHash;
        entry.amount = msg.value;
        entry.timestamp = block.timestamp;
        uint256 total = 0;
        for (uint256 i = 0; i < shares.length; ++i) {
            entry.shares.push(shares[i]);
            total += shares[i].basisPoints;
            (bool success,) = shares[i].payee.call{value: (msg.value * shares[i].basisPoints) / 10_000}("");
            if (!success) revert PaymentFailed(shares[i].payee);
        }
        if (total != 10_000) revert BadShares(total);
        emit Recorded(id, msg.sender, msg.value);
    }

    /// @notice A receipt.
    function receipt(uint256 id) external view returns (Receipt memory) {
        return _receipts[id];
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title L2ToL1MessagePasser
/// @notice Records each withdrawal so that L1 can check it with a storage proof. Native OPEN that
///         is withdrawn stays here until somebody burns it: its counterpart is paid out on L1.
contract L2ToL1MessagePasser {
    /// @notice Version of the message encoding, carried in the two highest bytes of each nonce.
    uint16 public constant MESSAGE_VERSION = 1;

    /// @notice Semantic version of this contract.
    string public constant version = "1.0.0";

    /// @dev L1 gas limit of a withdrawal that is made by a plain transfer.
    uint256 internal constant RECEIVE_DEFAULT_GAS_LIMIT = 100_000;

    /// @notice Withdrawals by hash. L1 proves entries of this mapping: it has to stay in slot 0.
    mapping(bytes32 => bool) public sentMessages;

    /// @dev Count of withdrawals, without the version.
    uint240 internal msgNonce;

    /// @notice A withdrawal has begun.
    /// @param nonce          Its number, with the version in the highest bytes.
    /// @param sender         Who withdraws.
    /// @param target         Who is called on L1.
    /// @param value          OPEN that is paid out on L1.
    /// @param gasLimit       Least gas of the call on L1.
    /// @param data           Data of the call on L1.
    /// @param withdrawalHash Key in `sentMessages`.
    event MessagePassed(
        uint256 indexed nonce,
        address indexed sender,
        address indexed target,
        uint256 value,
        uint256 gasLimit,
        bytes data,
        bytes32 withdrawalHash
    );

    /// @notice Withdrawn OPEN has left the L2 supply.
    event WithdrawerBalanceBurnt(uint256 indexed amount);

    /// @notice The account that would have taken the burnt OPEN with it could not be created.
    error BurnFailed();

    /// @notice Withdraws what is sent here, to the sender's own address on L1.
    receive() external payable {
        initiateWithdrawal(msg.sender, RECEIVE_DEFAULT_GAS_LIMIT, bytes(""));
    }

    /// @notice Takes all OPEN held here out of the L2 supply. Anybody may call it.
    function burn() external {
        uint256 amount = address(this).balance;
        address burner;
        assembly ("memory-safe") {
            // Creation code ADDRESS SELFDESTRUCT: an account that names itself as heir in the
            // transaction of its creation vanishes with its balance.
            mstore(0, 0x30ff)
            burner := create(amount, 30, 2)
        }
        if (burner == address(0)) revert BurnFailed();
        emit WithdrawerBalanceBurnt(amount);
    }

    /// @notice Begins a withdrawal of the OPEN that comes with the call.
    /// @param _target   Who is called on L1.
    /// @param _gasLimit Least gas of the call on L1.
    /// @param _data     Data of the call on L1.
    function initiateWithdrawal(address _target, uint256 _gasLimit, bytes memory _data) public payable {
        uint256 nonce = messageNonce();
        bytes32 withdrawalHash =
            keccak256(abi.encode(nonce, msg.sender, _target, msg.value, _gasLimit, _data));
        sentMessages[withdrawalHash] = true;
        emit MessagePassed(nonce, msg.sender, _target, msg.value, _gasLimit, _data, withdrawalHash);
        unchecked {
            ++msgNonce;
        }
    }

    /// @notice Nonce of the next withdrawal, with the version in the highest bytes.
    function messageNonce() public view returns (uint256) {
        return (uint256(MESSAGE_VERSION) << 240) | msgNonce;
    }
}

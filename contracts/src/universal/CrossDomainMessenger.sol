// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {CrossDomainMessage} from "../libraries/CrossDomainMessage.sol";
import {GuaranteedCall} from "../libraries/GuaranteedCall.sol";

/// @title CrossDomainMessenger
/// @notice One of the two contracts that carry calls between L1 and L2. A message whose target
///         fails is kept: anybody may replay it with more gas. Messages carry no value: OPEN
///         crosses through the portal and the message passer, ether does not cross at all.
abstract contract CrossDomainMessenger {
    /// @notice Semantic version of this contract.
    string public constant version = "1.0.0";

    /// @notice Version of the messages that it sends and relays.
    uint16 public constant MESSAGE_VERSION = CrossDomainMessage.VERSION;

    /// @dev Gas kept for the time after the target's call: one new storage slot and one event.
    uint256 private constant RELAY_RESERVED_GAS = 40_000;

    /// @dev Gas of everything else that relaying costs, whatever the message: the proxy, the
    ///      checks before the call, and the call itself.
    uint256 private constant RELAY_OVERHEAD = 40_000;

    /// @dev Most bytes that a message grows by when its relaying call is encoded: a selector, seven
    ///      words and padding.
    uint256 private constant ENCODING_OVERHEAD = 260;

    /// @dev Gas of a transaction before it runs: at least 21,000 and 16 for each byte, and in the
    ///      end 21,000 and 40 for each byte (EIP-7623).
    uint256 private constant TRANSACTION_GAS = 21_000;
    uint256 private constant BYTE_GAS = 16;
    uint256 private constant BYTE_FLOOR_GAS = 40;

    /// @dev Copies and hashing take 24 gas for a word of the message, hence less than one for a
    ///      byte. Of the memory's quadratic part the proxy causes w*w/512, the messenger with its
    ///      two copies (2*w)*(2*w)/512.
    uint256 private constant QUADRATIC_DIVISOR = 96;

    /// @notice Messages from the other side that were delivered, by hash.
    mapping(bytes32 => bool) public successfulMessages;

    /// @notice Messages from the other side whose target has failed once, by hash. They stay here
    ///         after a replay has delivered them.
    mapping(bytes32 => bool) public failedMessages;

    /// @dev Count of messages sent, without the version.
    uint240 internal msgNonce;

    /// @dev Sender on the other side of the message that is being delivered; zero between messages.
    address private transient _senderInDelivery;

    /// @notice A message has been sent.
    /// @param target       Who is called on the other side.
    /// @param sender       Who has sent it.
    /// @param message      Calldata of that call.
    /// @param messageNonce Number of the message, with the version in the highest bytes.
    /// @param gasLimit     Least gas of that call.
    event SentMessage(
        address indexed target, address sender, bytes message, uint256 messageNonce, uint256 gasLimit
    );

    /// @notice Comes with each SentMessage; the value is always zero.
    event SentMessageExtension1(address indexed sender, uint256 value);

    /// @notice A message has been delivered.
    event RelayedMessage(bytes32 indexed msgHash);

    /// @notice A message's target has failed, or would have got too little gas; it can be replayed.
    event FailedRelayedMessage(bytes32 indexed msgHash);

    /// @notice A message carries no value. OPEN crosses by way of `openGate`.
    error ValueNotSupported(address openGate);

    /// @notice Only messages of MESSAGE_VERSION are relayed.
    error UnsupportedMessageVersion(uint16 given, uint16 expected);

    /// @notice The message has been delivered already.
    error AlreadyRelayed(bytes32 msgHash);

    /// @notice The other messenger has not sent this, or it has not failed yet: nothing to replay.
    error NotReplayable(bytes32 msgHash);

    /// @notice A message must not make the messenger act on its own gate or on itself.
    error UnsafeTarget(address target);

    /// @notice The target has failed again, or would have got too little gas, or the replay was
    ///         made by another message; the message can still be replayed.
    error ReplayFailed(bytes32 msgHash);

    /// @notice No message is being delivered now.
    error NoMessageInDelivery();

    /// @notice The bridge is paused on L1.
    error MessengerPaused();

    /// @notice Sends a message. It cannot carry value: the function is payable to say so by name.
    /// @param _target      Who is called on the other side.
    /// @param _message     Calldata of that call.
    /// @param _minGasLimit Least gas of that call.
    function sendMessage(address _target, bytes calldata _message, uint32 _minGasLimit) external payable {
        if (msg.value != 0) revert ValueNotSupported(_openGate());
        uint256 nonce = messageNonce();
        unchecked {
            ++msgNonce;
        }
        emit SentMessage(_target, msg.sender, _message, nonce, _minGasLimit);
        emit SentMessageExtension1(msg.sender, 0);
        _send(
            baseGas(_message, _minGasLimit),
            CrossDomainMessage.encode(nonce, msg.sender, _target, 0, _minGasLimit, _message)
        );
    }

    /// @notice Delivers a message of the other messenger, or replays one that has failed. The first
    ///         delivery never fails together with its target; a replay does.
    /// @param _nonce       Number of the message, with the version in the highest bytes.
    /// @param _sender      Who has sent it on the other side.
    /// @param _target      Who is called.
    /// @param _value       Zero.
    /// @param _minGasLimit Least gas of the call.
    /// @param _message     Calldata of the call.
    function relayMessage(
        uint256 _nonce,
        address _sender,
        address _target,
        uint256 _value,
        uint256 _minGasLimit,
        bytes calldata _message
    ) external payable {
        if (paused()) revert MessengerPaused();
        _checkVersion(_nonce);
        if (msg.value != 0 || _value != 0) revert ValueNotSupported(_openGate());

        bytes32 msgHash = keccak256(
            CrossDomainMessage.encode(_nonce, _sender, _target, _value, _minGasLimit, _message)
        );
        bool isReplay = _checkRelayable(msgHash);
        if (_isUnsafeTarget(_target)) revert UnsafeTarget(_target);

        if (_deliver(_sender, _target, _minGasLimit, _message)) {
            successfulMessages[msgHash] = true;
            emit RelayedMessage(msgHash);
        } else {
            // For a replay this tells whoever estimates its gas that it is not enough.
            if (isReplay) revert ReplayFailed(msgHash);
            failedMessages[msgHash] = true;
            emit FailedRelayedMessage(msgHash);
        }
    }

    /// @notice Who has sent the message that is being delivered, on the other side.
    function xDomainMessageSender() external view returns (address) {
        if (_senderInDelivery == address(0)) revert NoMessageInDelivery();
        return _senderInDelivery;
    }

    /// @notice The messenger on the other side.
    function OTHER_MESSENGER() external view returns (address) {
        return otherMessenger();
    }

    /// @notice Nonce of the next message, with the version in the highest bytes.
    function messageNonce() public view returns (uint256) {
        return CrossDomainMessage.nonceOf(msgNonce);
    }

    /// @notice Gas that relaying a message takes on the other side, so that its target gets
    ///         `_minGasLimit` of it: the gas limit of the deposit, or of the withdrawal.
    function baseGas(bytes calldata _message, uint32 _minGasLimit) public pure returns (uint64) {
        uint256 size = _message.length + ENCODING_OVERHEAD;
        uint256 words = size / 32 + 1;
        uint256 copies = size + (words * words) / QUADRATIC_DIVISOR;
        // The proxy's call and the target's each pass on 63/64 of what is left.
        uint256 passedOn = Math.ceilDiv(uint256(_minGasLimit) * (64 * 64), 63 * 63);
        uint256 relay = RELAY_OVERHEAD + RELAY_RESERVED_GAS + copies + passedOn;
        return uint64(TRANSACTION_GAS + Math.max(relay + size * BYTE_GAS, size * BYTE_FLOOR_GAS));
    }

    /// @notice The messenger on the other side.
    function otherMessenger() public view virtual returns (address);

    /// @notice True while nothing is relayed.
    function paused() public view virtual returns (bool);

    /// @dev Hands a call of the other messenger to what carries it there.
    function _send(uint64 gasLimit, bytes memory data) internal virtual;

    /// @dev Whether the current call was made by the other messenger.
    function _isOtherMessenger() internal view virtual returns (bool);

    /// @dev Whether a message to `target` could speak in the messenger's name.
    function _isUnsafeTarget(address target) internal view virtual returns (bool);

    /// @dev The contract by way of which OPEN leaves this chain.
    function _openGate() internal view virtual returns (address);

    /// @dev A message that was delivered never is again. Otherwise the other messenger may deliver
    ///      it, and anybody may once it has failed.
    function _checkRelayable(bytes32 msgHash) private view returns (bool isReplay) {
        if (successfulMessages[msgHash]) revert AlreadyRelayed(msgHash);
        isReplay = !_isOtherMessenger();
        if (isReplay && !failedMessages[msgHash]) revert NotReplayable(msgHash);
    }

    function _checkVersion(uint256 nonce) private pure {
        uint16 given = CrossDomainMessage.versionOf(nonce);
        if (given != MESSAGE_VERSION) revert UnsupportedMessageVersion(given, MESSAGE_VERSION);
    }

    /// @dev Calls the target in the sender's name. A message inside of another one is not
    ///      delivered: the outer one's target would see a wrong sender.
    function _deliver(
        address sender,
        address target,
        uint256 minGasLimit,
        bytes calldata message
    ) private returns (bool success) {
        if (_senderInDelivery != address(0)) return false;
        _senderInDelivery = sender;
        (, success) = GuaranteedCall.tryCall(target, minGasLimit, RELAY_RESERVED_GAS, message);
        _senderInDelivery = address(0);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title L1Block
/// @notice What L2 knows about its L1 origin. The first transaction of each L2 block writes here;
///         fee rules, clients and contracts read. The storage layout is part of the protocol.
/// @dev    The setters take packed calldata, written C[a:b] below, whose fields are ordered so that
///         one shifted word is the content of one storage slot.
contract L1Block {
    /// @notice The only account that may write: the sender of the L1 attributes transaction.
    address public constant DEPOSITOR_ACCOUNT = 0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001;

    /// @notice Semantic version of this contract.
    string public constant version = "1.0.0";

    /// @notice Number of the L1 block.
    uint64 public number;

    /// @notice Time of the L1 block, in seconds.
    uint64 public timestamp;

    /// @notice Base fee of the L1 block, in wei.
    uint256 public basefee;

    /// @notice Hash of the L1 block.
    bytes32 public hash;

    /// @notice How many L2 blocks with this origin came before.
    uint64 public sequenceNumber;

    /// @notice Weight of the L1 blob base fee in the L1 data fee, in millionths.
    uint32 public blobBaseFeeScalar;

    /// @notice Weight of the L1 base fee in the L1 data fee, in millionths.
    uint32 public baseFeeScalar;

    /// @notice The batcher's address, left-padded to 32 bytes.
    bytes32 public batcherHash;

    /// @notice Fixed part of an older fee formula: never written.
    uint256 public l1FeeOverhead;

    /// @notice Factor of an older fee formula: never written.
    uint256 public l1FeeScalar;

    /// @notice Blob base fee of the L1 block, in wei.
    uint256 public blobBaseFee;

    /// @notice Operator fee per transaction, in wei.
    uint64 public operatorFeeConstant;

    /// @notice Operator fee per unit of gas.
    uint32 public operatorFeeScalar;

    /// @notice Gas counted for each byte of estimated data-availability use.
    uint16 public daFootprintGasScalar;

    /// @notice The caller is not DEPOSITOR_ACCOUNT.
    error NotDepositor();

    modifier onlyDepositor() {
        if (msg.sender != DEPOSITOR_ACCOUNT) revert NotDepositor();
        _;
    }

    /// @notice Writes the attributes of an Ecotone block: 164 bytes of calldata.
    function setL1BlockValuesEcotone() external onlyDepositor {
        _setOrigin();
    }

    /// @notice Writes the attributes of an Isthmus block: 176 bytes of calldata.
    function setL1BlockValuesIsthmus() external onlyDepositor {
        _setOrigin();
        assembly ("memory-safe") {
            // C[164:168] operator fee scalar, C[168:176] operator fee constant.
            sstore(operatorFeeConstant.slot, shr(160, calldataload(164)))
        }
    }

    /// @notice Writes the attributes of a Jovian block: 178 bytes of calldata.
    function setL1BlockValuesJovian() external onlyDepositor {
        _setOrigin();
        assembly ("memory-safe") {
            // As for Isthmus, with C[176:178] data-availability footprint scalar above them.
            let operatorFee := shr(160, calldataload(164))
            let footprint := shl(96, shr(240, calldataload(176)))
            sstore(operatorFeeConstant.slot, or(footprint, operatorFee))
        }
    }

    /// @notice The native coin is not ether.
    function isCustomGasToken() external pure returns (bool) {
        return true;
    }

    /// @notice Address that stands for the native coin, and its decimals.
    function gasPayingToken() external pure returns (address addr_, uint8 decimals_) {
        return (0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE, 18);
    }

    /// @notice Name of the native coin.
    function gasPayingTokenName() external pure returns (string memory) {
        return "OPEN";
    }

    /// @notice Symbol of the native coin.
    function gasPayingTokenSymbol() external pure returns (string memory) {
        return "OPEN";
    }

    /// @dev The fields that each format has, at the same places.
    function _setOrigin() private {
        assembly ("memory-safe") {
            // C[4:8] base fee scalar, C[8:12] blob base fee scalar, C[12:20] sequence number.
            sstore(sequenceNumber.slot, shr(128, calldataload(4)))
            // C[20:28] timestamp, C[28:36] number.
            sstore(number.slot, shr(128, calldataload(20)))
            sstore(basefee.slot, calldataload(36))
            sstore(blobBaseFee.slot, calldataload(68))
            sstore(hash.slot, calldataload(100))
            sstore(batcherHash.slot, calldataload(132))
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {FastLZ} from "../libraries/FastLZ.sol";
import {Predeploys} from "../libraries/Predeploys.sol";
import {TransactionShape} from "../libraries/TransactionShape.sol";
import {L1Block} from "./L1Block.sol";

/// @title GasPriceOracle
/// @notice What a transaction pays besides its gas: for its place on L1, and to the operator. All
///         fees are in wei, at the prices of the present block.
/// @dev    The formulas are those by which nodes charge: OP Stack specs "Fjord" (L1 cost),
///         "Isthmus" and "Jovian" (operator fee).
contract GasPriceOracle {
    /// @notice Decimals of the scalars.
    uint256 public constant DECIMALS = 6;

    /// @notice Semantic version of this contract.
    string public constant version = "1.0.0";

    L1Block private constant L1_BLOCK = L1Block(Predeploys.L1_BLOCK);

    /// @dev Estimated size in millionths of a byte: a line through FastLZ lengths, cut off below.
    int256 private constant COST_INTERCEPT = -42_585_600;
    int256 private constant COST_FASTLZ_COEFFICIENT = 836_500;
    int256 private constant MIN_TRANSACTION_SIZE = 100_000_000;

    /// @dev Bytes that a signature adds to a transaction, at most: v, r and s, and a longer length.
    uint256 private constant SIGNATURE_SIZE = 68;

    /// @notice Whether the rules of Jovian hold. Written by genesis.
    bool public isJovian;

    /// @notice Whether the rules of Ecotone hold.
    function isEcotone() external pure returns (bool) {
        return true;
    }

    /// @notice Whether the rules of Fjord hold.
    function isFjord() external pure returns (bool) {
        return true;
    }

    /// @notice Whether the rules of Isthmus hold.
    function isIsthmus() external pure returns (bool) {
        return true;
    }

    /// @notice L1 data fee of an encoded transaction. For a signed one it is what the transaction
    ///         pays in this block. For anything else, as wallets ask before they sign, it is an
    ///         estimate that adds 68 incompressible bytes for the signature.
    function getL1Fee(bytes calldata data) external view returns (uint256) {
        return _l1Fee(_lengthWithSignature(data));
    }

    /// @notice Gas that calldata of the transaction's estimated size would take on L1.
    function getL1GasUsed(bytes calldata data) external pure returns (uint256) {
        return (_estimatedSize(_lengthWithSignature(data)) * 16) / 1e6;
    }

    /// @notice What the L1 data fee of a transaction cannot exceed, by its size without signature.
    ///         Takes far less gas than the fee itself.
    function getL1FeeUpperBound(uint256 unsignedTxSize) external view returns (uint256) {
        uint256 size = unsignedTxSize + SIGNATURE_SIZE;
        // The OP Stack counts one byte more for 255, which incompressible data of more than about
        // 600 bytes exceeds: FastLZ takes one more for 32.
        uint256 usual = size + size / 255 + 16;
        uint256 incompressible = size + (size + 31) / 32;
        return _l1Fee(Math.max(usual, incompressible));
    }

    /// @notice Operator fee of a transaction that uses so much gas.
    function getOperatorFee(uint256 gasUsed) external view returns (uint256) {
        uint256 scaled = Math.saturatingMul(gasUsed, L1_BLOCK.operatorFeeScalar());
        scaled = isJovian ? Math.saturatingMul(scaled, 100) : scaled / 1e6;
        return Math.saturatingAdd(scaled, L1_BLOCK.operatorFeeConstant());
    }

    /// @notice Base fee of this L2 block.
    function gasPrice() external view returns (uint256) {
        return block.basefee;
    }

    /// @notice Base fee of this L2 block.
    function baseFee() external view returns (uint256) {
        return block.basefee;
    }

    /// @notice Base fee of the L1 origin.
    function l1BaseFee() public view returns (uint256) {
        return L1_BLOCK.basefee();
    }

    /// @notice Blob base fee of the L1 origin.
    function blobBaseFee() public view returns (uint256) {
        return L1_BLOCK.blobBaseFee();
    }

    /// @notice Weight of the L1 base fee in the L1 data fee, in millionths.
    function baseFeeScalar() public view returns (uint32) {
        return L1_BLOCK.baseFeeScalar();
    }

    /// @notice Weight of the L1 blob base fee in the L1 data fee, in millionths.
    function blobBaseFeeScalar() public view returns (uint32) {
        return L1_BLOCK.blobBaseFeeScalar();
    }

    /// @notice Decimals of the scalars.
    function decimals() external pure returns (uint256) {
        return DECIMALS;
    }

    /// @notice Part of a formula that no longer holds: reverts.
    function overhead() external pure returns (uint256) {
        revert("GasPriceOracle: overhead() is deprecated");
    }

    /// @notice Part of a formula that no longer holds: reverts.
    function scalar() external pure returns (uint256) {
        revert("GasPriceOracle: scalar() is deprecated");
    }

    function _lengthWithSignature(bytes calldata data) private pure returns (uint256) {
        uint256 length = FastLZ.compressedLength(data);
        return TransactionShape.isSigned(data) ? length : length + SIGNATURE_SIZE;
    }

    function _l1Fee(uint256 fastLzLength) private view returns (uint256) {
        uint256 calldataPrice = 16 * uint256(baseFeeScalar()) * l1BaseFee();
        uint256 blobPrice = uint256(blobBaseFeeScalar()) * blobBaseFee();
        return (_estimatedSize(fastLzLength) * (calldataPrice + blobPrice)) / 1e12;
    }

    function _estimatedSize(uint256 fastLzLength) private pure returns (uint256) {
        int256 size = COST_FASTLZ_COEFFICIENT * int256(fastLzLength) + COST_INTERCEPT;
        return uint256(size < MIN_TRANSACTION_SIZE ? MIN_TRANSACTION_SIZE : size);
    }
}

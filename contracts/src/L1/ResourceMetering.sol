// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title ResourceMetering
/// @notice Sells a bounded amount of L2 gas in each L1 block. Deposits enter L2 whether its
///         sequencer likes them or not, so their gas has its own market: the price follows the
///         EIP-1559 rule and is paid by burning L1 gas.
abstract contract ResourceMetering {
    /// @notice State of the market, in one storage slot.
    /// @param prevBaseFee   Price of one L2 gas, in wei of the L1's coin, in `prevBlockNum`.
    /// @param prevBoughtGas L2 gas sold in `prevBlockNum`.
    /// @param prevBlockNum  The last L1 block in which gas was sold.
    struct ResourceParams {
        uint128 prevBaseFee;
        uint64 prevBoughtGas;
        uint64 prevBlockNum;
    }

    /// @notice Most L2 gas that may be sold in one L1 block.
    uint64 public constant MAX_RESOURCE_LIMIT = 20_000_000;

    /// @notice L2 gas a block may sell without raising the price.
    uint64 public constant TARGET_RESOURCE_LIMIT = MAX_RESOURCE_LIMIT / 10;

    /// @notice The lowest price of one L2 gas.
    uint128 public constant MINIMUM_BASE_FEE = 1 gwei;

    /// @dev An empty block takes 1/8 off the price.
    uint256 private constant BASE_FEE_MAX_CHANGE_DENOMINATOR = 8;

    /// @dev The longest run of empty blocks whose factor (7/8)**n multiplies a uint128 price in
    ///      256 bits without rounding in between: 7**45 < 2**127.
    uint256 private constant DECAY_STEP = 45;

    /// @dev Bytes in one hash of the gas burner.
    uint256 private constant HASH_BYTES = 8192;

    /// @dev More than one round of the burner uses, the first with its new memory included.
    uint256 private constant HASH_GAS = 8_000;

    /// @notice State of the market after the last sale.
    ResourceParams public params;

    /// @notice A purchase would exceed what the L1 block may still sell.
    /// @param requested L2 gas asked for.
    /// @param available L2 gas left in this L1 block.
    error DepositGasExhausted(uint64 requested, uint64 available);

    constructor() {
        params = ResourceParams(MINIMUM_BASE_FEE, 0, uint64(block.number));
    }

    /// @dev Runs the body and then burns whatever its own L1 gas has not paid of the price.
    /// @param l2Gas L2 gas to buy.
    modifier metered(uint64 l2Gas) {
        uint256 gasAtStart = gasleft();
        uint256 price = _buy(l2Gas);
        _;
        // A low L1 base fee would make the burnt gas cheap for the buyer but very large, hence
        // the floor under the exchange rate.
        uint256 gasToBurn = (uint256(l2Gas) * price) / Math.max(block.basefee, MINIMUM_BASE_FEE);
        _burn(gasAtStart, gasToBurn);
    }

    /// @dev Uses up L1 gas until `amount` is gone since `gasAtStart`. Long hashes do most of it, so
    ///      that a node gets through in few steps; a loop does the rest.
    function _burn(uint256 gasAtStart, uint256 amount) private view {
        while (gasAtStart - gasleft() + HASH_GAS < amount) {
            assembly ("memory-safe") {
                // Scratch space behind all memory in use.
                let free := mload(0x40)
                mstore(free, keccak256(free, HASH_BYTES))
            }
        }
        while (gasAtStart - gasleft() < amount) {}
    }

    /// @dev Moves the market to this block and records the sale.
    /// @return price Wei for one L2 gas.
    function _buy(uint64 l2Gas) private returns (uint256 price) {
        ResourceParams memory market = params;
        if (block.number > market.prevBlockNum) {
            market.prevBaseFee = _priceAfter(market, block.number - market.prevBlockNum);
            market.prevBoughtGas = 0;
            market.prevBlockNum = uint64(block.number);
        }
        uint64 available = MAX_RESOURCE_LIMIT - market.prevBoughtGas;
        if (l2Gas > available) revert DepositGasExhausted(l2Gas, available);
        market.prevBoughtGas += l2Gas;
        params = market;
        return market.prevBaseFee;
    }

    /// @dev The price `blocks` (at least one) L1 blocks after the last sale.
    function _priceAfter(ResourceParams memory market, uint256 blocks) private pure returns (uint128) {
        uint256 price = market.prevBaseFee;
        uint256 sold = market.prevBoughtGas;
        uint256 scale = TARGET_RESOURCE_LIMIT * BASE_FEE_MAX_CHANGE_DENOMINATOR;
        if (sold > TARGET_RESOURCE_LIMIT) {
            price += (price * (sold - TARGET_RESOURCE_LIMIT)) / scale;
        } else {
            price -= (price * (TARGET_RESOURCE_LIMIT - sold)) / scale;
        }
        uint256 emptyBlocks = blocks - 1;
        while (emptyBlocks > 0 && price > MINIMUM_BASE_FEE) {
            uint256 step = Math.min(emptyBlocks, DECAY_STEP);
            // Bounded before the product, so that it fits: below 2**128 * 2**127.
            price = (Math.min(price, type(uint128).max) * 7 ** step) >> (3 * step);
            emptyBlocks -= step;
        }
        return uint128(Math.min(Math.max(price, MINIMUM_BASE_FEE), type(uint128).max));
    }
}

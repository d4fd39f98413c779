// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {StorageSlot} from "@openzeppelin/contracts/utils/StorageSlot.sol";

/// @title SystemConfig
/// @notice The rollup's settings that its owner may change from L1. Nodes read the first values
///         from the genesis configuration and each later one from a ConfigUpdate event. Tools find
///         the rollup's other contracts on L1 from here.
contract SystemConfig is Ownable {
    /// @notice What a ConfigUpdate changes; the order is part of the protocol.
    enum UpdateType {
        BATCHER,
        FEE_SCALARS,
        GAS_LIMIT,
        UNSAFE_BLOCK_SIGNER,
        EIP_1559_PARAMS,
        OPERATOR_FEE_PARAMS,
        MIN_BASE_FEE,
        DA_FOOTPRINT_GAS_SCALAR
    }

    /// @notice Version of the ConfigUpdate event.
    uint256 public constant VERSION = 0;

    /// @notice Slot of the unsafe block signer, read by nodes with a storage proof.
    bytes32 public constant UNSAFE_BLOCK_SIGNER_SLOT = keccak256("systemconfig.unsafeblocksigner");

    /// @notice Lowest L2 gas limit: the deposits of one L1 block (20,000,000) and the L1 attributes
    ///         transaction (1,000,000) have to fit into one L2 block.
    uint64 public constant minimumGasLimit = 21_000_000;

    /// @notice Highest L2 gas limit.
    uint64 public constant maximumGasLimit = 500_000_000;

    /// @notice Semantic version of this contract.
    string public constant version = "1.1.0";

    /// @notice Address on L1 to which batches are sent.
    address public immutable batchInbox;

    /// @notice The portal through which deposits enter.
    address public immutable optimismPortal;

    /// @notice The L1 token that is the rollup's native coin.
    IERC20Metadata public immutable openToken;

    /// @notice The rollup's states as claimed on L1.
    address public immutable l2OutputOracle;

    /// @notice Messages between contracts of the two layers.
    address public immutable l1CrossDomainMessenger;

    /// @notice The way in and out for tokens other than the native coin.
    address public immutable l1StandardBridge;

    /// @notice L1 block of this contract's deployment.
    uint256 public immutable startBlock;

    /// @notice The batcher's address, left-padded to 32 bytes.
    bytes32 public batcherHash;

    /// @notice Gas limit of L2 blocks.
    uint64 public gasLimit;

    /// @notice Weight of the L1 base fee in the L1 data fee, in millionths.
    uint32 public basefeeScalar;

    /// @notice Weight of the L1 blob base fee in the L1 data fee, in millionths.
    uint32 public blobbasefeeScalar;

    /// @notice EIP-1559 change denominator of L2; zero until first set: the chain's default holds.
    uint32 public eip1559Denominator;

    /// @notice EIP-1559 elasticity of L2; zero until first set: the chain's default holds.
    uint32 public eip1559Elasticity;

    /// @notice Operator fee per unit of gas.
    uint32 public operatorFeeScalar;

    /// @notice Operator fee per transaction, in wei.
    uint64 public operatorFeeConstant;

    /// @notice Lowest base fee of L2, in wei.
    uint64 public minBaseFee;

    /// @notice Gas counted for each byte of estimated data-availability use; zero: the default.
    uint16 public daFootprintGasScalar;

    /// @notice A setting has changed.
    /// @param version    Always VERSION.
    /// @param updateType What has changed.
    /// @param data       The new value, in the encoding of its type.
    event ConfigUpdate(uint256 indexed version, UpdateType indexed updateType, bytes data);

    /// @notice The batcher has to be a non-zero address in 32 bytes.
    error InvalidBatcherHash(bytes32 given);

    /// @notice The gas limit is outside its bounds.
    error InvalidGasLimit(uint64 given, uint64 minimum, uint64 maximum);

    /// @notice Denominator and elasticity have to be at least 1, and elasticity so small that the
    ///         gas target of the smallest block is not zero.
    error InvalidEIP1559Params(uint32 denominator, uint32 elasticity);

    /// @notice The values have to equal those of the genesis configuration: none is announced by an
    ///         event.
    /// @param owner_             May change the settings.
    /// @param batcher_           Address that signs batcher transactions.
    /// @param basefeeScalar_     Weight of the L1 base fee, in millionths.
    /// @param blobbasefeeScalar_ Weight of the L1 blob base fee, in millionths.
    /// @param gasLimit_          Gas limit of L2 blocks.
    /// @param unsafeBlockSigner_ Key that signs blocks which are not yet on L1.
    /// @param batchInbox_        Receives batcher transactions.
    /// @param openToken_         Native coin of the rollup.
    /// @param optimismPortal_    The portal. It and those that follow are deployed after this
    ///                           contract, at addresses known ahead.
    /// @param l2OutputOracle_    The outputs.
    /// @param messenger_         The L1CrossDomainMessenger.
    /// @param bridge_            The L1StandardBridge.
    constructor(
        address owner_,
        address batcher_,
        uint32 basefeeScalar_,
        uint32 blobbasefeeScalar_,
        uint64 gasLimit_,
        address unsafeBlockSigner_,
        address batchInbox_,
        IERC20Metadata openToken_,
        address optimismPortal_,
        address l2OutputOracle_,
        address messenger_,
        address bridge_
    ) Ownable(owner_) {
        batchInbox = batchInbox_;
        openToken = openToken_;
        optimismPortal = optimismPortal_;
        l2OutputOracle = l2OutputOracle_;
        l1CrossDomainMessenger = messenger_;
        l1StandardBridge = bridge_;
        startBlock = block.number;
        _storeBatcherHash(bytes32(uint256(uint160(batcher_))));
        _storeGasLimit(gasLimit_);
        (basefeeScalar, blobbasefeeScalar) = (basefeeScalar_, blobbasefeeScalar_);
        StorageSlot.getAddressSlot(UNSAFE_BLOCK_SIGNER_SLOT).value = unsafeBlockSigner_;
    }

    /// @notice Changes who may post batches.
    /// @param batcherHash_ The new batcher's address, left-padded.
    function setBatcherHash(bytes32 batcherHash_) external onlyOwner {
        _storeBatcherHash(batcherHash_);
        _announce(UpdateType.BATCHER, abi.encode(batcherHash_));
    }

    /// @notice Changes the two weights of the L1 data fee.
    function setGasConfigEcotone(uint32 basefeeScalar_, uint32 blobbasefeeScalar_) external onlyOwner {
        (basefeeScalar, blobbasefeeScalar) = (basefeeScalar_, blobbasefeeScalar_);
        _announce(UpdateType.FEE_SCALARS, abi.encode(overhead(), scalar()));
    }

    /// @notice Changes the gas limit of L2 blocks.
    function setGasLimit(uint64 gasLimit_) external onlyOwner {
        _storeGasLimit(gasLimit_);
        _announce(UpdateType.GAS_LIMIT, abi.encode(gasLimit_));
    }

    /// @notice Changes the key that signs unsafe blocks.
    function setUnsafeBlockSigner(address unsafeBlockSigner_) external onlyOwner {
        StorageSlot.getAddressSlot(UNSAFE_BLOCK_SIGNER_SLOT).value = unsafeBlockSigner_;
        _announce(UpdateType.UNSAFE_BLOCK_SIGNER, abi.encode(unsafeBlockSigner_));
    }

    /// @notice Changes how fast L2's base fee moves and how far above its target a block may go.
    function setEIP1559Params(uint32 denominator, uint32 elasticity) external onlyOwner {
        if (denominator == 0 || elasticity == 0 || elasticity > minimumGasLimit) {
            revert InvalidEIP1559Params(denominator, elasticity);
        }
        (eip1559Denominator, eip1559Elasticity) = (denominator, elasticity);
        _announce(UpdateType.EIP_1559_PARAMS, abi.encode((uint256(denominator) << 32) | elasticity));
    }

    /// @notice Changes the operator fee.
    function setOperatorFeeScalars(uint32 operatorFeeScalar_, uint64 operatorFeeConstant_) external onlyOwner {
        (operatorFeeScalar, operatorFeeConstant) = (operatorFeeScalar_, operatorFeeConstant_);
        uint256 packed = (uint256(operatorFeeScalar_) << 64) | operatorFeeConstant_;
        _announce(UpdateType.OPERATOR_FEE_PARAMS, abi.encode(packed));
    }

    /// @notice Changes the floor of L2's base fee.
    function setMinBaseFee(uint64 minBaseFee_) external onlyOwner {
        minBaseFee = minBaseFee_;
        _announce(UpdateType.MIN_BASE_FEE, abi.encode(minBaseFee_));
    }

    /// @notice Changes the gas counted for each byte of data-availability use.
    function setDAFootprintGasScalar(uint16 daFootprintGasScalar_) external onlyOwner {
        daFootprintGasScalar = daFootprintGasScalar_;
        _announce(UpdateType.DA_FOOTPRINT_GAS_SCALAR, abi.encode(daFootprintGasScalar_));
    }

    /// @notice The key that signs unsafe blocks.
    function unsafeBlockSigner() external view returns (address) {
        return StorageSlot.getAddressSlot(UNSAFE_BLOCK_SIGNER_SLOT).value;
    }

    /// @notice The token on L1 that is the rollup's native coin, and its decimals.
    function gasPayingToken() external view returns (address addr_, uint8 decimals_) {
        return (address(openToken), openToken.decimals());
    }

    /// @notice Name of the native coin.
    function gasPayingTokenName() external view returns (string memory) {
        return openToken.name();
    }

    /// @notice Symbol of the native coin.
    function gasPayingTokenSymbol() external view returns (string memory) {
        return openToken.symbol();
    }

    /// @notice Both fee weights in the protocol's version 1 encoding.
    function scalar() public view returns (uint256) {
        return (uint256(1) << 248) | (uint256(blobbasefeeScalar) << 32) | basefeeScalar;
    }

    /// @notice Fixed part of an older fee formula: always zero.
    function overhead() public pure returns (uint256) {
        return 0;
    }

    /// @notice The rollup's native coin is a token of L1, not ether.
    function isCustomGasToken() external pure returns (bool) {
        return true;
    }

    function _storeBatcherHash(bytes32 batcherHash_) private {
        if (batcherHash_ == 0 || uint256(batcherHash_) > type(uint160).max) {
            revert InvalidBatcherHash(batcherHash_);
        }
        batcherHash = batcherHash_;
    }

    function _storeGasLimit(uint64 gasLimit_) private {
        if (gasLimit_ < minimumGasLimit || gasLimit_ > maximumGasLimit) {
            revert InvalidGasLimit(gasLimit_, minimumGasLimit, maximumGasLimit);
        }
        gasLimit = gasLimit_;
    }

    function _announce(UpdateType updateType, bytes memory data) private {
        emit ConfigUpdate(VERSION, updateType, data);
    }
}

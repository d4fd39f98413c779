// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Vouchers
/// @notice What a payer signs (EIP-712), and whether it was signed.
abstract contract Vouchers {
    /// @notice A payer's word: charge me up to this for all that the model has ever answered me.
    /// @param cumulativeGwei Total since the first answer.
    /// @param expiry         Last second at which it may be charged.
    /// @param r              Of the signature.
    /// @param vs             Of the signature, in the short form of EIP-2098.
    struct Voucher {
        address payer;
        uint64 cumulativeGwei;
        uint64 expiry;
        bytes32 r;
        bytes32 vs;
    }

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant VOUCHER_TYPEHASH =
        keccak256("Voucher(address payer,bytes32 modelKey,uint64 cumulativeGwei,uint64 expiry)");
    string private constant DOMAIN_NAME = "OpenRollup AttributionHub";
    string private constant DOMAIN_VERSION = "1";

    /// @notice What the signer of a voucher signs (EIP-712).
    function voucherDigest(
        address payer,
        bytes32 modelKey,
        uint64 cumulativeGwei,
        uint64 expiry
    ) external view returns (bytes32) {
        return _digest(domainSeparator(), payer, modelKey, cumulativeGwei, expiry);
    }

    /// @notice The EIP-712 domain of vouchers, field by field (EIP-5267).
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory domainName,
            string memory domainVersion,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (0x0f, DOMAIN_NAME, DOMAIN_VERSION, block.chainid, address(this), 0, new uint256[](0));
    }

    /// @notice The EIP-712 domain of vouchers.
    function domainSeparator() public view returns (bytes32) {
        return keccak256(
            abi.encode(
                DOMAIN_TYPEHASH,
                keccak256(bytes(DOMAIN_NAME)),
                keccak256(bytes(DOMAIN_VERSION)),
                block.chainid,
                address(this)
            )
        );
    }

    /// @dev Whether a voucher for this model has the signature of `signer`.
    function _isSigned(
        bytes32 domain,
        bytes32 modelKey,
        Voucher calldata voucher,
        address signer
    ) internal pure returns (bool) {
        bytes32 digest =
            _digest(domain, voucher.payer, modelKey, voucher.cumulativeGwei, voucher.expiry);
        // By recovery only, so that delegating the signer's account to code changes nothing.
        (address recovered, ECDSA.RecoverError fault,) =
            ECDSA.tryRecover(digest, voucher.r, voucher.vs);
        return fault == ECDSA.RecoverError.NoError && recovered == signer;
    }

    function _digest(
        bytes32 domain,
        address payer,
        bytes32 modelKey,
        uint64 cumulativeGwei,
        uint64 expiry
    ) private pure returns (bytes32) {
        bytes32 structHash =
            keccak256(abi.encode(VOUCHER_TYPEHASH, payer, modelKey, cumulativeGwei, expiry));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title AddressAlias
/// @notice Decides under which L2 address an L1 caller acts. A contract's L1 address may belong to
///         somebody else on L2, so contracts act under a shifted address; accounts which are
///         controlled by a key act under their own.
library AddressAlias {
    /// @notice What is added, modulo 2**160, to the L1 address of a contract.
    uint160 internal constant OFFSET = uint160(0x1111000000000000000000000000000000001111);

    /// @notice The L2 sender of a deposit made by the current `msg.sender`.
    function ofSender() internal view returns (address) {
        return senderHasKey() ? msg.sender : fromL1Contract(msg.sender);
    }

    /// @notice The L2 alias of an L1 contract.
    function fromL1Contract(address l1Contract) internal pure returns (address) {
        unchecked {
            return address(uint160(l1Contract) + OFFSET);
        }
    }

    /// @notice True for the transaction's signer and for an account that delegates by EIP-7702: its
    ///         code is 0xef0100 and an address, which no contract creation can produce (EIP-3541).
    function senderHasKey() internal view returns (bool) {
        if (msg.sender == tx.origin) return true;
        if (msg.sender.code.length != 23) return false;
        return bytes3(msg.sender.code) == 0xef0100;
    }
}

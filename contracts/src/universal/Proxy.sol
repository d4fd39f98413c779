// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StorageSlot} from "@openzeppelin/contracts/utils/StorageSlot.sol";

/// @title Proxy
/// @notice An EIP-1967 proxy. Its own functions answer its admin; from anybody else every call
///         goes to the implementation. It keeps nothing outside the two standard slots, so that
///         genesis can place its code at an address and write them.
contract Proxy {
    /// @dev keccak256("eip1967.proxy.implementation") - 1.
    bytes32 private constant IMPLEMENTATION_SLOT =
        0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;

    /// @dev keccak256("eip1967.proxy.admin") - 1.
    bytes32 private constant ADMIN_SLOT =
        0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103;

    /// @notice Calls now go to another implementation.
    event Upgraded(address indexed implementation);

    /// @notice The proxy has another admin.
    event AdminChanged(address previousAdmin, address newAdmin);

    /// @notice No implementation has been set.
    error NoImplementation();

    /// @dev Answers the admin; passes anybody else's call on.
    modifier onlyAdminElseForward() {
        if (msg.sender != _admin()) _forward();
        _;
    }

    /// @dev As above, and answers a simulated call without a sender, as tools make them.
    modifier onlyAdminOrReaderElseForward() {
        if (msg.sender != address(0) && msg.sender != _admin()) _forward();
        _;
    }

    /// @param admin_ May upgrade the proxy.
    constructor(address admin_) {
        _setAdmin(admin_);
    }

    receive() external payable {
        _forward();
    }

    fallback() external payable {
        _forward();
    }

    /// @notice Sets the implementation.
    function upgradeTo(address newImplementation) external onlyAdminElseForward {
        _setImplementation(newImplementation);
    }

    /// @notice Sets the implementation and calls it with `data`.
    /// @return What the implementation has returned.
    function upgradeToAndCall(
        address newImplementation,
        bytes calldata data
    ) external payable onlyAdminElseForward returns (bytes memory) {
        _setImplementation(newImplementation);
        (bool success, bytes memory result) = newImplementation.delegatecall(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
        return result;
    }

    /// @notice Gives the proxy to another admin.
    function changeAdmin(address newAdmin) external onlyAdminElseForward {
        _setAdmin(newAdmin);
    }

    /// @notice The admin. Not `view`: for others it is the implementation's function.
    function admin() external onlyAdminOrReaderElseForward returns (address) {
        return _admin();
    }

    /// @notice The implementation. Not `view`: for others it is the implementation's function.
    function implementation() external onlyAdminOrReaderElseForward returns (address) {
        return _implementation();
    }

    function _setImplementation(address newImplementation) private {
        StorageSlot.getAddressSlot(IMPLEMENTATION_SLOT).value = newImplementation;
        emit Upgraded(newImplementation);
    }

    function _setAdmin(address newAdmin) private {
        emit AdminChanged(_admin(), newAdmin);
        StorageSlot.getAddressSlot(ADMIN_SLOT).value = newAdmin;
    }

    function _admin() private view returns (address) {
        return StorageSlot.getAddressSlot(ADMIN_SLOT).value;
    }

    function _implementation() private view returns (address) {
        return StorageSlot.getAddressSlot(IMPLEMENTATION_SLOT).value;
    }

    /// @dev Runs the call in the implementation and ends with its result; never returns.
    function _forward() private {
        address target = _implementation();
        if (target == address(0)) revert NoImplementation();
        assembly {
            // Nothing of this contract runs afterwards, so its memory may be overwritten.
            calldatacopy(0, 0, calldatasize())
            let success := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if success { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Proxy} from "../universal/Proxy.sol";

/// @title ProxyAdmin
/// @notice Admin of the predeploys' proxies, its own among them. Genesis writes the owner, who may
///         replace the code behind each.
contract ProxyAdmin is Ownable {
    /// @param initialOwner May upgrade the proxies.
    constructor(address initialOwner) Ownable(initialOwner) {}

    /// @notice Sets a proxy's implementation.
    function upgrade(address payable proxy, address implementation) external onlyOwner {
        Proxy(proxy).upgradeTo(implementation);
    }

    /// @notice Sets a proxy's implementation and calls it with `data` and the value that comes.
    function upgradeAndCall(
        address payable proxy,
        address implementation,
        bytes calldata data
    ) external payable onlyOwner {
        Proxy(proxy).upgradeToAndCall{value: msg.value}(implementation, data);
    }

    /// @notice Gives a proxy to another admin.
    function changeProxyAdmin(address payable proxy, address newAdmin) external onlyOwner {
        Proxy(proxy).changeAdmin(newAdmin);
    }

    /// @notice A proxy's implementation.
    function getProxyImplementation(address proxy) external view returns (address) {
        return IProxyReader(proxy).implementation();
    }

    /// @notice A proxy's admin.
    function getProxyAdmin(address payable proxy) external view returns (address) {
        return IProxyReader(proxy).admin();
    }
}

/// @dev The proxy's own answers to its admin, which change nothing.
interface IProxyReader {
    function implementation() external view returns (address);

    function admin() external view returns (address);
}

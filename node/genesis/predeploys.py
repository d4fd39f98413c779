"""Contracts that exist on a rollup from its first block, at the OP Stack's addresses."""

from node.artifacts import load_artifact
from node.genesis.genesis import GenesisAccount
from node.types.primitives import Address, hex_address

SEQUENCER_FEE_VAULT_ADDRESS = hex_address("0x4200000000000000000000000000000000000011")
L1_BLOCK_ADDRESS = hex_address("0x4200000000000000000000000000000000000015")
MESSAGE_PASSER_ADDRESS = hex_address("0x4200000000000000000000000000000000000016")
PROXY_ADMIN_ADDRESS = hex_address("0x4200000000000000000000000000000000000018")
ATTRIBUTION_ADDRESS = hex_address("0x0000000000000000000000000000000000000A77")

# keccak256("eip1967.proxy.implementation") - 1 and keccak256("eip1967.proxy.admin") - 1.
IMPLEMENTATION_SLOT = 0x360894A13BA1A3210667C828492DB98DCA3E2076CC3735A920A3CA505D382BBC
ADMIN_SLOT = 0xB53127684A568B3173AE13B9F8A6016E243E63B6E8EE1178D6A717850B5D6103

_IMPLEMENTATION_PREFIX = bytes.fromhex("c0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d3")
_PROXIED = {
    L1_BLOCK_ADDRESS: "L1Block",
    MESSAGE_PASSER_ADDRESS: "L2ToL1MessagePasser",
}


def implementation_address(predeploy: Address) -> Address:
    """Where the code behind a predeploy's proxy lives."""
    return Address(_IMPLEMENTATION_PREFIX + predeploy[18:])


def predeploys() -> dict[Address, GenesisAccount]:
    """Proxies and implementations of the contracts that every rollup has."""
    accounts: dict[Address, GenesisAccount] = {}
    for address, name in _PROXIED.items():
        implementation = implementation_address(address)
        accounts[address] = _proxy(implementation)
        accounts[implementation] = GenesisAccount(
            nonce=1, code=load_artifact(name).deployed_bytecode
        )
    return accounts


def attribution_account() -> GenesisAccount:
    """The receipt precompile's account: one byte of code keeps EIP-161 from clearing it."""
    return GenesisAccount(nonce=1, code=b"\xfe")


def _proxy(implementation: Address) -> GenesisAccount:
    return GenesisAccount(
        nonce=1,
        code=load_artifact("Proxy").deployed_bytecode,
        storage={
            IMPLEMENTATION_SLOT: int.from_bytes(implementation, "big"),
            ADMIN_SLOT: int.from_bytes(PROXY_ADMIN_ADDRESS, "big"),
        },
    )

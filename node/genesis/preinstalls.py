"""Contracts of others that applications expect everywhere, as accounts of a first block."""

from node.artifacts.preinstalls import Preinstall, load_preinstall
from node.genesis.genesis import GenesisAccount
from node.types.primitives import Address, keccak256

_ETHEREUM = ("Multicall3", "DeterministicDeploymentProxy")
_ROLLUP = (
    *_ETHEREUM,
    "Create2Deployer",
    "SafeSingletonFactory",
    "EntryPoint",
    "SenderCreator",
)
_DOMAIN_TYPE = b"EIP712Domain(string name,uint256 chainId,address verifyingContract)"


def ethereum_preinstalls() -> dict[Address, GenesisAccount]:
    """What tools use on any chain: reading in batches, deploying at addresses known ahead."""
    return dict(_account(load_preinstall(name)) for name in _ETHEREUM)


def rollup_preinstalls(chain_id: int) -> dict[Address, GenesisAccount]:
    """What an OP Stack chain begins with, of the contracts that are in use today."""
    accounts = dict(_account(load_preinstall(name)) for name in _ROLLUP)
    permit2 = load_preinstall("Permit2")
    address = Address(permit2.address)
    code = permit2.code_with(
        chainId=chain_id.to_bytes(32, "big"),
        domainSeparator=permit2_domain_separator(chain_id, address),
    )
    accounts[address] = GenesisAccount(nonce=permit2.nonce, code=code)
    return accounts


def permit2_domain_separator(chain_id: int, address: Address) -> bytes:
    """Return the EIP-712 domain separator of Permit2 on a chain."""
    words = keccak256(_DOMAIN_TYPE) + keccak256(b"Permit2")
    return keccak256(words + chain_id.to_bytes(32, "big") + address.rjust(32, b"\0"))


def _account(preinstall: Preinstall) -> tuple[Address, GenesisAccount]:
    account = GenesisAccount(
        nonce=preinstall.nonce, code=preinstall.code, storage=preinstall.storage
    )
    return Address(preinstall.address), account

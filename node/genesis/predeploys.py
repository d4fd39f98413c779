"""Contracts that exist on a rollup from its first block, at the OP Stack's addresses."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.artifacts import load_artifact
from node.genesis.genesis import GenesisAccount
from node.genesis.predeploy_settings import PredeploySettings
from node.types.primitives import Address, hex_address

L2_CROSS_DOMAIN_MESSENGER_ADDRESS = hex_address("0x4200000000000000000000000000000000000007")
L2_STANDARD_BRIDGE_ADDRESS = hex_address("0x4200000000000000000000000000000000000010")
SEQUENCER_FEE_VAULT_ADDRESS = hex_address("0x4200000000000000000000000000000000000011")
MINTABLE_ERC20_FACTORY_ADDRESS = hex_address("0x4200000000000000000000000000000000000012")
L1_BLOCK_ADDRESS = hex_address("0x4200000000000000000000000000000000000015")
MESSAGE_PASSER_ADDRESS = hex_address("0x4200000000000000000000000000000000000016")
PROXY_ADMIN_ADDRESS = hex_address("0x4200000000000000000000000000000000000018")
ATTRIBUTION_ADDRESS = hex_address("0x0000000000000000000000000000000000000A77")

# keccak256("eip1967.proxy.implementation") - 1 and keccak256("eip1967.proxy.admin") - 1.
IMPLEMENTATION_SLOT = 0x360894A13BA1A3210667C828492DB98DCA3E2076CC3735A920A3CA505D382BBC
ADMIN_SLOT = 0xB53127684A568B3173AE13B9F8A6016E243E63B6E8EE1178D6A717850B5D6103

_IMPLEMENTATION_PREFIX = bytes.fromhex("c0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d3")


@dataclass(frozen=True, slots=True)
class _Predeploy:
    """A contract of ours, and what its storage (that of its proxy) starts with."""

    name: str
    address: Address
    storage: Mapping[int, int] = field(default_factory=dict)


def implementation_address(predeploy: Address) -> Address:
    """Where the code behind a predeploy's proxy lives."""
    return Address(_IMPLEMENTATION_PREFIX + predeploy[18:])


def predeploys(settings: PredeploySettings) -> dict[Address, GenesisAccount]:
    """Proxies and implementations of the contracts that every rollup has."""
    accounts: dict[Address, GenesisAccount] = {}
    for predeploy in _proxied(settings):
        implementation = implementation_address(predeploy.address)
        accounts[predeploy.address] = _proxy(implementation, predeploy.storage)
        accounts[implementation] = _contract(predeploy.name)
    return accounts


def _proxied(settings: PredeploySettings) -> list[_Predeploy]:
    return [
        _Predeploy("L1Block", L1_BLOCK_ADDRESS),
        _Predeploy("L2ToL1MessagePasser", MESSAGE_PASSER_ADDRESS),
        *_bridge(settings),
    ]


def _bridge(settings: PredeploySettings) -> list[_Predeploy]:
    """What sends messages and tokens to L1: each part knows its other side."""

    def storage(name: str, **values: bytes) -> Mapping[int, int]:
        words = {label: int.from_bytes(value, "big") for label, value in values.items()}
        return load_artifact(name).storage(**words)

    messenger, bridge = settings.l1_cross_domain_messenger, settings.l1_standard_bridge
    factory = "OptimismMintableERC20Factory"
    return [
        _Predeploy(
            "L2CrossDomainMessenger",
            L2_CROSS_DOMAIN_MESSENGER_ADDRESS,
            storage("L2CrossDomainMessenger", l1Messenger=messenger),
        ),
        _Predeploy(
            "L2StandardBridge",
            L2_STANDARD_BRIDGE_ADDRESS,
            storage("L2StandardBridge", l1Bridge=bridge),
        ),
        _Predeploy(
            factory,
            MINTABLE_ERC20_FACTORY_ADDRESS,
            storage(factory, bridge=L2_STANDARD_BRIDGE_ADDRESS),
        ),
    ]


def attribution_account() -> GenesisAccount:
    """The receipt precompile's account: one byte of code keeps EIP-161 from clearing it."""
    return GenesisAccount(nonce=1, code=b"\xfe")


def _contract(name: str) -> GenesisAccount:
    return GenesisAccount(nonce=1, code=load_artifact(name).deployed_bytecode)


def _proxy(implementation: Address, storage: Mapping[int, int]) -> GenesisAccount:
    return GenesisAccount(
        nonce=1,
        code=load_artifact("Proxy").deployed_bytecode,
        storage={
            **storage,
            IMPLEMENTATION_SLOT: int.from_bytes(implementation, "big"),
            ADMIN_SLOT: int.from_bytes(PROXY_ADMIN_ADDRESS, "big"),
        },
    )

"""Contracts that exist on a rollup from its first block, at the OP Stack's addresses."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.artifacts import load_artifact
from node.genesis.genesis import GenesisAccount
from node.genesis.predeploy_settings import EscrowSettings, FeeVaultSettings, PredeploySettings
from node.types.primitives import Address, hex_address

WETH_ADDRESS = hex_address("0x4200000000000000000000000000000000000006")
L2_CROSS_DOMAIN_MESSENGER_ADDRESS = hex_address("0x4200000000000000000000000000000000000007")
GAS_PRICE_ORACLE_ADDRESS = hex_address("0x420000000000000000000000000000000000000F")
L2_STANDARD_BRIDGE_ADDRESS = hex_address("0x4200000000000000000000000000000000000010")
SEQUENCER_FEE_VAULT_ADDRESS = hex_address("0x4200000000000000000000000000000000000011")
MINTABLE_ERC20_FACTORY_ADDRESS = hex_address("0x4200000000000000000000000000000000000012")
L1_BLOCK_ADDRESS = hex_address("0x4200000000000000000000000000000000000015")
MESSAGE_PASSER_ADDRESS = hex_address("0x4200000000000000000000000000000000000016")
PROXY_ADMIN_ADDRESS = hex_address("0x4200000000000000000000000000000000000018")
BASE_FEE_VAULT_ADDRESS = hex_address("0x4200000000000000000000000000000000000019")
L1_FEE_VAULT_ADDRESS = hex_address("0x420000000000000000000000000000000000001A")
ATTRIBUTION_HUB_ADDRESS = hex_address("0x4200000000000000000000000000000000000777")
OPERATOR_FEE_VAULT_ADDRESS = hex_address("0x420000000000000000000000000000000000001b")
ATTRIBUTION_ADDRESS = hex_address("0x0000000000000000000000000000000000000A77")
RECEIPT_ACCOUNT_CODE = b"\xfe"
"""Keeps EIP-161 from clearing the receipt precompile's account; runs nowhere."""

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


def predeploys(settings: PredeploySettings, *, is_jovian: bool) -> dict[Address, GenesisAccount]:
    """The contracts that every rollup has: most are a proxy and, elsewhere, an implementation.

    Addresses of the OP Stack's predeploy range that it fills with empty proxies stay empty here.
    """
    accounts = {WETH_ADDRESS: _contract("WETH")}
    for predeploy in (*_protocol(settings, is_jovian), *_bridge(settings), *_fee_vaults(settings)):
        implementation = implementation_address(predeploy.address)
        accounts[predeploy.address] = _proxy(implementation, predeploy.storage)
        accounts[implementation] = _contract(predeploy.name)
    return accounts


def _protocol(settings: PredeploySettings, is_jovian: bool) -> list[_Predeploy]:
    oracle = load_artifact("GasPriceOracle").storage(isJovian=int(is_jovian))
    owner = int.from_bytes(settings.proxy_admin_owner, "big")
    return [
        _Predeploy("GasPriceOracle", GAS_PRICE_ORACLE_ADDRESS, oracle),
        _Predeploy("L1Block", L1_BLOCK_ADDRESS),
        _Predeploy("L2ToL1MessagePasser", MESSAGE_PASSER_ADDRESS),
        _Predeploy(
            "ProxyAdmin", PROXY_ADMIN_ADDRESS, load_artifact("ProxyAdmin").storage(_owner=owner)
        ),
    ]


def _bridge(settings: PredeploySettings) -> list[_Predeploy]:
    """What sends messages and tokens to L1: each part knows its other side."""
    return [
        _predeploy(
            "L2CrossDomainMessenger",
            L2_CROSS_DOMAIN_MESSENGER_ADDRESS,
            l1Messenger=settings.l1_cross_domain_messenger,
        ),
        _predeploy(
            "L2StandardBridge", L2_STANDARD_BRIDGE_ADDRESS, l1Bridge=settings.l1_standard_bridge
        ),
        _predeploy(
            "OptimismMintableERC20Factory",
            MINTABLE_ERC20_FACTORY_ADDRESS,
            bridge=L2_STANDARD_BRIDGE_ADDRESS,
        ),
    ]


def _fee_vaults(settings: PredeploySettings) -> list[_Predeploy]:
    return [
        _fee_vault("SequencerFeeVault", SEQUENCER_FEE_VAULT_ADDRESS, settings.sequencer_fee_vault),
        _fee_vault("BaseFeeVault", BASE_FEE_VAULT_ADDRESS, settings.base_fee_vault),
        _fee_vault("L1FeeVault", L1_FEE_VAULT_ADDRESS, settings.l1_fee_vault),
        _fee_vault("OperatorFeeVault", OPERATOR_FEE_VAULT_ADDRESS, settings.operator_fee_vault),
    ]


def _fee_vault(name: str, address: Address, settings: FeeVaultSettings) -> _Predeploy:
    storage = load_artifact(name).storage(
        recipient=int.from_bytes(settings.recipient, "big"),
        withdrawalNetwork=settings.withdrawal_network,
        minWithdrawalAmount=settings.min_withdrawal_amount,
    )
    return _Predeploy(name, address, storage)


def _predeploy(name: str, address: Address, **addresses: Address) -> _Predeploy:
    """A predeploy that knows other contracts."""
    words = {label: int.from_bytes(value, "big") for label, value in addresses.items()}
    return _Predeploy(name, address, load_artifact(name).storage(**words))


def attribution_accounts(settings: EscrowSettings) -> dict[Address, GenesisAccount]:
    """The receipt precompile and the contract that settles receipts.

    The contract has no proxy: nobody can replace the code that holds the escrow.
    """
    hub = load_artifact("AttributionHub")
    storage = hub.storage(
        withdrawalDelay=settings.withdrawal_delay_s, withdrawalWindow=settings.withdrawal_window_s
    )
    return {
        ATTRIBUTION_ADDRESS: GenesisAccount(nonce=1, code=RECEIPT_ACCOUNT_CODE),
        ATTRIBUTION_HUB_ADDRESS: GenesisAccount(
            nonce=1, code=hub.deployed_bytecode, storage=storage
        ),
    }


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

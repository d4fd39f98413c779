from dataclasses import replace
from pathlib import Path

import pytest

from node.chain_file import read_blocks
from node.config import AttributionConfig
from node.errors import ConfigError
from node.genesis import GenesisAccount, genesis_block, l1_dev_genesis, l2_genesis, read_genesis
from node.genesis.genesis import Genesis
from node.genesis.predeploy_settings import (
    FeeVaultSettings,
    PredeploySettings,
    WithdrawalNetwork,
)
from node.genesis.predeploys import (
    ADMIN_SLOT,
    ATTRIBUTION_ADDRESS,
    BASE_FEE_VAULT_ADDRESS,
    GAS_PRICE_ORACLE_ADDRESS,
    IMPLEMENTATION_SLOT,
    L1_BLOCK_ADDRESS,
    L1_FEE_VAULT_ADDRESS,
    L2_STANDARD_BRIDGE_ADDRESS,
    MESSAGE_PASSER_ADDRESS,
    PROXY_ADMIN_ADDRESS,
    implementation_address,
)
from node.genesis.system_contracts import (
    BEACON_ROOTS_ADDRESS,
    CONSOLIDATION_REQUESTS_ADDRESS,
    ETHEREUM_SYSTEM_CONTRACTS,
    HISTORY_STORAGE_ADDRESS,
    WITHDRAWAL_REQUESTS_ADDRESS,
)
from node.types.block import decode_block
from node.types.primitives import (
    EMPTY_REQUESTS_HASH,
    EMPTY_TRIE_ROOT,
    Address,
    hex_address,
    keccak256,
)

VECTOR = Path(__file__).parents[3] / "../shared/vectors/l1-prague"


def test_block_has_the_hash_that_geth_gave_it() -> None:
    if not VECTOR.exists():
        pytest.skip("the folder with public test vectors is absent")
    genesis = read_genesis(VECTOR / "genesis.json")
    first = next(read_blocks(VECTOR / "chain.rlp"))
    assert genesis_block(genesis).block.hash == first.header.parent_hash


def test_system_contracts_are_those_that_geth_knows() -> None:
    if not VECTOR.exists():
        pytest.skip("the folder with public test vectors is absent")
    alloc = read_genesis(VECTOR / "genesis.json").alloc
    for address, account in ETHEREUM_SYSTEM_CONTRACTS.items():
        assert alloc[address].code == account.code


def test_ethereum_block() -> None:
    genesis = l1_dev_genesis(timestamp=5)
    executed = genesis_block(genesis)
    header = executed.block.header
    assert header.requests_hash == EMPTY_REQUESTS_HASH
    assert header.withdrawals_root == EMPTY_TRIE_ROOT
    assert header.state_root == executed.changes.state_root
    assert decode_block(executed.block.encode()) == executed.block
    for address in (
        BEACON_ROOTS_ADDRESS,
        HISTORY_STORAGE_ADDRESS,
        WITHDRAWAL_REQUESTS_ADDRESS,
        CONSOLIDATION_REQUESTS_ADDRESS,
    ):
        account = executed.changes.accounts[address]
        assert account is not None
        assert account.nonce == 1
        assert keccak256(executed.changes.codes[account.code_hash]) == account.code_hash


def test_rollup_block_commits_to_the_message_passer() -> None:
    executed = genesis_block(l2_genesis(chain_id=901, timestamp=5))
    header = executed.block.header
    account = executed.changes.accounts[MESSAGE_PASSER_ADDRESS]
    assert account is not None
    assert account.storage_root != EMPTY_TRIE_ROOT
    assert header.withdrawals_root == account.storage_root
    assert header.extra_data == bytes.fromhex("00000000fa00000006")
    assert header.coinbase == hex_address("0x4200000000000000000000000000000000000011")


def test_jovian_extra_data_carries_the_minimum_base_fee() -> None:
    genesis = l2_genesis(chain_id=901, timestamp=5, min_base_fee=7)
    assert genesis.extra_data == bytes.fromhex("01000000fa000000060000000000000007")
    assert genesis.config.is_jovian(5)


def test_predeploys_are_proxies() -> None:
    alloc = l2_genesis(chain_id=901, timestamp=5).alloc
    for address in (L1_BLOCK_ADDRESS, MESSAGE_PASSER_ADDRESS):
        implementation = implementation_address(address)
        assert implementation.hex() == "c0d3" * 9 + address.hex()[36:]
        assert alloc[address].storage == {
            IMPLEMENTATION_SLOT: int.from_bytes(implementation, "big"),
            ADMIN_SLOT: int.from_bytes(PROXY_ADMIN_ADDRESS, "big"),
        }
        assert alloc[implementation].code
    assert ATTRIBUTION_ADDRESS not in alloc
    assert WITHDRAWAL_REQUESTS_ADDRESS not in alloc


def test_the_values_of_a_rollup_are_in_its_predeploys() -> None:
    owner, recipient, bridge = (Address(bytes([value]) * 20) for value in (1, 2, 3))
    vault = FeeVaultSettings(recipient, WithdrawalNetwork.L2, 5)
    settings = replace(
        PredeploySettings.owned_by(owner, l1_standard_bridge=bridge), l1_fee_vault=vault
    )
    genesis = l2_genesis(chain_id=901, timestamp=5, predeploy_settings=settings)

    def stored(address: Address) -> list[int]:
        slots = genesis.alloc[address].storage
        return [slots.get(slot, 0) for slot in range(3)]

    assert stored(PROXY_ADMIN_ADDRESS)[0] == int.from_bytes(owner, "big")
    assert stored(L1_FEE_VAULT_ADDRESS) == [0, 5, 1 << 160 | int.from_bytes(recipient, "big")]
    ours = 1 << 160 | int.from_bytes(owner, "big")
    assert stored(BASE_FEE_VAULT_ADDRESS) == [0, 10 * 10**18, ours]
    assert (
        int.from_bytes(bridge, "big") in genesis.alloc[L2_STANDARD_BRIDGE_ADDRESS].storage.values()
    )


@pytest.mark.parametrize("min_base_fee", [None, 0])
def test_the_oracle_knows_whether_jovian_holds(min_base_fee: int | None) -> None:
    genesis = l2_genesis(chain_id=901, timestamp=5, min_base_fee=min_base_fee)
    flag = genesis.alloc[GAS_PRICE_ORACLE_ADDRESS].storage.get(0, 0)
    assert bool(flag) is genesis.config.is_jovian(5)


def test_a_genesis_stays_light() -> None:
    """It is read, hashed and sent around; the OP Stack's has some 2,000 empty proxies."""
    alloc = l2_genesis(chain_id=901, timestamp=5).alloc
    assert len(alloc) < 60
    assert sum(len(account.code) for account in alloc.values()) < 200_000


def test_proxy_slots_are_those_of_eip_1967() -> None:
    for slot, name in ((IMPLEMENTATION_SLOT, "implementation"), (ADMIN_SLOT, "admin")):
        preimage = f"eip1967.proxy.{name}".encode()
        assert slot == int.from_bytes(keccak256(preimage), "big") - 1


def test_attribution_adds_its_account() -> None:
    genesis = l2_genesis(
        chain_id=901, timestamp=5, attribution=AttributionConfig(0, 16, 256 * 1024)
    )
    assert genesis.alloc[ATTRIBUTION_ADDRESS] == GenesisAccount(nonce=1, code=b"\xfe")
    assert genesis.config.attribution == AttributionConfig(0, 16, 256 * 1024)


def test_further_contracts_and_accounts() -> None:
    hub = hex_address("0x4200000000000000000000000000000000000777")
    user = Address(b"\x07" * 20)
    genesis = l2_genesis(
        chain_id=901,
        timestamp=5,
        funded=[user],
        contracts={hub: GenesisAccount(code=b"\x00")},
    )
    assert genesis.alloc[hub].code == b"\x00"
    assert genesis.alloc[user].balance == 10_000 * 10**18
    with pytest.raises(ConfigError, match="funded: "):
        l2_genesis(chain_id=901, timestamp=5, funded=[hub], contracts=genesis.alloc)


def test_empty_accounts_of_the_allocation_exist() -> None:
    base = l1_dev_genesis(timestamp=5)

    def root(alloc: dict[Address, GenesisAccount]) -> bytes:
        genesis = Genesis(base.config, base.raw_config, 5, 30_000_000, alloc)
        return genesis_block(genesis).block.header.state_root

    assert root({}) == EMPTY_TRIE_ROOT
    assert root({Address(bytes(20)): GenesisAccount()}) != EMPTY_TRIE_ROOT
    # A slot that is set to zero is not set.
    assert root({Address(bytes(20)): GenesisAccount(storage={1: 0})}) == root(
        {Address(bytes(20)): GenesisAccount()}
    )

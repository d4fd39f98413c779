"""ProxyAdmin: its owner, from genesis, may replace the code behind every proxy, and nobody else."""

from collections.abc import Iterator

import pytest

from node.genesis import PredeploySettings, l2_genesis
from node.genesis.predeploys import (
    IMPLEMENTATION_SLOT,
    L1_BLOCK_ADDRESS,
    PROXY_ADMIN_ADDRESS,
    implementation_address,
    predeploys,
)
from node.types.primitives import Address
from tests.contracts.local_chain import Reverted, address_text, encode_call
from tests.contracts.rollup import CHAIN_ID, GENESIS_TIME, L2Contract, Rollup
from tests.node.chains import open_chain

OWNER, MALLORY = Address(b"\x01" * 20), Address(b"\x66" * 20)
SETTINGS = PredeploySettings.owned_by(OWNER)
PROXIES = [
    address
    for address, account in predeploys(SETTINGS, is_jovian=False).items()
    if IMPLEMENTATION_SLOT in account.storage
]


@pytest.fixture
def admin() -> Iterator[L2Contract]:
    genesis = l2_genesis(chain_id=CHAIN_ID, timestamp=GENESIS_TIME, predeploy_settings=SETTINGS)
    with open_chain(genesis=genesis) as chain:
        yield L2Contract(Rollup(chain), "ProxyAdmin", PROXY_ADMIN_ADDRESS)


def deployed_greeter(admin: L2Contract) -> L2Contract:
    return L2Contract.deploy(admin.rollup, "Greeter", "unused", sender=OWNER)


def test_it_knows_every_proxy(admin: L2Contract) -> None:
    assert len(PROXIES) >= 8
    assert PROXY_ADMIN_ADDRESS in PROXIES
    assert admin.read("owner") == address_text(OWNER)
    for proxy in PROXIES:
        text = address_text(proxy)
        assert admin.read("getProxyAdmin", text) == address_text(PROXY_ADMIN_ADDRESS)
        implementation = admin.read("getProxyImplementation", text)
        assert implementation == address_text(implementation_address(proxy))


def test_the_owner_upgrades(admin: L2Contract) -> None:
    greeter = deployed_greeter(admin)
    proxy = address_text(L1_BLOCK_ADDRESS)
    assert admin.send("upgrade", proxy, address_text(greeter.address), sender=OWNER).status == 1
    assert admin.read("getProxyImplementation", proxy) == address_text(greeter.address)
    assert L2Contract(admin.rollup, "Greeter", L1_BLOCK_ADDRESS).read("greet") == ""


def test_the_owner_upgrades_and_calls(admin: L2Contract) -> None:
    greeter = deployed_greeter(admin)
    proxy = address_text(L1_BLOCK_ADDRESS)
    call = encode_call("Greeter", "setGreeting", "hello")
    arguments = (proxy, address_text(greeter.address), call)
    assert admin.send("upgradeAndCall", *arguments, sender=OWNER).status == 1
    assert L2Contract(admin.rollup, "Greeter", L1_BLOCK_ADDRESS).read("greet") == "hello"


def test_the_owner_gives_a_proxy_away(admin: L2Contract) -> None:
    proxy = address_text(L1_BLOCK_ADDRESS)
    assert admin.send("changeProxyAdmin", proxy, address_text(MALLORY), sender=OWNER).status == 1
    given = L2Contract(admin.rollup, "Proxy", L1_BLOCK_ADDRESS)
    assert given.read("admin", sender=MALLORY) == address_text(MALLORY)
    assert admin.send("upgrade", proxy, proxy, sender=OWNER).status == 0


def test_it_upgrades_itself(admin: L2Contract) -> None:
    own = address_text(PROXY_ADMIN_ADDRESS)
    greeter = deployed_greeter(admin)
    assert admin.send("upgrade", own, address_text(greeter.address), sender=OWNER).status == 1
    chain = admin.rollup.chain
    now = chain.reader.storage(PROXY_ADMIN_ADDRESS, IMPLEMENTATION_SLOT, chain.head())
    assert now == int.from_bytes(greeter.address, "big")


@pytest.mark.parametrize("sender", [MALLORY, Address(bytes(20)), PROXY_ADMIN_ADDRESS])
def test_nobody_else_may(admin: L2Contract, sender: Address) -> None:
    text = address_text(MALLORY)
    for function, arguments in [
        ("upgrade", (address_text(L1_BLOCK_ADDRESS), text)),
        ("upgradeAndCall", (address_text(L1_BLOCK_ADDRESS), text, b"")),
        ("changeProxyAdmin", (address_text(L1_BLOCK_ADDRESS), text)),
        ("transferOwnership", (text,)),
    ]:
        with pytest.raises(Reverted):
            admin.read(function, *arguments, sender=sender)


def test_the_code_behind_it_has_no_owner(admin: L2Contract) -> None:
    bare = L2Contract(admin.rollup, "ProxyAdmin", implementation_address(PROXY_ADMIN_ADDRESS))
    assert bare.read("owner") == "0x" + "00" * 20

"""Proxy: placed by genesis, it forwards everybody but its admin."""

import pytest
from eth_abi import decode

from tests.contracts.conftest import ALICE, OWNER
from tests.contracts.local_chain import Contract, LocalChain, Reverted, address_text
from tests.contracts.test_l1_block import DEPOSITOR, JOVIAN, L1_BLOCK, NUMBER

ADMIN = b"\xad" * 20
CODE = bytes.fromhex("c0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d30015")
IMPLEMENTATION_SLOT = 0x360894A13BA1A3210667C828492DB98DCA3E2076CC3735A920A3CA505D382BBC
ADMIN_SLOT = 0xB53127684A568B3173AE13B9F8A6016E243E63B6E8EE1178D6A717850B5D6103


@pytest.fixture
def proxy(chain: LocalChain) -> Contract:
    proxy = Contract.place(chain, "Proxy", L1_BLOCK)
    chain.state.set_storage(L1_BLOCK, ADMIN_SLOT, int.from_bytes(ADMIN, "big"))
    chain.state.lock_changes()
    return proxy


@pytest.fixture
def l1_block(chain: LocalChain, proxy: Contract) -> Contract:
    """L1Block behind the proxy, as at its predeploy address."""
    Contract.place(chain, "L1Block", CODE)
    chain.state.set_storage(L1_BLOCK, IMPLEMENTATION_SLOT, int.from_bytes(CODE, "big"))
    chain.state.lock_changes()
    return Contract(chain, "L1Block", L1_BLOCK)


def test_calls_reach_the_implementation(chain: LocalChain, l1_block: Contract) -> None:
    l1_block.send_raw(JOVIAN.calldata, sender=DEPOSITOR)
    assert l1_block.read("number") == NUMBER
    assert chain.storage(L1_BLOCK, 0) != 0
    assert chain.storage(CODE, 0) == 0


def test_a_revert_comes_through(l1_block: Contract) -> None:
    with pytest.raises(Reverted, match="NotDepositor"):
        l1_block.send_raw(JOVIAN.calldata, sender=ALICE)


def test_value_and_plain_transfers_come_through(chain: LocalChain, proxy: Contract) -> None:
    Contract.place(chain, "L2ToL1MessagePasser", CODE)
    proxy.send("upgradeTo", address_text(CODE), sender=ADMIN)
    passer = Contract(chain, "L2ToL1MessagePasser", L1_BLOCK)
    assert passer.events(passer.send_raw(b"", sender=ALICE, value=3), "MessagePassed")
    assert chain.balance(L1_BLOCK) == 3


def test_the_admin_reads_and_upgrades(chain: LocalChain, l1_block: Contract) -> None:
    proxy = Contract(chain, "Proxy", L1_BLOCK)
    assert proxy.read("admin", sender=ADMIN) == address_text(ADMIN)
    assert proxy.read("implementation", sender=ADMIN) == address_text(CODE)
    outcome = proxy.send("upgradeTo", address_text(OWNER), sender=ADMIN)
    (log,) = proxy.events(outcome, "Upgraded")
    assert log.topics[1] == bytes(12) + OWNER
    assert chain.storage(L1_BLOCK, IMPLEMENTATION_SLOT) == int.from_bytes(OWNER, "big")


def test_a_reader_without_address_sees_admin_and_implementation(
    chain: LocalChain, l1_block: Contract
) -> None:
    proxy = Contract(chain, "Proxy", L1_BLOCK)
    assert proxy.read("admin", sender=bytes(20)) == address_text(ADMIN)
    assert proxy.read("implementation", sender=bytes(20)) == address_text(CODE)


@pytest.mark.parametrize("sender", [ALICE, bytes(20)])
def test_nobody_else_upgrades(chain: LocalChain, l1_block: Contract, sender: bytes) -> None:
    """Their calls go to the implementation, which has no such function."""
    proxy = Contract(chain, "Proxy", L1_BLOCK)
    text = address_text(ALICE)
    for function, arguments in [
        ("upgradeTo", (text,)),
        ("upgradeToAndCall", (text, b"")),
        ("changeAdmin", (text,)),
    ]:
        with pytest.raises(Reverted):
            proxy.send(function, *arguments, sender=sender)
    with pytest.raises(Reverted):
        proxy.read("admin", sender=ALICE)
    assert chain.storage(L1_BLOCK, IMPLEMENTATION_SLOT) == int.from_bytes(CODE, "big")
    assert chain.storage(L1_BLOCK, ADMIN_SLOT) == int.from_bytes(ADMIN, "big")


def test_upgrade_and_call(chain: LocalChain, proxy: Contract) -> None:
    greeter = Contract.deploy(chain, "Greeter", "unused", sender=OWNER)
    data = greeter.calldata("setGreeting", "hello")
    arguments = (address_text(greeter.address), data)
    proxy.send("upgradeToAndCall", *arguments, sender=ADMIN)
    assert Contract(chain, "Greeter", L1_BLOCK).read("greet") == "hello"
    assert greeter.read("greet") == "unused"


def test_a_failed_call_undoes_the_upgrade(chain: LocalChain, proxy: Contract) -> None:
    greeter = Contract.deploy(chain, "Greeter", "unused", sender=OWNER)
    arguments = (address_text(greeter.address), greeter.calldata("fail", "not now"))
    with pytest.raises(Reverted, match="not now"):
        proxy.send("upgradeToAndCall", *arguments, sender=ADMIN)
    assert chain.storage(L1_BLOCK, IMPLEMENTATION_SLOT) == 0


def test_an_empty_proxy_says_so(proxy: Contract) -> None:
    with pytest.raises(Reverted, match="NoImplementation"):
        proxy.send_raw(b"\x12\x34\x56\x78", sender=ALICE)
    with pytest.raises(Reverted, match="NoImplementation"):
        proxy.send_raw(b"", sender=ALICE, value=1)


def test_the_admin_passes_the_proxy_on(chain: LocalChain) -> None:
    proxy = Contract.deploy(chain, "Proxy", address_text(ADMIN), sender=OWNER)
    outcome = proxy.send("changeAdmin", address_text(ALICE), sender=ADMIN)
    (log,) = proxy.events(outcome, "AdminChanged")
    assert decode(["address", "address"], log.data) == (address_text(ADMIN), address_text(ALICE))
    assert proxy.read("admin", sender=ALICE) == address_text(ALICE)

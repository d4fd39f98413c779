"""OptimismPortal: what a deposit announces, what is refused, how tokens are locked."""

import pytest
from eth_abi import decode

from tests.contracts.conftest import (
    ALICE,
    OWNER,
    SUPPLY,
    L1Contracts,
    deploy_portal,
    deploy_system_config,
)
from tests.contracts.local_chain import Contract, LocalChain, Outcome, Reverted, address_text, word

TO = b"\x70" * 20
TO_TEXT = address_text(TO)
NO_TARGET = address_text(bytes(20))
ALIAS_OFFSET = 0x1111000000000000000000000000000000001111
OPEN = 10**18
BOB = b"\xb0" * 20


@pytest.fixture
def portal(l1: L1Contracts) -> Contract:
    return l1.portal


def opaque(mint: int, value: int, gas: int, is_creation: bool, data: bytes) -> bytes:
    return word(mint) + word(value) + gas.to_bytes(8, "big") + bytes([is_creation]) + data


def opaque_data(portal: Contract, outcome: Outcome) -> bytes:
    (log,) = portal.events(outcome, "TransactionDeposited")
    (data,) = decode(["bytes"], log.data)
    return bytes(data)


def deposited_from(portal: Contract, outcome: Outcome) -> bytes:
    (log,) = portal.events(outcome, "TransactionDeposited")
    return log.topics[1][12:]


def alias(address: bytes) -> bytes:
    return ((int.from_bytes(address, "big") + ALIAS_OFFSET) % 2**160).to_bytes(20, "big")


def test_deposit_announces_its_fields(portal: Contract) -> None:
    outcome = portal.send(
        "depositTransaction", TO_TEXT, 7, 100_000, False, b"\x01\x02\x03", sender=ALICE
    )
    (log,) = portal.events(outcome, "TransactionDeposited")
    assert log.topics[1:] == (bytes(12) + ALICE, bytes(12) + TO, word(0))
    expected = opaque(0, 7, 100_000, False, b"\x01\x02\x03")
    assert log.data == word(32) + word(len(expected)) + expected + bytes(-len(expected) % 32)


def test_creation_has_no_target(portal: Contract) -> None:
    arguments = (NO_TARGET, 0, 100_000, True, b"\x00")
    outcome = portal.send("depositTransaction", *arguments, sender=ALICE)
    assert opaque_data(portal, outcome) == opaque(0, 0, 100_000, True, b"\x00")
    with pytest.raises(Reverted, match="CreationWithTarget"):
        portal.send("depositTransaction", TO_TEXT, 0, 100_000, True, b"\x00", sender=ALICE)


def test_ether_is_refused_by_name(portal: Contract) -> None:
    arguments = (TO_TEXT, 1, 100_000, False, b"")
    with pytest.raises(Reverted, match="EtherNotAccepted"):
        portal.send("depositTransaction", *arguments, sender=ALICE, value=1)
    with pytest.raises(Reverted, match="EtherNotAccepted"):
        portal.send_raw(b"", sender=ALICE, value=1)
    assert portal.chain.balance(portal.address) == 0


@pytest.mark.parametrize("length", [0, 1, 119_999, 120_000])
def test_gas_limit_has_to_cover_the_data(portal: Contract, length: int) -> None:
    minimum = portal.read("minimumGasLimit", length)
    assert minimum == 40 * length + 21_000
    data = b"\xff" * length
    portal.send("depositTransaction", TO_TEXT, 0, minimum, False, data, sender=ALICE)
    with pytest.raises(Reverted, match="GasLimitTooLow") as refusal:
        portal.send("depositTransaction", TO_TEXT, 0, minimum - 1, False, data, sender=ALICE)
    assert refusal.value.arguments == (minimum - 1, minimum)


def test_data_is_bounded(portal: Contract) -> None:
    arguments = (TO_TEXT, 0, 10_000_000, False, bytes(120_001))
    with pytest.raises(Reverted, match="DataTooLong") as refusal:
        portal.send("depositTransaction", *arguments, sender=ALICE)
    assert refusal.value.arguments == (120_001, 120_000)


def test_a_contract_deposits_under_its_alias(chain: LocalChain, portal: Contract) -> None:
    depositor = Contract.deploy(chain, "Depositor", sender=OWNER)
    arguments = (address_text(portal.address), TO_TEXT, 5, 100_000, False, b"\x09")
    outcome = depositor.send("deposit", *arguments, sender=ALICE)
    assert deposited_from(portal, outcome) == alias(depositor.address)
    assert opaque_data(portal, outcome) == opaque(0, 5, 100_000, False, b"\x09")


def test_the_alias_wraps_around(chain: LocalChain, portal: Contract) -> None:
    high = b"\xff" * 20
    arguments = (TO_TEXT, 0, 100_000, False, b"")
    outcome = portal.send("depositTransaction", *arguments, sender=high, origin=ALICE)
    assert deposited_from(portal, outcome) == (ALIAS_OFFSET - 1).to_bytes(20, "big")


@pytest.mark.parametrize(
    ("code", "aliased"),
    [
        (b"\xef\x01\x00" + TO, False),
        (b"\xef\x01\x01" + TO, True),
        (b"\xef\x01\x00" + TO + b"\x00", True),
        (b"", True),
    ],
)
def test_an_account_that_delegates_keeps_its_address(
    chain: LocalChain, portal: Contract, code: bytes, aliased: bool
) -> None:
    """Called in somebody else's transaction, it is known by its code (EIP-7702)."""
    account = b"\x77" * 20
    chain.state.set_code(account, code)
    arguments = (TO_TEXT, 0, 100_000, False, b"")
    outcome = portal.send("depositTransaction", *arguments, sender=account, origin=ALICE)
    assert deposited_from(portal, outcome) == (alias(account) if aliased else account)


def test_token_deposit_locks_and_mints(l1: L1Contracts) -> None:
    portal, token = l1.portal, l1.token
    token.send("approve", address_text(portal.address), 5 * OPEN, sender=ALICE)
    arguments = (TO_TEXT, 3 * OPEN, 2 * OPEN, 100_000, False, b"\x01")
    outcome = portal.send("depositERC20Transaction", *arguments, sender=ALICE)
    assert opaque_data(portal, outcome) == opaque(3 * OPEN, 2 * OPEN, 100_000, False, b"\x01")
    assert deposited_from(portal, outcome) == ALICE
    assert token.read("balanceOf", address_text(portal.address)) == 3 * OPEN
    assert token.read("balanceOf", address_text(ALICE)) == SUPPLY - 3 * OPEN


def test_token_deposit_by_a_contract(chain: LocalChain, l1: L1Contracts) -> None:
    depositor = Contract.deploy(chain, "Depositor", sender=OWNER)
    l1.token.send("transfer", address_text(depositor.address), OPEN, sender=ALICE)
    portal_text = address_text(l1.portal.address)
    arguments = (portal_text, TO_TEXT, OPEN, OPEN, 100_000, False, b"")
    outcome = depositor.send("depositERC20", *arguments, sender=ALICE)
    assert deposited_from(l1.portal, outcome) == alias(depositor.address)
    assert l1.token.read("balanceOf", portal_text) == OPEN


def test_token_deposit_without_tokens_needs_no_approval(portal: Contract) -> None:
    arguments = (TO_TEXT, 0, 1, 100_000, False, b"")
    outcome = portal.send("depositERC20Transaction", *arguments, sender=ALICE)
    assert opaque_data(portal, outcome) == opaque(0, 1, 100_000, False, b"")


def test_token_deposit_beyond_the_approval_is_refused(l1: L1Contracts) -> None:
    l1.token.send("approve", address_text(l1.portal.address), OPEN - 1, sender=ALICE)
    arguments = (TO_TEXT, OPEN, OPEN, 100_000, False, b"")
    with pytest.raises(Reverted, match="ERC20InsufficientAllowance") as refusal:
        l1.portal.send("depositERC20Transaction", *arguments, sender=ALICE)
    assert refusal.value.arguments == (address_text(l1.portal.address), OPEN - 1, OPEN)
    assert l1.token.read("balanceOf", address_text(l1.portal.address)) == 0


def test_token_deposit_beyond_the_balance_is_refused(l1: L1Contracts) -> None:
    l1.token.send("approve", address_text(l1.portal.address), 2**256 - 1, sender=ALICE)
    arguments = (TO_TEXT, SUPPLY + 1, 0, 100_000, False, b"")
    with pytest.raises(Reverted, match="ERC20InsufficientBalance"):
        l1.portal.send("depositERC20Transaction", *arguments, sender=ALICE)


def test_another_token_is_no_open(chain: LocalChain, l1: L1Contracts) -> None:
    """The portal takes one token only, whatever else it has been allowed to take."""
    other = Contract.deploy(chain, "OpenToken", address_text(BOB), OPEN, sender=BOB)
    other.send("approve", address_text(l1.portal.address), OPEN, sender=BOB)
    arguments = (TO_TEXT, OPEN, OPEN, 100_000, False, b"")
    with pytest.raises(Reverted, match="ERC20InsufficientAllowance"):
        l1.portal.send("depositERC20Transaction", *arguments, sender=BOB)
    assert other.read("balanceOf", address_text(BOB)) == OPEN


def test_token_deposits_keep_to_the_same_rules(l1: L1Contracts) -> None:
    l1.token.send("approve", address_text(l1.portal.address), OPEN, sender=ALICE)
    refused = {
        (TO_TEXT, OPEN, 0, 21_000 + 39, False, b"\x01"): "GasLimitTooLow",
        (TO_TEXT, OPEN, 0, 100_000, True, b""): "CreationWithTarget",
        (TO_TEXT, OPEN, 0, 5_000_000, False, bytes(120_001)): "DataTooLong",
        (TO_TEXT, OPEN, 0, 20_000_001, False, b""): "DepositGasExhausted",
    }
    for arguments, reason in refused.items():
        with pytest.raises(Reverted, match=reason):
            l1.portal.send("depositERC20Transaction", *arguments, sender=ALICE)
    assert l1.token.read("balanceOf", address_text(l1.portal.address)) == 0


def test_token_deposit_takes_no_ether(portal: Contract) -> None:
    arguments = (TO_TEXT, 0, 0, 100_000, False, b"")
    with pytest.raises(Reverted):
        portal.send("depositERC20Transaction", *arguments, sender=ALICE, value=1)


def test_portal_knows_its_parts(l1: L1Contracts) -> None:
    assert l1.portal.read("openToken") == address_text(l1.token.address)
    assert l1.portal.read("systemConfig") == address_text(l1.config.address)
    assert l1.portal.read("l2Oracle") == address_text(l1.oracle.address)
    assert l1.portal.read("version").split(".")[0] == "2"


@pytest.mark.parametrize("foreign", ["token", "portal", "oracle"])
def test_portal_refuses_foreign_settings(chain: LocalChain, l1: L1Contracts, foreign: str) -> None:
    parts = {
        "token": l1.token.address,
        "portal": chain.next_address(OWNER, ahead=1),
        "oracle": l1.oracle.address,
    }
    settings = deploy_system_config(chain, **{**parts, foreign: TO})
    arguments = map(address_text, (parts["token"], settings.address, parts["oracle"]))
    with pytest.raises(Reverted, match="SettingsMismatch") as refusal:
        Contract.deploy(chain, "OptimismPortal", *arguments, sender=OWNER)
    assert refusal.value.arguments == (TO_TEXT, address_text(parts[foreign]))


def test_portal_refuses_a_token_of_other_decimals(chain: LocalChain) -> None:
    token = Contract.deploy(chain, "FeeToken", 6, OPEN, sender=ALICE)
    with pytest.raises(Reverted, match="UnsupportedTokenDecimals") as refusal:
        deploy_portal(chain, token)
    assert refusal.value.arguments == (6,)


def test_portal_insists_on_the_whole_amount(chain: LocalChain) -> None:
    token = Contract.deploy(chain, "FeeToken", 18, OPEN, sender=ALICE)
    portal = deploy_portal(chain, token).portal
    token.send("approve", address_text(portal.address), OPEN, sender=ALICE)
    arguments = (TO_TEXT, 100, 100, 100_000, False, b"")
    with pytest.raises(Reverted, match="TokenAmountMismatch") as refusal:
        portal.send("depositERC20Transaction", *arguments, sender=ALICE)
    assert refusal.value.arguments == (100, 99)

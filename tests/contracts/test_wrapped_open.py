"""WETH: the native coin as a token, one for one, at all times."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.genesis import l2_genesis
from node.genesis.predeploys import WETH_ADDRESS
from node.types.primitives import Address
from tests.contracts.local_chain import Reverted, address_text, word
from tests.contracts.rollup import CHAIN_ID, GENESIS_TIME, L2Contract, Rollup
from tests.node.chains import open_chain

ALICE, BOB, CAROL = (Address(bytes([value]) * 20) for value in (0xA1, 0xB0, 0xCA))
ANY_AMOUNT = 2**256 - 1


@pytest.fixture
def weth() -> Iterator[L2Contract]:
    with open_chain(genesis=l2_genesis(chain_id=CHAIN_ID, timestamp=GENESIS_TIME)) as chain:
        yield L2Contract(Rollup(chain), "WETH", WETH_ADDRESS)


def coins(weth: L2Contract, address: bytes) -> int:
    account = weth.rollup.chain.reader.account(Address(address), weth.rollup.chain.head())
    return 0 if account is None else account.balance


def tokens(weth: L2Contract, address: bytes) -> int:
    balance = weth.read("balanceOf", address_text(address))
    assert isinstance(balance, int)
    return balance


def test_it_is_wrapped_open(weth: L2Contract) -> None:
    expected = {"name": "Wrapped OPEN", "symbol": "WOPEN", "decimals": 18, "totalSupply": 0}
    assert {getter: weth.read(getter) for getter in expected} == expected


@pytest.mark.parametrize("data", [bytes.fromhex("d0e30db0"), b"", b"\x12\x34\x56\x78"])
def test_what_is_sent_is_wrapped(weth: L2Contract, data: bytes) -> None:
    receipt = weth.rollup.transact(ALICE, WETH_ADDRESS, data, value=5)
    assert receipt.status == 1
    (log,) = weth.events(receipt, "Deposit")
    assert (log.topics[1][12:], log.data) == (ALICE, word(5))
    assert (tokens(weth, ALICE), weth.read("totalSupply"), coins(weth, WETH_ADDRESS)) == (5, 5, 5)


def test_unwrapping_gives_the_coin_back(weth: L2Contract) -> None:
    weth.send("deposit", sender=ALICE, value=5)
    receipt = weth.send("withdraw", 3, sender=ALICE)
    (log,) = weth.events(receipt, "Withdrawal")
    assert (log.topics[1][12:], log.data) == (ALICE, word(3))
    assert (tokens(weth, ALICE), coins(weth, ALICE), weth.read("totalSupply")) == (2, 3, 2)


def test_nobody_spends_more_than_he_has(weth: L2Contract) -> None:
    weth.send("deposit", sender=ALICE, value=5)
    for function, arguments in [("withdraw", (6,)), ("transfer", (address_text(BOB), 6))]:
        with pytest.raises(Reverted, match="InsufficientBalance") as caught:
            weth.read(function, *arguments, sender=ALICE)
        assert caught.value.arguments == (address_text(ALICE), 5, 6)


def test_allowances(weth: L2Contract) -> None:
    weth.send("deposit", sender=ALICE, value=100)
    weth.send("approve", address_text(BOB), 10, sender=ALICE)
    move = ("transferFrom", address_text(ALICE), address_text(CAROL))
    receipt = weth.send(*move, 4, sender=BOB)
    (log,) = weth.events(receipt, "Transfer")
    assert (log.topics[1][12:], log.topics[2][12:], log.data) == (ALICE, CAROL, word(4))
    assert weth.read("allowance", address_text(ALICE), address_text(BOB)) == 6
    with pytest.raises(Reverted, match="InsufficientAllowance"):
        weth.read(*move, 7, sender=BOB)
    weth.send("approve", address_text(BOB), ANY_AMOUNT, sender=ALICE)
    weth.send(*move, 50, sender=BOB)
    assert weth.read("allowance", address_text(ALICE), address_text(BOB)) == ANY_AMOUNT
    # The owner needs no allowance.
    assert weth.send(*move, 1, sender=ALICE).status == 1
    assert tokens(weth, CAROL) == 55


def test_a_contract_that_refuses_coin_keeps_its_tokens(weth: L2Contract) -> None:
    refusing = Address(bytes.fromhex("ca11bde05977b3631167028862be2a173976ca11"))
    weth.send("deposit", sender=ALICE, value=5)
    weth.send("transfer", address_text(refusing), 5, sender=ALICE)
    with pytest.raises(Reverted, match="CoinRefused"):
        weth.read("withdraw", 5, sender=refusing)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["deposit", "withdraw", "transfer", "transferFrom", "approve"]),
            st.sampled_from([ALICE, BOB, CAROL]),
            st.sampled_from([ALICE, BOB, CAROL]),
            st.integers(0, 20),
        ),
        max_size=12,
    )
)
def test_each_token_is_backed(
    weth: L2Contract, steps: list[tuple[str, Address, Address, int]]
) -> None:
    for function, sender, other, amount in steps:
        if function == "deposit":
            weth.send("deposit", sender=sender, value=amount)
        elif function == "withdraw":
            weth.send("withdraw", amount, sender=sender)
        elif function == "transferFrom":
            move = (address_text(other), address_text(CAROL), amount)
            weth.send("transferFrom", *move, sender=sender)
        else:
            weth.send(function, address_text(other), amount, sender=sender)
    total = sum(tokens(weth, address) for address in (ALICE, BOB, CAROL))
    assert total == weth.read("totalSupply") == coins(weth, WETH_ADDRESS)

"""Tokens that stand for those of the other chain, and their factory."""

from typing import Any

import pytest
from eth_abi import encode
from eth_account import Account
from eth_utils import keccak

from node.artifacts import load_artifact
from tests.contracts.conftest import ALICE, OWNER
from tests.contracts.local_chain import Contract, LocalChain, Reverted, address_text

BRIDGE = b"\xb7" * 20
REMOTE = b"\x7e" * 20
BOB = b"\xb0\xb0" * 10
BRIDGE_TEXT, REMOTE_TEXT, ALICE_TEXT, BOB_TEXT = map(address_text, (BRIDGE, REMOTE, ALICE, BOB))
CHAIN_ID = 900


@pytest.fixture
def token(chain: LocalChain) -> Contract:
    arguments = BRIDGE_TEXT, REMOTE_TEXT, "Away", "AWAY", 6
    return Contract.deploy(chain, "OptimismMintableERC20", *arguments, sender=OWNER)


@pytest.fixture
def factory(chain: LocalChain) -> Contract:
    return Contract.deploy(chain, "OptimismMintableERC20Factory", BRIDGE_TEXT, sender=OWNER)


def interface_id(*signatures: str) -> bytes:
    number = 0
    for signature in signatures:
        number ^= int.from_bytes(keccak(text=signature)[:4], "big")
    return number.to_bytes(4, "big")


def test_what_the_token_says(token: Contract) -> None:
    for name in ("remoteToken", "REMOTE_TOKEN", "l1Token"):
        assert token.read(name) == REMOTE_TEXT
    for name in ("bridge", "BRIDGE", "l2Bridge"):
        assert token.read(name) == BRIDGE_TEXT
    assert (token.read("name"), token.read("symbol")) == ("Away", "AWAY")
    assert token.read("decimals") == 6


def test_its_interfaces(token: Contract) -> None:
    mintable = interface_id(
        "remoteToken()", "bridge()", "mint(address,uint256)", "burn(address,uint256)"
    )
    # As bridges of the OP Stack ask.
    assert mintable.hex() == "ec4fc8e3"
    assert token.read("supportsInterface", mintable) is True
    assert token.read("supportsInterface", bytes.fromhex("01ffc9a7")) is True
    assert token.read("supportsInterface", b"\xff" * 4) is False


def test_only_the_bridge_mints_and_burns(token: Contract) -> None:
    minted = token.send("mint", ALICE_TEXT, 10, sender=BRIDGE)
    assert token.events(minted, "Mint")[0].topics[1][12:] == ALICE
    burnt = token.send("burn", ALICE_TEXT, 4, sender=BRIDGE)
    assert token.events(burnt, "Burn")[0].topics[1][12:] == ALICE
    assert token.read("balanceOf", ALICE_TEXT) == token.read("totalSupply") == 6
    for function in ("mint", "burn"):
        with pytest.raises(Reverted, match="NotTheBridge") as refusal:
            token.send(function, ALICE_TEXT, 1, sender=ALICE)
        assert refusal.value.arguments == (ALICE_TEXT, BRIDGE_TEXT)
    with pytest.raises(Reverted, match="ERC20InsufficientBalance"):
        token.send("burn", ALICE_TEXT, 7, sender=BRIDGE)


def permit(token: Contract, key: bytes, spender: str, value: int) -> tuple[Any, ...]:
    """Arguments of a permit signed by a key, without end."""
    owner = Account.from_key(key).address
    deadline = 2**256 - 1
    types = {
        "Permit": [
            {"name": name, "type": kind}
            for name, kind in (
                ("owner", "address"),
                ("spender", "address"),
                ("value", "uint256"),
                ("nonce", "uint256"),
                ("deadline", "uint256"),
            )
        ]
    }
    domain = {
        "name": "Away",
        "version": "1",
        "chainId": CHAIN_ID,
        "verifyingContract": address_text(token.address),
    }
    content = {
        "owner": owner,
        "spender": spender,
        "value": value,
        "nonce": 0,
        "deadline": deadline,
    }
    signed = Account.sign_typed_data(key, domain, types, content)
    r, s = (part.to_bytes(32, "big") for part in (signed.r, signed.s))
    return owner, spender, value, deadline, signed.v, r, s


def test_permits(token: Contract) -> None:
    arguments = permit(token, b"\x01" * 32, BOB_TEXT, 55)
    token.send("permit", *arguments, sender=BOB)
    assert token.read("allowance", arguments[0], BOB_TEXT) == 55
    with pytest.raises(Reverted, match="ERC2612InvalidSigner"):
        token.send("permit", *arguments, sender=BOB)


@pytest.mark.parametrize(
    "function",
    [
        "createStandardL2Token",
        "createOptimismMintableERC20",
        "createOptimismMintableERC20WithDecimals",
    ],
)
def test_the_factory_creates_at_a_known_address(factory: Contract, function: str) -> None:
    decimals = (6,) if function.endswith("Decimals") else ()
    arguments = (REMOTE_TEXT, "Away", "AWAY", *decimals)
    outcome = factory.send(function, *arguments, sender=BOB)
    fields = (REMOTE_TEXT, "Away", "AWAY", *(decimals or (18,)))
    salt = keccak(encode(["address", "string", "string", "uint8"], fields))
    code = load_artifact("OptimismMintableERC20").bytecode + encode(
        ["address", "address", "string", "string", "uint8"], (BRIDGE_TEXT, *fields)
    )
    address = keccak(b"\xff" + factory.address + salt + keccak(code))[12:]
    (created,) = factory.events(outcome, "OptimismMintableERC20Created")
    assert created.topics[1:] == (bytes(12) + address, bytes(12) + REMOTE)
    assert created.data[12:] == BOB
    (legacy,) = factory.events(outcome, "StandardL2TokenCreated")
    assert legacy.topics[1:] == (bytes(12) + REMOTE, bytes(12) + address)
    assert factory.read("deployments", address_text(address)) == REMOTE_TEXT
    token = Contract(factory.chain, "OptimismMintableERC20", address)
    assert token.read("bridge") == factory.read("bridge") == factory.read("BRIDGE") == BRIDGE_TEXT
    assert token.read("decimals") == fields[3]


def test_the_factory_refuses_a_second_and_a_nameless_token(factory: Contract) -> None:
    arguments = REMOTE_TEXT, "Away", "AWAY"
    factory.send("createOptimismMintableERC20", *arguments, sender=BOB)
    with pytest.raises(Reverted, match="AlreadyCreated"):
        factory.send("createStandardL2Token", *arguments, sender=ALICE)
    # Another name makes another token.
    factory.send("createStandardL2Token", REMOTE_TEXT, "Other", "AWAY", sender=ALICE)
    with pytest.raises(Reverted, match="RemoteTokenMissing"):
        factory.send("createStandardL2Token", address_text(bytes(20)), "A", "A", sender=ALICE)

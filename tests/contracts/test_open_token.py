"""OpenToken: a fixed supply, and approval by signature."""

import pytest
from eth_account import Account

from tests.contracts.conftest import ALICE, OWNER, SUPPLY, L1Contracts
from tests.contracts.local_chain import Reverted, address_text

CHAIN_ID = 900
SIGNER = Account.from_key(b"\x07" * 32)
DEADLINE = 2**40


def permit_arguments(l1: L1Contracts, amount: int) -> tuple[object, ...]:
    """The signed approval of `amount` for the portal, as the token's permit takes it."""
    fields = ("owner", "address"), ("spender", "address"), ("value", "uint256")
    counters = ("nonce", "uint256"), ("deadline", "uint256")
    spender = address_text(l1.portal.address)
    signed = SIGNER.sign_typed_data(
        domain_data={
            "name": "OPEN",
            "version": "1",
            "chainId": CHAIN_ID,
            "verifyingContract": l1.token.address,
        },
        message_types={"Permit": [{"name": n, "type": t} for n, t in (*fields, *counters)]},
        message_data={
            "owner": SIGNER.address,
            "spender": spender,
            "value": amount,
            "nonce": 0,
            "deadline": DEADLINE,
        },
    )
    r, s = (part.to_bytes(32, "big") for part in (signed.r, signed.s))
    return SIGNER.address, spender, amount, DEADLINE, signed.v, r, s


def test_open_token(l1: L1Contracts) -> None:
    expected = {"name": "OPEN", "symbol": "OPEN", "decimals": 18, "totalSupply": SUPPLY}
    assert {name: l1.token.read(name) for name in expected} == expected
    assert l1.token.read("balanceOf", address_text(ALICE)) == SUPPLY


def test_a_signature_approves_once(l1: L1Contracts) -> None:
    arguments = permit_arguments(l1, 5)
    l1.token.send("permit", *arguments, sender=OWNER)
    assert l1.token.read("allowance", SIGNER.address, address_text(l1.portal.address)) == 5
    assert l1.token.read("nonces", SIGNER.address) == 1
    with pytest.raises(Reverted, match="ERC2612InvalidSigner"):
        l1.token.send("permit", *arguments, sender=OWNER)

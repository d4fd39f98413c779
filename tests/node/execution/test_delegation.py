"""EIP-7702: which authorizations take effect, what runs at a delegated account, what it costs."""

from dataclasses import replace

import pytest

from node.genesis import GenesisAccount, l1_dev_genesis
from node.types.primitives import (
    EMPTY_CODE_HASH,
    ZERO_ADDRESS,
    Address,
    create_address,
    hex_address,
    keccak256,
)
from node.types.receipt import Receipt
from node.types.transaction import MAX_NONCE, SET_CODE, Authorization, address_of_key
from tests.node.execution.memory_chain import MemoryChain
from tests.node.execution.signing import KEY, SENDER, authorize, sign

AUTHORITY_KEY = keccak256(b"authority")
AUTHORITY = address_of_key(AUTHORITY_KEY)
NEW_KEY = keccak256(b"nobody yet")
CONTRACT_KEY = keccak256(b"has code of its own")
# Stores its own address in slot 0: ADDRESS PUSH0 SSTORE STOP.
STORER = Address(b"\x51" * 20)
STORER_CODE = bytes.fromhex("305f5500")
# Creates an empty contract, init code PUSH1 1 PUSH0 RETURN, and stores its address in slot 0.
CREATOR = Address(b"\x52" * 20)
CREATOR_CODE = bytes.fromhex("6360015ff35f526004601c5ff05f5500")

BASE = l1_dev_genesis(timestamp=1_700_000_000, chain_id=901)
GENESIS = replace(
    BASE,
    alloc={
        **BASE.alloc,
        SENDER: GenesisAccount(balance=10**21),
        AUTHORITY: GenesisAccount(balance=1, nonce=4),
        address_of_key(CONTRACT_KEY): GenesisAccount(balance=1, code=b"\x00"),
        STORER: GenesisAccount(nonce=1, code=STORER_CODE),
        CREATOR: GenesisAccount(nonce=1, code=CREATOR_CODE),
    },
)


def _delegation(address: Address) -> bytes:
    return b"\xef\x01\x00" + address


def _run(*items: Authorization, to: Address = ZERO_ADDRESS) -> tuple[MemoryChain, Receipt]:
    chain = MemoryChain(GENESIS)
    tx = sign(kind=SET_CODE, to=to, authorizations=items, gas=300_000)
    receipt = chain.extend(tx).receipts[0]
    assert receipt.status == 1
    return chain, receipt


def _code(chain: MemoryChain, address: Address) -> bytes:
    account = chain.account(address)
    if account is None or account.code_hash == EMPTY_CODE_HASH:
        return b""
    return chain.view().code(account.code_hash)


def test_an_authorization_delegates_and_counts_the_nonce() -> None:
    chain, receipt = _run(authorize(AUTHORITY_KEY, STORER, nonce=4))
    assert _code(chain, AUTHORITY) == _delegation(STORER)
    assert chain.nonce(AUTHORITY) == 5
    # Half of the 25,000 comes back for an account that exists, up to a fifth of what was used.
    assert receipt.gas_used == 46_000 - 46_000 // 5


def test_a_new_account_gets_no_refund() -> None:
    chain, receipt = _run(authorize(NEW_KEY, STORER))
    assert _code(chain, address_of_key(NEW_KEY)) == _delegation(STORER)
    assert receipt.gas_used == 46_000


@pytest.mark.parametrize(
    "item",
    [
        authorize(AUTHORITY_KEY, STORER, nonce=3),
        authorize(AUTHORITY_KEY, STORER, nonce=4, chain_id=1),
        authorize(AUTHORITY_KEY, STORER, nonce=MAX_NONCE),
        authorize(CONTRACT_KEY, STORER),
        replace(authorize(AUTHORITY_KEY, STORER, nonce=4), y_parity=2),
        replace(authorize(AUTHORITY_KEY, STORER, nonce=4), r=0),
        replace(authorize(AUTHORITY_KEY, STORER, nonce=4), s=2**255),
    ],
    ids=["nonce", "chain id", "last nonce", "own code", "parity", "r", "high s"],
)
def test_invalid_authorizations_are_skipped(item: Authorization) -> None:
    chain, receipt = _run(item)
    assert chain.nonce(AUTHORITY) == 4
    assert _code(chain, AUTHORITY) == b""
    assert _code(chain, address_of_key(CONTRACT_KEY)) == b"\x00"
    assert receipt.gas_used == 46_000


def test_chain_id_zero_is_valid_everywhere() -> None:
    chain, _ = _run(authorize(AUTHORITY_KEY, STORER, nonce=4, chain_id=0))
    assert _code(chain, AUTHORITY) == _delegation(STORER)


def test_the_zero_address_takes_a_delegation_back() -> None:
    chain, _ = _run(
        authorize(AUTHORITY_KEY, STORER, nonce=4),
        authorize(AUTHORITY_KEY, ZERO_ADDRESS, nonce=5),
    )
    account = chain.account(AUTHORITY)
    assert account is not None
    assert (account.code_hash, account.nonce) == (EMPTY_CODE_HASH, 6)


def test_the_sender_authorizes_with_the_nonce_after_its_own() -> None:
    chain, _ = _run(authorize(KEY, STORER, nonce=1), to=SENDER)
    assert chain.nonce(SENDER) == 2
    assert chain.storage(SENDER, 0) == int.from_bytes(SENDER, "big")


def test_a_delegated_account_runs_the_code_as_itself() -> None:
    chain, receipt = _run(authorize(AUTHORITY_KEY, STORER, nonce=4), to=AUTHORITY)
    assert chain.storage(AUTHORITY, 0) == int.from_bytes(AUTHORITY, "big")
    assert chain.storage(STORER, 0) == 0
    used = 46_000 + 2 + 2 + 22_100
    assert receipt.gas_used == used - min(12_500, used // 5)


def test_a_delegation_survives_the_failure_of_the_message() -> None:
    chain = MemoryChain(GENESIS)
    item = authorize(AUTHORITY_KEY, STORER, nonce=4)
    tx = sign(kind=SET_CODE, to=AUTHORITY, authorizations=(item,), gas=46_010)
    assert chain.extend(tx).receipts[0].status == 0
    assert _code(chain, AUTHORITY) == _delegation(STORER)


@pytest.mark.parametrize("precompile", [2, 9])
def test_delegating_to_a_precompile_runs_nothing(precompile: int) -> None:
    target = hex_address(f"{precompile:040x}")
    _, receipt = _run(authorize(AUTHORITY_KEY, target, nonce=4), to=AUTHORITY)
    assert receipt.gas_used == 46_000 - 46_000 // 5


def test_delegations_are_followed_once() -> None:
    second = address_of_key(NEW_KEY)
    chain = MemoryChain(GENESIS)
    items = (authorize(AUTHORITY_KEY, second, nonce=4), authorize(NEW_KEY, STORER))
    receipt = chain.extend(
        sign(kind=SET_CODE, to=AUTHORITY, authorizations=items, gas=300_000)
    ).receipts[0]
    # The code that runs is the designator of the second account: 0xef is no opcode. What comes
    # back for the first authority comes back even so.
    assert (receipt.status, receipt.gas_used) == (0, 300_000 - 12_500)


def test_a_delegated_sender_creates_at_the_price_of_anybody() -> None:
    chain = MemoryChain(GENESIS)
    direct = chain.extend(sign(to=CREATOR, gas=300_000)).receipts[0].gas_used
    item = authorize(KEY, CREATOR, nonce=2)
    chain.extend(sign(kind=SET_CODE, nonce=1, to=ZERO_ADDRESS, authorizations=(item,)))
    own = chain.extend(sign(nonce=3, to=SENDER, gas=300_000)).receipts[0].gas_used
    assert own == direct
    assert chain.storage(SENDER, 0) == int.from_bytes(create_address(SENDER, 4), "big")

"""Deposits, withdrawals and consolidations that a block asks of the consensus layer."""

import hashlib
from dataclasses import replace

import pytest

from node.errors import InvalidBlock
from node.execution.requests import requests_hash
from node.execution.transition import ExecutedBlock
from node.genesis import GenesisAccount, l1_dev_genesis
from node.types.primitives import EMPTY_REQUESTS_HASH, Address, hex_address
from tests.node.execution.memory_chain import MemoryChain
from tests.node.execution.signing import SENDER, sign

WITHDRAWALS = hex_address("00000961ef480eb55e80d19ad83579a64c007002")
CONSOLIDATIONS = hex_address("0000bbddc7ce488642fb579f8b00f3a590007251")
DEPOSITS = Address(b"\xde" * 20)
# Logs all of its input with the topic of DepositEvent.
DEPOSIT_TOPIC = "649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5"
DEPOSITS_CODE = bytes.fromhex("365f5f377f" + DEPOSIT_TOPIC + "365fa1")
FIELDS = (b"\x01" * 48, b"\x02" * 32, b"\x03" * 8, b"\x04" * 96, b"\x05" * 8)

BASE = l1_dev_genesis(timestamp=1_700_000_000, chain_id=901)
GENESIS = replace(
    BASE,
    config=replace(BASE.config, deposit_contract=DEPOSITS),
    alloc={
        **BASE.alloc,
        SENDER: GenesisAccount(balance=10**21),
        DEPOSITS: GenesisAccount(nonce=1, code=DEPOSITS_CODE),
    },
)


def deposit_event(fields: tuple[bytes, ...] = FIELDS) -> bytes:
    """The ABI encoding of a DepositEvent's five byte strings."""
    heads, tails = b"", b""
    for field in fields:
        heads += (32 * len(fields) + len(tails)).to_bytes(32, "big")
        tails += len(field).to_bytes(32, "big") + field + bytes(-len(field) % 32)
    return heads + tails


def _committed(*requests: bytes) -> bytes:
    digests = b"".join(hashlib.sha256(request).digest() for request in requests)
    return hashlib.sha256(digests).digest()


def _extend(*calls: tuple[Address, int, bytes]) -> ExecutedBlock:
    chain = MemoryChain(GENESIS)
    transactions = (
        sign(nonce=nonce, to=to, value=value, data=data, gas=500_000)
        for nonce, (to, value, data) in enumerate(calls)
    )
    executed = chain.extend(*transactions)
    assert all(receipt.status == 1 for receipt in executed.receipts)
    return executed


def test_nothing_requested_is_the_empty_hash() -> None:
    assert _extend().block.header.requests_hash == EMPTY_REQUESTS_HASH == requests_hash([])
    assert requests_hash([b"\x00", b"\x01", b"\x02"]) == EMPTY_REQUESTS_HASH


def test_deposit_events_become_requests() -> None:
    event = deposit_event()
    header = _extend((DEPOSITS, 0, event), (DEPOSITS, 0, event)).block.header
    assert header.requests_hash == _committed(b"\x00" + 2 * b"".join(FIELDS))


def test_withdrawal_and_consolidation_requests_are_read_from_their_contracts() -> None:
    key, amount = b"\x07" * 48, (9).to_bytes(8, "big")
    header = _extend(
        (CONSOLIDATIONS, 1, key + b"\x08" * 48), (WITHDRAWALS, 1, key + amount)
    ).block.header
    assert header.requests_hash == _committed(
        b"\x01" + SENDER + key + amount[::-1], b"\x02" + SENDER + key + b"\x08" * 48
    )


def test_events_of_other_contracts_and_topics_are_not_deposits() -> None:
    chain = MemoryChain(replace(GENESIS, config=BASE.config))
    executed = chain.extend(sign(to=DEPOSITS, data=deposit_event(), gas=500_000))
    assert executed.block.header.requests_hash == EMPTY_REQUESTS_HASH


@pytest.mark.parametrize(
    "event",
    [
        b"",
        deposit_event()[:-1],
        deposit_event() + bytes(32),
        deposit_event((FIELDS[1], FIELDS[0], *FIELDS[2:])),
        deposit_event((b"\x01" * 47, *FIELDS[1:])),
    ],
    ids=["empty", "short", "long", "other offsets", "other length"],
)
def test_a_malformed_deposit_event_makes_the_block_invalid(event: bytes) -> None:
    with pytest.raises(InvalidBlock, match=r"^deposit event: expected"):
        _extend((DEPOSITS, 0, event))


@pytest.mark.parametrize("contract", [WITHDRAWALS, CONSOLIDATIONS])
def test_the_request_contracts_must_exist(contract: Address) -> None:
    alloc = {a: account for a, account in GENESIS.alloc.items() if a != contract}
    with pytest.raises(InvalidBlock, match=f"code at system contract 0x{contract.hex()}"):
        MemoryChain(replace(GENESIS, alloc=alloc)).extend()


def test_the_request_contracts_must_not_fail() -> None:
    alloc = {**GENESIS.alloc, WITHDRAWALS: GenesisAccount(nonce=1, code=b"\xfe")}
    with pytest.raises(InvalidBlock, match=r"to succeed, got invalid opcode"):
        MemoryChain(replace(GENESIS, alloc=alloc)).extend()

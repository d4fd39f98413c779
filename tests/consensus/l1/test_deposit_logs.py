"""Deposits out of L1 events."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.l1.deposit_logs import DEPOSIT_TOPIC, derive_deposits
from node.errors import CriticalError
from node.types.deposit import user_source_hash
from node.types.primitives import Address, Hash32, hex_address, keccak256
from node.types.receipt import Log, Receipt, logs_bloom
from tests.consensus.rollup import PORTAL, abi_bytes, deposit_log, word

L1_HASH = keccak256(b"an L1 block")
SENDER = hex_address("0x" + "5e" * 20)
TO = hex_address("0x" + "70" * 20)
OTHER = Log(SENDER, (keccak256(b"Other()"),), b"")


def receipt(*logs: Log, status: int = 1) -> Receipt:
    return Receipt(2, status, 0, 0, logs, logs_bloom(logs))


def test_topic() -> None:
    assert DEPOSIT_TOPIC.hex() == "b3813568d9991fc951961fcb4c784893574240a28925604d09fc577c55bb7c32"


@given(
    mint=st.integers(0, 2**256 - 1),
    value=st.integers(0, 2**256 - 1),
    gas=st.integers(0, 2**64 - 1),
    is_creation=st.booleans(),
    data=st.binary(max_size=100),
)
def test_every_field(mint: int, value: int, gas: int, is_creation: bool, data: bytes) -> None:
    log = deposit_log(
        sender=SENDER, to=TO, mint=mint, value=value, gas=gas, is_creation=is_creation, data=data
    )
    (deposit,) = derive_deposits(L1_HASH, [receipt(log)], PORTAL)
    assert (deposit.sender, deposit.mint, deposit.value) == (SENDER, mint, value)
    assert (deposit.gas, deposit.data) == (gas, data)
    assert deposit.to == (None if is_creation else TO)
    assert not deposit.is_system_transaction
    assert deposit.source_hash == user_source_hash(L1_HASH, 0)


def test_log_index_counts_over_the_whole_block() -> None:
    log = deposit_log(sender=SENDER, to=TO)
    receipts = [
        receipt(OTHER, OTHER),
        receipt(log, status=0),
        receipt(),
        receipt(OTHER, log, replace(log, address=SENDER), log),
    ]
    deposits = derive_deposits(L1_HASH, receipts, PORTAL)
    assert [d.source_hash for d in deposits] == [user_source_hash(L1_HASH, i) for i in (4, 6)]


def test_source_hash_vector() -> None:
    assert (
        user_source_hash(Hash32(bytes(range(32))), 7).hex()
        == "4e75c1958a5bde3aaf6106853159df607b505d61eaaa117eba0f988d1db6dc7b"
    )


def test_other_events_of_the_portal_are_ignored() -> None:
    logs = [replace(OTHER, address=PORTAL), Log(PORTAL, (), b"")]
    assert derive_deposits(L1_HASH, [receipt(*logs)], PORTAL) == ()


GOOD = deposit_log(sender=SENDER, to=TO, data=b"abc")


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (replace(GOOD, topics=GOOD.topics[:3]), "expected 4 topics, got 3"),
        (replace(GOOD, topics=(*GOOD.topics[:3], Hash32(word(1)))), "expected version 0, got 1"),
        (replace(GOOD, data=b""), "ABI-encoded"),
        (replace(GOOD, data=GOOD.data[:-1]), "ABI-encoded"),
        (replace(GOOD, data=GOOD.data + bytes(32)), "ABI-encoded"),
        (replace(GOOD, data=word(64) + GOOD.data[32:]), "ABI-encoded"),
        (replace(GOOD, data=word(32) + word(2**255) + GOOD.data[64:]), "ABI-encoded"),
        (replace(GOOD, data=abi_bytes(bytes(72))), "expected at least 73 bytes of data, got 72"),
    ],
)
def test_malformed_events_stop_the_node(log: Log, message: str) -> None:
    with pytest.raises(CriticalError) as caught:
        derive_deposits(L1_HASH, [receipt(OTHER, OTHER), receipt(log)], PORTAL)
    assert message in str(caught.value)
    assert f"0x{L1_HASH.hex()}, log 2" in str(caught.value)


def test_failed_transactions_cannot_stop_the_node() -> None:
    bad = replace(GOOD, data=b"")
    assert derive_deposits(L1_HASH, [receipt(bad, status=0)], PORTAL) == ()
    assert derive_deposits(L1_HASH, [receipt(bad)], Address(bytes(20))) == ()

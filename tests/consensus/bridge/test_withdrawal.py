from dataclasses import replace

import pytest
from eth_abi.abi import encode as abi_encode
from hypothesis import given
from hypothesis import strategies as st

from consensus.bridge.withdrawal import MESSAGE_PASSED_TOPIC, Withdrawal, withdrawals_of
from node.errors import DecodingError
from node.output_root import Output
from node.types.primitives import Address, Hash32, keccak256
from tests.consensus.bridge.withdrawals import addresses, message_passed, withdrawals

SAMPLE = Withdrawal(1 << 240, Address(b"\x01" * 20), Address(b"\x02" * 20), 5, 21_000, b"\x09")


def test_its_place_in_the_message_passer_s_storage() -> None:
    """The pair that viem documents for getWithdrawalHashStorageSlot."""
    known = "b1c3824def40047847145e069bf467aa67e906611b9f5ef31515338db0aabfa2"
    slot = "4a932049252365b3eedbc5190e18949f2ec11f39d3bef2d259764799a1b27d99"
    assert keccak256(bytes.fromhex(known) + bytes(32)).hex() == slot
    place = keccak256(SAMPLE.hash + bytes(32))
    assert SAMPLE.slot == int.from_bytes(place, "big")


def test_the_event_s_topic() -> None:
    assert MESSAGE_PASSED_TOPIC.hex() == (
        "02a52367d10742d8032712c1bb8e0144ff1ec5ffda1ed7d70bb05a2744955054"
    )


def test_an_output_root() -> None:
    """op-node's own test of its formula."""
    parts = (
        Hash32(bytes.fromhex(text).ljust(32, b"\0")) for text in ("010203", "040506", "070809")
    )
    assert Output(*parts).root.hex() == (
        "ee71f7339a6143212e6df5c2581f5c4ca193245c178176e6a025ab983843f0e6"
    )


@given(withdrawals)
def test_its_hash_is_that_of_its_abi_encoding(withdrawal: Withdrawal) -> None:
    types = ["uint256", "address", "address", "uint256", "uint256", "bytes"]
    assert withdrawal.hash == keccak256(abi_encode(types, list(withdrawal.fields)))


@given(st.lists(withdrawals, max_size=4), addresses)
def test_events_tell_of_withdrawals(sent: list[Withdrawal], other: Address) -> None:
    logs = [message_passed(withdrawal) for withdrawal in sent]
    foreign = replace(message_passed(SAMPLE), address=other)
    unlike = replace(message_passed(SAMPLE), topics=(Hash32(bytes(32)),))
    assert withdrawals_of([*logs, foreign, unlike]) == tuple(sent)


def test_an_event_of_another_hash() -> None:
    with pytest.raises(DecodingError, match=f"expected withdrawal hash 0x{SAMPLE.hash.hex()}, got"):
        withdrawals_of([message_passed(SAMPLE, claimed=bytes(32))])


def test_an_event_without_all_topics() -> None:
    log = message_passed(SAMPLE)
    with pytest.raises(DecodingError, match="expected 4 topics, got 3"):
        withdrawals_of([replace(log, topics=log.topics[:3])])


@given(st.binary(max_size=300))
def test_an_event_with_any_data(data: bytes) -> None:
    with pytest.raises(DecodingError, match="MessagePassed"):
        withdrawals_of([replace(message_passed(SAMPLE), data=data)])

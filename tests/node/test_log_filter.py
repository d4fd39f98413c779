import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import InvalidInput
from node.log_filter import MAX_LOG_BLOCKS, LogFilter, bloom_may_match
from node.types.primitives import Address, Hash32
from node.types.receipt import Log, logs_bloom

# Few values, so that filters and logs often meet.
addresses = st.integers(0, 3).map(lambda n: Address(n.to_bytes(20, "big")))
topics = st.integers(0, 3).map(lambda n: Hash32(n.to_bytes(32, "big")))
logs = st.builds(Log, addresses, st.lists(topics, max_size=4).map(tuple), st.just(b""))
wanted_topics = st.lists(st.none() | st.lists(topics, max_size=2).map(tuple), max_size=4).map(tuple)
filters = st.builds(
    LogFilter, addresses=st.lists(addresses, max_size=2).map(tuple), topics=wanted_topics
)


@given(filters, st.lists(logs, max_size=4))
def test_the_bloom_never_hides_a_match(wanted: LogFilter, candidates: list[Log]) -> None:
    if any(wanted.matches(log) for log in candidates):
        assert bloom_may_match(logs_bloom(candidates), wanted.bloom_masks())


@given(filters, logs)
def test_matching_follows_the_definition(wanted: LogFilter, log: Log) -> None:
    expected = not wanted.addresses or log.address in wanted.addresses
    for position, values in enumerate(wanted.topics):
        if position >= len(log.topics) or (values and log.topics[position] not in values):
            expected = False
    assert wanted.matches(log) == expected


def test_a_bloom_rules_blocks_out() -> None:
    wanted = LogFilter(addresses=(Address(b"\x01" * 20),))
    assert not bloom_may_match(logs_bloom([]), wanted.bloom_masks())
    assert bloom_may_match(logs_bloom([]), LogFilter().bloom_masks())


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (LogFilter(from_block=2, to_block=1), "fromBlock 2 is after toBlock 1"),
        (LogFilter(to_block=MAX_LOG_BLOCKS), f"at most {MAX_LOG_BLOCKS} blocks, got 50001"),
        (LogFilter(from_block=-1), "expected numbers of 64 bits, got -1 to 0"),
        (LogFilter(2**64, 2**64), "expected numbers of 64 bits"),
        (LogFilter(topics=(None,) * 5), "topics: expected at most 4, got 5"),
    ],
)
def test_what_cannot_be_asked(wanted: LogFilter, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        wanted.check()


def test_a_block_hash_makes_the_range_meaningless() -> None:
    LogFilter(from_block=2, to_block=1, block_hash=Hash32(bytes(32))).check()

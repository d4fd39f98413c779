"""Nodes between blocks: what is held, for how long, and that only committed blocks leave any."""

from hypothesis import given
from hypothesis import strategies as st

from node.state.node_cache import NodeCache
from node.types.primitives import keccak256

_NODES = [b"%d" % number * 20 for number in range(60)]
_COST = 250 + 60


def test_what_was_added_is_there() -> None:
    cache = NodeCache()
    for raw in _NODES:
        cache.add(keccak256(raw), raw)
    assert [cache.get(keccak256(raw)) for raw in _NODES] == _NODES
    assert cache.get(keccak256(b"another")) is None


def test_a_block_brings_its_nodes_and_takes_those_it_ended() -> None:
    cache = NodeCache()
    cache.add(keccak256(_NODES[0]), _NODES[0])
    cache.replace({keccak256(raw): raw for raw in _NODES[1:3]}, [keccak256(_NODES[0])])
    assert [cache.get(keccak256(raw)) for raw in _NODES[:4]] == [None, *_NODES[1:3], None]


@given(st.lists(st.sampled_from(_NODES), max_size=200))
def test_memory_is_bounded_and_what_is_used_stays(used: list[bytes]) -> None:
    cache = NodeCache(20 * _COST)
    favourite = _NODES[0]
    cache.add(keccak256(favourite), favourite)
    for raw in used:
        if cache.get(keccak256(raw)) is None:
            cache.add(keccak256(raw), raw)
        assert cache.get(keccak256(favourite)) == favourite
        assert sum(cache.get(keccak256(raw)) is not None for raw in _NODES) >= 1
    held = [raw for raw in _NODES if keccak256(raw) in cache._young or keccak256(raw) in cache._old]
    assert len(held) <= 22

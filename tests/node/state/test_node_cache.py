"""Nodes between blocks: what is held, for how long, and that only committed blocks leave any."""

from hypothesis import given
from hypothesis import strategies as st

from node.state.linked_node import LinkedNode, NewNodes, linked, number_bytes
from node.state.node_cache import NodeCache

_NODES = [(number_bytes(number), linked(b"%d" % number * 20, b"")) for number in range(60)]
_COST = 250 + 60


def add(cache: NodeCache, index: int) -> None:
    cache.replace(NewNodes(index, [_NODES[index][1]]), [])


def test_what_was_added_is_there() -> None:
    cache = NodeCache()
    cache.replace(NewNodes(0, [node for _, node in _NODES]), [])
    assert [cache.get(number) for number, _ in _NODES] == [node for _, node in _NODES]
    assert cache.get(number_bytes(60)) is None


def test_a_block_brings_its_nodes_and_takes_those_it_ended() -> None:
    cache = NodeCache()
    add(cache, 0)
    cache.replace(NewNodes(1, [node for _, node in _NODES[1:3]]), [_NODES[0][0]])
    held = [cache.get(number) for number, _ in _NODES[:4]]
    assert held == [None, _NODES[1][1], _NODES[2][1], None]


@given(st.lists(st.sampled_from(_NODES), max_size=200))
def test_memory_is_bounded_and_what_is_used_stays(used: list[tuple[bytes, LinkedNode]]) -> None:
    cache = NodeCache(20 * _COST)
    favourite, kept = _NODES[0]
    add(cache, 0)
    for number, node in used:
        if cache.get(number) is None:
            add(cache, _NODES.index((number, node)))
        assert cache.get(favourite) == kept
        assert sum(cache.get(number) is not None for number, _ in _NODES) >= 1
    held = [number for number, _ in _NODES if number in cache._young or number in cache._old]
    assert len(held) <= 22

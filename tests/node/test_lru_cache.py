from node.lru_cache import LruCache


def test_holds_what_was_used_last() -> None:
    cache: LruCache[int, str] = LruCache(2)
    cache.put(1, "one")
    cache.put(2, "two")
    assert cache.get(1) == "one"
    cache.put(3, "three")
    assert cache.get(2) is None
    assert cache.get(1) == "one"
    assert cache.get(3) == "three"


def test_a_value_can_be_replaced() -> None:
    cache: LruCache[int, str] = LruCache(2)
    for value in ("a", "b", "c"):
        cache.put(1, value)
    assert cache.get(1) == "c"
    assert cache.get(4) is None

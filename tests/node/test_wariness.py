"""Who waits behind whom after code took too long, and for how long."""

from node.types.transaction import Transaction
from node.wariness import LIGHT_GAS, MAX_WARY_BLOCKS, WARY_BLOCKS, Wariness
from tests.node.execution.signing import sign

BOB = b"\x0b" * 32
CAROL = b"\x0c" * 32


def test_nobody_waits_at_first() -> None:
    assert Wariness().rank(heavy(BOB)) == 0


def test_the_heavy_wait_and_the_slow_sender_comes_last() -> None:
    wariness = Wariness()
    wariness.report(heavy(BOB))
    assert [wariness.rank(tx) for tx in (light(CAROL), heavy(CAROL), light(BOB), heavy(BOB))] == [
        0,
        1,
        2,
        2,
    ]
    wariness.pass_blocks(WARY_BLOCKS - 1)
    assert (wariness.rank(heavy(CAROL)), wariness.rank(light(BOB))) == (1, 2)
    wariness.pass_blocks(1)
    assert (wariness.rank(heavy(CAROL)), wariness.rank(light(BOB))) == (0, 0)


def test_the_light_are_cut_short_without_consequences() -> None:
    wariness = Wariness()
    wariness.report(light(BOB))
    assert wariness.rank(heavy(BOB)) == 0


def wary_blocks(wariness: Wariness) -> int:
    """Let blocks pass until nobody waits any more, and count them."""
    count = 0
    while wariness.rank(heavy(CAROL)):
        wariness.pass_blocks(1)
        count += 1
    return count


def test_a_relapse_is_remembered_for_twice_as_long() -> None:
    wariness = Wariness()
    periods = []
    for _ in range(9):
        wariness.report(heavy(BOB))
        wariness.report(heavy(BOB))  # while it lasts, that is no relapse
        periods.append(wary_blocks(wariness))
    assert periods[:4] == [WARY_BLOCKS, 2 * WARY_BLOCKS, 4 * WARY_BLOCKS, 8 * WARY_BLOCKS]
    assert periods[-1] == MAX_WARY_BLOCKS


def test_trust_comes_back_after_as_long_a_time_without_a_relapse() -> None:
    wariness = Wariness()
    for quiet, expected in (
        (WARY_BLOCKS, WARY_BLOCKS),
        (WARY_BLOCKS - 1, WARY_BLOCKS),
        (2 * WARY_BLOCKS, 2 * WARY_BLOCKS),
        (0, WARY_BLOCKS),
    ):
        wariness.report(heavy(BOB))
        assert wary_blocks(wariness) == expected
        wariness.pass_blocks(quiet)


def test_many_blocks_may_pass_at_once() -> None:
    wariness = Wariness()
    wariness.report(heavy(BOB))
    wariness.pass_blocks(3 * WARY_BLOCKS)
    wariness.report(heavy(BOB))
    assert wary_blocks(wariness) == WARY_BLOCKS


def heavy(key: bytes) -> Transaction:
    return sign(key=key, gas=LIGHT_GAS + 1)


def light(key: bytes) -> Transaction:
    return sign(key=key, gas=LIGHT_GAS)

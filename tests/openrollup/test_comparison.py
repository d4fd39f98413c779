from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from node.types.block import BlockRef
from openrollup.comparison import Comparison, Divergence
from tests.node.chains import Chain, open_chain


class Pair:
    """A sequencer's chain, a verifier's, and their comparison."""

    def __init__(self, ours: Chain, theirs: Chain) -> None:
        self.ours = ours
        self.theirs = theirs
        self.comparison = Comparison(ours.reader, theirs.reader)

    def extend_both(self, count: int) -> BlockRef:
        """Give both the same `count` blocks, safe on both."""
        for _ in range(count):
            block = extend(self.ours)
            assert extend(self.theirs) == block
        return block

    def equal_to(self) -> int:
        self.comparison.advance()
        return self.comparison.equal_to


def extend(chain: Chain, *, salt: int = 0) -> BlockRef:
    """Add a block that is safe at once; `salt` makes it another one."""
    block = chain.extend(salt=salt).block.header.ref
    chain.engine.set_heads(safe=block)
    return block


def rewind(chain: Chain, block: BlockRef) -> None:
    chain.engine.set_heads(unsafe=block, safe=block)


@pytest.fixture
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        yield Pair(stack.enter_context(open_chain()), stack.enter_context(open_chain()))


def test_two_new_chains_are_equal(pair: Pair) -> None:
    assert pair.equal_to() == 0


def test_only_safe_blocks_of_both_are_compared(pair: Pair) -> None:
    pair.extend_both(3)
    pair.ours.extend()  # unsafe
    assert pair.equal_to() == 3
    extend(pair.theirs)  # the verifier may know a safe block before the sequencer does
    assert pair.equal_to() == 3


def test_finalized_blocks_that_differ_are_a_divergence(pair: Pair) -> None:
    pair.extend_both(5)
    assert pair.equal_to() == 5
    ours = [extend(pair.ours, salt=1) for _ in range(4)]
    theirs = [extend(pair.theirs, salt=2) for _ in range(4)]
    pair.ours.engine.set_heads(finalized=ours[-1])
    pair.theirs.engine.set_heads(finalized=theirs[-2])
    with pytest.raises(Divergence) as caught:
        pair.comparison.advance()
    assert str(caught.value) == (
        f"block 6: the sequencer has 0x{ours[0].hash.hex()}, L1 gives 0x{theirs[0].hash.hex()}"
    )


def test_the_first_difference_after_equal_finalized_blocks_is_named(pair: Pair) -> None:
    finalized = pair.extend_both(6)
    for chain in (pair.ours, pair.theirs):
        chain.engine.set_heads(finalized=finalized)
    assert pair.equal_to() == 6
    pair.extend_both(1)
    for salt, chain in enumerate((pair.ours, pair.theirs)):
        chain.engine.set_heads(finalized=extend(chain, salt=salt))
    with pytest.raises(Divergence, match=r"^block 8: "):
        pair.comparison.advance()


def test_a_reorg_that_one_follows_first(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    """Safe blocks may differ for a while: said once, and forgotten when they agree again."""
    fork = pair.extend_both(5)
    pair.extend_both(3)
    assert pair.equal_to() == 8
    rewind(pair.ours, fork)
    for _ in range(3):
        extend(pair.ours, salt=1)
    for _ in range(3):
        assert pair.equal_to() == 5
    assert caplog.text.count("block 6: the sequencer has") == 1
    rewind(pair.theirs, fork)
    for _ in range(3):
        extend(pair.theirs, salt=1)
    assert pair.equal_to() == 8
    rewind(pair.ours, fork)
    extend(pair.ours, salt=2)
    assert pair.equal_to() == 5
    assert caplog.text.count("block 6: the sequencer has") == 2


def test_a_reorg_that_both_followed_between_two_looks(pair: Pair) -> None:
    """What lies below an equal block is equal: nothing old is believed."""
    fork = pair.extend_both(2)
    pair.extend_both(2)
    assert pair.equal_to() == 4
    for salt, chain in enumerate((pair.ours, pair.theirs), 1):
        rewind(chain, fork)
        for _ in range(4):
            extend(chain, salt=salt)
    assert pair.equal_to() == 2


def test_going_back_to_finalized_blocks(pair: Pair) -> None:
    fork = pair.extend_both(2)
    pair.extend_both(2)
    assert pair.equal_to() == 4
    rewind(pair.ours, fork)
    assert pair.equal_to() == 2

"""The safe heads of L1 blocks on a real store, moved by the engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import CorruptStore
from node.execution.transition import ExecutedBlock
from node.safe_heads import SafeHead, safe_head_at
from node.storage.database import Database, WriteTransaction
from node.storage.schema import Table, number_key
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, keccak256
from tests.node.chains import Chain, open_chain
from tests.node.test_engine import content


def ref(executed: ExecutedBlock) -> BlockRef:
    return executed.block.header.ref


def l1(number: int, branch: int = 0) -> BlockRef:
    return BlockRef(keccak256(bytes([branch]) + number.to_bytes(8, "big")), BlockNumber(number))


def at(database: Database, l1_number: int) -> SafeHead | None:
    with database.read() as snapshot:
        return safe_head_at(snapshot, l1_number)


def numbers(database: Database) -> dict[int, int]:
    """Return the number of the safe head by that of the L1 block."""
    with database.read() as snapshot:
        keys = [int.from_bytes(key, "big") for key, _ in snapshot.items(Table.SAFE_HEADS)]
    entries = {key: at(database, key) for key in keys}
    return {key: entry.l2_block.number for key, entry in entries.items() if entry is not None}


def derived(chain: Chain) -> list[BlockRef]:
    """Make six blocks safe from L1 blocks 10, 12 and 15, two each."""
    blocks = []
    for number in (10, 10, 12, 12, 15, 15):
        executed = chain.build()
        chain.engine.insert(executed, safe=ref(executed), derived_from=l1(number))
        blocks.append(ref(executed))
    return blocks


def test_the_last_entry_at_or_before_an_l1_block_counts() -> None:
    with open_chain() as chain:
        blocks = derived(chain)
        assert at(chain.database, 9) is None
        assert at(chain.database, 10) == at(chain.database, 11) == SafeHead(blocks[1], l1(10))
        assert at(chain.database, 12) == at(chain.database, 14) == SafeHead(blocks[3], l1(12))
        assert (
            at(chain.database, 15) == at(chain.database, 2**64 - 1) == SafeHead(blocks[5], l1(15))
        )


def test_a_chain_without_derivation_has_none() -> None:
    with open_chain() as chain:
        chain.engine.set_heads(safe=ref(chain.extend()))
        assert numbers(chain.database) == {}


def test_promoting_a_block_counts_like_building_it() -> None:
    with open_chain() as chain:
        one, _ = chain.extend(), chain.extend()
        chain.engine.set_heads(safe=ref(one), derived_from=l1(3))
        assert at(chain.database, 3) == SafeHead(ref(one), l1(3))


def test_entries_survive_reopening(tmp_path: Path) -> None:
    with open_chain(tmp_path) as chain:
        derived(chain)
    with open_chain(tmp_path) as chain:
        assert numbers(chain.database) == {10: 2, 12: 4, 15: 6}


def test_a_lower_safe_head_forgets_what_was_above_it() -> None:
    with open_chain() as chain:
        blocks = derived(chain)
        chain.engine.set_heads(safe=blocks[3])
        assert numbers(chain.database) == {10: 2, 12: 4}
        chain.engine.set_heads(safe=blocks[2])
        assert numbers(chain.database) == {10: 2}
        chain.engine.set_heads(finalized=blocks[0])
        assert numbers(chain.database) == {10: 2}


def test_a_block_in_the_place_of_a_safe_one_forgets_it() -> None:
    with open_chain() as chain:
        blocks = derived(chain)
        parent = chain.reader.header_by_hash(blocks[2].hash)
        assert parent is not None
        other = chain.build(parent=parent, salt=1)
        chain.engine.insert(other, safe=ref(other), derived_from=l1(13, branch=1))
        assert numbers(chain.database) == {10: 2, 13: 4}
        assert at(chain.database, 13) == SafeHead(ref(other), l1(13, branch=1))


def test_an_l1_block_before_the_last_one_forgets_the_later_ones() -> None:
    """L1 was reorganized, and the same data came earlier."""
    with open_chain() as chain:
        blocks = derived(chain)
        chain.engine.set_heads(safe=blocks[5], derived_from=l1(11, branch=1))
        assert numbers(chain.database) == {10: 2, 11: 6}


def test_nothing_changes_when_the_commit_fails() -> None:
    with open_chain() as chain:
        blocks = derived(chain)
        lost = BlockRef(keccak256(b"lost"), blocks[0].number)
        with pytest.raises(Exception, match="is not canonical"):
            chain.engine.set_heads(safe=lost, derived_from=l1(20))
        assert numbers(chain.database) == {10: 2, 12: 4, 15: 6}


@pytest.mark.parametrize("is_new", [True, False])
def test_an_entry_comes_with_its_block_or_not_at_all(
    is_new: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit that makes a block safe is one transaction: broken off at its end, nothing of it
    is there, and where it is not, all of it.
    """
    with open_chain() as chain:
        blocks = derived(chain)
        executed = chain.build() if is_new else chain.extend()
        before, commits = content(chain.database), 0
        write = chain.database.write

        @contextmanager
        def broken_off() -> Iterator[WriteTransaction]:
            with write() as tx:
                yield tx
                raise OSError("no space left")

        @contextmanager
        def counted() -> Iterator[WriteTransaction]:
            nonlocal commits
            with write() as tx:
                yield tx
            commits += 1

        def make_safe() -> None:
            if is_new:
                chain.engine.insert(executed, safe=ref(executed), derived_from=l1(17))
            else:
                chain.engine.set_heads(safe=ref(executed), derived_from=l1(17))

        monkeypatch.setattr(chain.database, "write", broken_off)
        with pytest.raises(OSError, match="no space"):
            make_safe()
        assert content(chain.database) == before
        assert at(chain.database, 17) == SafeHead(blocks[5], l1(15))
        monkeypatch.setattr(chain.database, "write", counted)
        make_safe()
        assert commits == 1
        assert at(chain.database, 17) == SafeHead(chain.reader.heads().safe, l1(17))
        assert chain.reader.heads().safe == ref(executed)


@pytest.mark.parametrize("value", [b"", bytes(71), bytes(73), bytes(72)])
def test_damaged_entries_are_told(value: bytes) -> None:
    with open_chain() as chain:
        with chain.database.write() as tx:
            tx.put(Table.SAFE_HEADS, number_key(7), value)
        with pytest.raises(CorruptStore, match="safe head of L1 block 7: "):
            at(chain.database, 8)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5)), max_size=12))
def test_entries_always_rise_and_name_canonical_blocks(moves: list[tuple[int, int]]) -> None:
    """Any order of safe heads and L1 blocks leaves what a list that drops contradictions holds."""
    with open_chain() as chain:
        blocks = [chain.head().ref, *(ref(chain.extend()) for _ in range(6))]
        expected: dict[int, int] = {}
        for height, l1_number in moves:
            chain.engine.set_heads(safe=blocks[height], derived_from=l1(l1_number))
            expected = {
                key: safe for key, safe in expected.items() if key < l1_number and safe <= height
            }
            expected[l1_number] = height
            assert numbers(chain.database) == expected
            assert list(expected) == sorted(expected)

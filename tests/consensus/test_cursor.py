import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.cursor import Cursor, decode_cursor
from node.errors import CorruptStore
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**64 - 1))
def test_round_trip(block_hash: bytes, number: int) -> None:
    cursor = Cursor(BlockRef(Hash32(block_hash), BlockNumber(number)))
    assert decode_cursor(cursor.encode()) == cursor


@pytest.mark.parametrize("size", [0, 39, 41])
def test_other_bytes_are_corrupt(size: int) -> None:
    with pytest.raises(CorruptStore, match=f"expected 40 bytes, got {size}"):
        decode_cursor(bytes(size))

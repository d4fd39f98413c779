"""Tries that share few distinct digits, so that forks, extensions and collapses are common."""

from hypothesis import strategies as st

short_keys = st.lists(st.sampled_from([0x00, 0x01, 0x10, 0x11, 0xF0]), max_size=4).map(bytes)
long_keys = st.integers(0, 40).map(lambda number: bytes([number * 37 % 256]) * 32)
keys = short_keys | long_keys
# Around 32 bytes a node turns from inline to hashed.
values = st.binary(min_size=1, max_size=40)
contents = st.dictionaries(keys, values, max_size=30)

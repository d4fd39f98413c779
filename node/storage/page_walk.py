"""Whether a data.mdb holds all pages that its newest commit uses.

Touching a page behind the end of a mapped file kills the process, so this is found out before.
Pages that were freed before they were written may leave a file shorter than its page count by
right: only a walk tells. Layout: LMDB 0.9's page format on 64-bit little-endian machines.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HEADER = 16
_META_SIZE = 152
_TABLES_AT = 40  # in a meta page: the free list's table and the main one, 48 bytes each
_TABLE = struct.Struct("<IHH5Q")
_NODE = struct.Struct("<4H")
_BRANCH, _LEAF = 1, 2
_IN_OVERFLOW, _IS_TABLE = 1, 2
_NO_PAGE: Final = 2**64 - 1
_MAX_DEPTH = 64


class MissingPage(Exception):
    """A page that is in use is not in the file, or is none; the message says which."""


@dataclass(frozen=True, slots=True)
class _File:
    descriptor: int
    page_size: int

    def page(self, number: int) -> bytes:
        raw = os.pread(self.descriptor, self.page_size, number * self.page_size)
        if len(raw) < self.page_size:
            raise MissingPage(f"page {number} is behind its end")
        return raw


def check_pages(file: Path, page_size: int) -> None:
    """Walk through the newest commit; MissingPage if the file lacks a part of it.

    Hold a read transaction meanwhile if a writer may be running: then no page is used again.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        opened = _File(descriptor, page_size)
        metas = (os.pread(descriptor, _META_SIZE, place) for place in (0, page_size))
        newest = max(metas, key=lambda meta: meta[144:152][::-1])
        for number in (0, 1):
            _walk_table(opened, newest[_TABLES_AT + 48 * number :], 0)
    except struct.error as error:
        raise MissingPage(f"a page makes no sense: {error}") from error
    finally:
        os.close(descriptor)


def _walk_table(file: _File, record: bytes, depth: int) -> None:
    root = _TABLE.unpack_from(record)[-1]
    if root != _NO_PAGE:
        _walk(file, root, depth)


def _walk(file: _File, number: int, depth: int) -> None:
    page = file.page(number)
    flags = int.from_bytes(page[10:12], "little")
    if depth > _MAX_DEPTH or not flags & (_BRANCH | _LEAF):
        raise MissingPage(f"page {number} is not a page of a tree")
    for low, high, node_flags, key_size, node in _nodes(page):
        if flags & _BRANCH:
            _walk(file, low | high << 16 | node_flags << 32, depth + 1)
        elif node_flags & _IN_OVERFLOW:
            first = int.from_bytes(page[node + key_size : node + key_size + 8], "little")
            count = -(-(_HEADER + (low | high << 16)) // file.page_size)
            file.page(first + count - 1)
        elif node_flags & _IS_TABLE:
            _walk_table(file, page[node + key_size :], depth + 1)


def _nodes(page: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield the four fields of each node, and where its key begins."""
    end = int.from_bytes(page[12:14], "little")
    for at in range(_HEADER, end, 2):
        place = int.from_bytes(page[at : at + 2], "little")
        yield (*_NODE.unpack_from(page, place), place + _NODE.size)

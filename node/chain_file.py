"""Blocks in a file: concatenated RLP, as geth exports and imports them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from node.engine import Engine
from node.errors import DecodingError, InvalidInput
from node.reader import Reader
from node.types.block import Block, BlockRef, decode_block
from node.types.primitives import BlockNumber

# A block of 30 million gas holds 7.5 MB of calldata at most; a rollup's 100 MB channel bounds it.
MAX_BLOCK_BYTES = 128 * 2**20
_TEMPORARY_SUFFIX = ".partial"


def read_blocks(path: Path) -> Iterator[Block]:
    """Decode the blocks of a file one by one.

    DecodingError names the offset of the block that is cut off or wrong; InvalidInput if the file
    cannot be read.
    """
    try:
        with path.open("rb") as file:
            offset = 0
            while raw := _next_item(file, offset):
                try:
                    block = decode_block(raw)
                except DecodingError as error:
                    raise DecodingError(f"block at offset {offset}: {error}") from error
                yield block
                offset += len(raw)
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read: {error.strerror}") from error


def export_blocks(
    reader: Reader, path: Path, first: BlockNumber, last: BlockNumber
) -> Iterator[BlockRef]:
    """Write canonical blocks `first` to `last` to a file, and yield each as it is written.

    The file appears under its name when the last block is in it. InvalidInput if a block is not
    there or the file cannot be written.
    """
    temporary = path.with_name(path.name + _TEMPORARY_SUFFIX)
    try:
        with temporary.open("wb") as file:
            for number in range(first, last + 1):
                block = reader.block_by_number(BlockNumber(number))
                if block is None:
                    raise InvalidInput(f"block {number} is not on the canonical chain")
                file.write(block.encode())
                yield block.header.ref
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def import_blocks(engine: Engine, reader: Reader, path: Path) -> Iterator[BlockRef]:
    """Execute the blocks of a file, insert them, and yield each block that has become canonical.

    Blocks that are canonical already are passed over, so an interrupted import can be repeated.
    InvalidBlock for the first one that breaks a rule, DecodingError for one that cannot be decoded:
    those before it stay.
    """
    for block in read_blocks(path):
        if not reader.is_canonical(block.hash):
            engine.insert(engine.execute(block))
            yield block.header.ref


def _next_item(file: BinaryIO, offset: int) -> bytes:
    """Read one RLP list; no bytes at the end of the file."""
    prefix = file.read(1)
    if not prefix:
        return b""
    if prefix[0] < 0xC0:
        raise DecodingError(f"block at offset {offset}: expected a list, got 0x{prefix.hex()}")
    if prefix[0] < 0xF8:
        length, size = b"", prefix[0] - 0xC0
    else:
        length = _read(file, prefix[0] - 0xF7, offset)
        size = int.from_bytes(length, "big")
    if size > MAX_BLOCK_BYTES:
        raise DecodingError(
            f"block at offset {offset}: expected at most {MAX_BLOCK_BYTES} bytes, got {size}"
        )
    return prefix + length + _read(file, size, offset)


def _read(file: BinaryIO, size: int, offset: int) -> bytes:
    raw = file.read(size)
    if len(raw) != size:
        raise DecodingError(
            f"block at offset {offset}: the file ends inside it, "
            f"{size - len(raw)} bytes are missing"
        )
    return raw

"""Little data that wants to become much, through the whole pipeline, in a process of its own.

Prints the peak of memory in MB, and how often something else had its turn meanwhile.
"""

import asyncio
import logging
import resource
import sys
import zlib
from collections.abc import Callable, Iterator

from consensus.codec.byte_reader import encode_uvarint
from consensus.codec.channel import split_into_frames
from consensus.codec.compression import BrotliCompressor
from consensus.codec.frame import ChannelId, Frame
from consensus.codec.span_batch import MAX_ELEMENTS
from tests.consensus.actors import Verifier
from tests.consensus.rollup import publish, rollup_config
from tests.fakes.l1_source import FakeL1

MB = 1_000_000


def zeros_in_zlib() -> bytes:
    """Three times what a channel may hold."""
    return zlib.compress(bytes(300 * MB), 9)


def zeros_in_brotli() -> bytes:
    """The same in a few hundred bytes."""
    return _brotli(bytes(300 * MB))


def empty_blocks() -> bytes:
    """A span batch of ten million empty blocks, each in an epoch of its own."""
    count = MAX_ELEMENTS
    prefix = b"\x01\x00" + encode_uvarint(100 + count) + bytes(40)
    origins = b"\xff" * (count // 8)
    return _brotli(_string(prefix + encode_uvarint(count) + origins + bytes(count)))


def large_counts() -> bytes:
    """A span batch of ten million transaction counts of 64 bits."""
    count = MAX_ELEMENTS
    prefix = b"\x01\x00\x00" + bytes(40)
    counts = (b"\xff" * 7 + b"\x7f") * count
    return _brotli(_string(prefix + encode_uvarint(count) + bytes(count // 8) + counts))


def many_transactions() -> bytes:
    """A batch of ten million transactions of a byte."""
    hashed = b"\xa0" + bytes(32)
    body = hashed + b"\x64" + hashed + b"\x80" + _list(b"\x05" * 10 * MB)
    return _brotli(_string(b"\x00" + _list(body)))


def deep_nesting() -> bytes:
    """Lists in lists, a hundred thousand of them: as a batch, and as a span's transaction."""
    heads, size = [b"\xc0"], 1
    for _ in range(100_000):
        heads.append(_list_head(size))
        size += len(heads[-1])
    nested = b"".join(reversed(heads))
    span = b"\x01\x00\x64" + bytes(40) + b"\x01\x00\x01\x00\x00" + bytes(84) + b"\x02" + nested
    return _brotli(_string(b"\x00" + nested) + _string(span))


def endless_channel() -> Iterator[list[Frame]]:
    """Frames of a channel that grows beyond the limit and never ends."""
    data = bytes(MB)
    for number in range(130):
        yield [Frame(ChannelId(b"\x07" * 16), number, data, is_last=False)]


STREAMS: dict[str, Callable[[], bytes]] = {
    stream.__name__: stream
    for stream in (
        zeros_in_zlib,
        zeros_in_brotli,
        empty_blocks,
        large_counts,
        many_transactions,
        deep_nesting,
    )
}


async def derive(name: str) -> int:
    """Put a bomb on L1 and derive; return how many turns others had meanwhile."""
    l1 = FakeL1()
    verifier = Verifier(rollup_config(l1), l1)
    if name == "endless_channel":
        for frames in endless_channel():
            l1.mine(publish(frames))
    else:
        l1.mine(publish(split_into_frames(ChannelId(b"\x07" * 16), STREAMS[name](), MB)))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.005)

    ticking = asyncio.create_task(others())
    await verifier.derive()
    ticking.cancel()
    return turns


def _brotli(content: bytes) -> bytes:
    stream = BrotliCompressor(quality=1)
    return stream.process(content) + stream.finish()


def _string(content: bytes) -> bytes:
    return _long_head(0xB7, len(content)) + content


def _list(content: bytes) -> bytes:
    return _list_head(len(content)) + content


def _list_head(size: int) -> bytes:
    return bytes([0xC0 + size]) if size < 56 else _long_head(0xF7, size)


def _long_head(offset: int, size: int) -> bytes:
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([offset + len(digits)]) + digits


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    turns = asyncio.run(derive(sys.argv[1]))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, turns)

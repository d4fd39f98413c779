"""Whatever a compressor was fed, all of it comes out again, up to the limit and no further."""

import random

import brotli
import pytest

from consensus.codec.compression import Compression, compressor, decompress

LIMIT = 100_000_000


def mixed(seed: int) -> list[bytes]:
    """Pieces of which some shrink to nothing and some not at all, far beyond any buffer."""
    chance = random.Random(seed)
    kinds = (
        lambda: chance.randbytes(chance.randrange(90_000)),
        lambda: bytes(chance.randrange(200_000)),
        lambda: chance.randbytes(50) * chance.randrange(3_000),
        lambda: chance.randbytes(100),
    )
    return [chance.choice(kinds)() for _ in range(chance.randrange(1, 25))]


@pytest.mark.parametrize("algorithm", Compression)
@pytest.mark.parametrize("seed", range(12))
def test_all_input_comes_out_again(algorithm: Compression, seed: int) -> None:
    pieces = mixed(seed)
    stream = compressor(algorithm, quality=5)
    packed = b"".join(stream.process(piece) for piece in pieces) + stream.finish()
    result = decompress(packed, LIMIT)
    assert result.damage is None
    assert result.data == b"".join(pieces)


@pytest.mark.parametrize("size", [1, 1 << 16, (1 << 16) + 1, 1 << 20])
def test_small_stream_of_much_output(size: int) -> None:
    """All input is taken in at once, and output keeps coming long after."""
    result = decompress(b"\x01" + brotli.compress(bytes(size)), LIMIT)
    assert (result.data, result.damage) == (bytes(size), None)


@pytest.mark.parametrize("algorithm", Compression)
@pytest.mark.parametrize("limit", [1, 4096, 1 << 16, 100_000])
def test_limit_holds(algorithm: Compression, limit: int) -> None:
    stream = compressor(algorithm, quality=5)
    packed = stream.process(bytes(1_000_000)) + stream.finish()
    result = decompress(packed, limit)
    assert result.data == bytes(limit)


@pytest.mark.parametrize("algorithm", Compression)
def test_cut_stream_gives_what_came_before(algorithm: Compression) -> None:
    data = random.Random(1).randbytes(300_000)
    stream = compressor(algorithm, quality=5)
    packed = stream.process(data) + stream.finish()
    result = decompress(packed[: len(packed) // 2], LIMIT)
    assert result.damage is not None
    assert len(result.data) > 100_000
    assert data.startswith(result.data)

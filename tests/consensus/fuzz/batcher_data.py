"""What a batcher may put on L1: channels of the next blocks, spoilt at one level each."""

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from consensus.codec.batch import SingularBatch
from consensus.codec.blob import encode_blob
from consensus.codec.channel import split_into_frames
from consensus.codec.compression import BrotliCompressor
from consensus.codec.frame import ChannelId, Frame, encode_batcher_data
from consensus.codec.span_batch import RawSpanBatch
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32
from node.types.rlp_codec import encode
from tests.consensus.fuzz.mutation import changed_bytes, changed_number, changed_order
from tests.consensus.rollup import batcher_transaction, publish_blobs
from tests.fakes.l1_source import FakeL1, Included

T = TypeVar("T")

_ODD_TRANSACTIONS = (
    b"",
    b"\x7e\xc0",
    b"\x03\xc0",
    b"\x04\xc0",
    b"\x00",
    b"\xc0",
    b"\x02" + b"\xc1" * 40,
    b"\xf9\xff\xff",
    b"\x05" * 100,
)


class BatcherData:
    """Makes L1 transactions of the batches of the next blocks; `span` joins some of them."""

    def __init__(
        self,
        choice: random.Random,
        l1: FakeL1,
        batches: Sequence[SingularBatch],
        span: Callable[[Sequence[SingularBatch]], RawSpanBatch],
        odd_transactions: Sequence[bytes] = (),
        foreign: Sequence[bytes] = (),
    ) -> None:
        self._choice = choice
        self._l1 = l1
        self._batches = list(batches)
        self._span = span
        self._odd_transactions = (*_ODD_TRANSACTIONS, *odd_transactions)
        self._foreign = foreign

    def good(self) -> list[Included]:
        """Return transactions from which all the blocks are derived."""
        return self._included(self._frames(self._compressed(self._content(self._encoded()))))

    def spoilt(self) -> list[Included]:
        """Return transactions with something wrong somewhere; or by chance, nothing."""
        (level,) = self._choice.choices(list(_LEVELS), list(_LEVELS.values()))
        return level(self)

    def fields(self) -> list[Included]:
        """A field of one batch says something else."""
        batches = list(self._batches)
        place = self._choice.randrange(len(batches))
        batches[place] = self._changed_batch(batches[place])
        encoded = [batch.encode() for batch in _mostly_in_order(self._choice, batches)]
        return self._sent(self._content(encoded))

    def transactions(self) -> list[Included]:
        """The transactions of one batch are others."""
        batches = list(self._batches)
        place = self._choice.randrange(len(batches))
        raws = list(batches[place].transactions)
        raws.append(self._choice.choice(self._odd_transactions))
        if len(raws) > 1 and self._choice.random() < 0.5:
            raws[0] = changed_bytes(self._choice, raws[0])
        raws = _mostly_in_order(self._choice, raws)
        batches[place] = replace(batches[place], transactions=tuple(raws))
        return self._sent(self._content([batch.encode() for batch in batches]))

    def span_columns(self) -> list[Included]:
        """A span batch whose parts do not fit each other."""
        span = self._changed_span(self._span(self._batches))
        try:
            raw = span.encode()
        except OverflowError:  # bits beyond their list
            raw = changed_bytes(self._choice, self._span(self._batches).encode())
        return self._sent(self._content([raw]))

    def batch_bytes(self) -> list[Included]:
        """The bytes of one batch are changed before they are wrapped."""
        encoded = self._encoded()
        place = self._choice.randrange(len(encoded))
        encoded[place] = changed_bytes(self._choice, encoded[place])
        return self._sent(self._content(encoded))

    def content(self) -> list[Included]:
        """The decompressed stream is changed."""
        return self._sent(changed_bytes(self._choice, self._content(self._encoded())))

    def compressed(self) -> list[Included]:
        """The compressed stream is changed."""
        stream = self._compressed(self._content(self._encoded()))
        return self._included(self._frames(changed_bytes(self._choice, stream)))

    def frames(self) -> list[Included]:
        """Frames come in another order, or with another header."""
        frames = self._frames(self._compressed(self._content(self._encoded())), small=True)
        frames = changed_order(self._choice, frames)
        if frames and self._choice.random() < 0.5:
            place = self._choice.randrange(len(frames))
            frames[place] = self._changed_frame(frames[place])
        return self._included(frames)

    def data(self) -> list[Included]:
        """The bytes of a transaction are changed."""
        frames = self._frames(self._compressed(self._content(self._encoded())), small=True)
        raw = changed_bytes(self._choice, encode_batcher_data(frames))
        return [Included(batcher_transaction(raw))]

    def blob(self) -> list[Included]:
        """A blob is changed: its header, its data, its padding."""
        frames = self._frames(self._compressed(self._content(self._encoded())))
        raw = bytearray(encode_blob(encode_batcher_data(frames)))
        for _ in range(self._choice.choice((0, 1, 1, 3))):
            place = self._choice.choice((self._choice.randrange(300), len(raw) - 1, 32, 128, 0))
            raw[place] ^= 1 << self._choice.randrange(8)
        return [publish_blobs(self._l1, [bytes(raw)])]

    def foreign(self) -> list[Included]:
        """A channel of another rollup, changed at the level of its bytes."""
        if not self._foreign:
            return self.data()
        stream = bytearray(self._choice.choice(self._foreign))
        for _ in range(self._choice.choice((1, 2, 5))):
            stream[self._choice.randrange(len(stream))] ^= 1 << self._choice.randrange(8)
        return self._included(self._frames(bytes(stream)))

    def _encoded(self) -> list[bytes]:
        """Return the blocks as batches of both types."""
        if self._choice.random() < 0.5:
            return [batch.encode() for batch in self._batches]
        cut = self._choice.randrange(len(self._batches))
        parts = [part for part in (self._batches[:cut], self._batches[cut:]) if part]
        return [self._span(part).encode() for part in parts]

    def _content(self, encoded: Sequence[bytes]) -> bytes:
        return b"".join(map(encode, encoded))

    def _compressed(self, content: bytes) -> bytes:
        if self._choice.random() < 0.5:
            return zlib.compress(content, 1)
        stream = BrotliCompressor(quality=1)
        return stream.process(content) + stream.finish()

    def _frames(self, stream: bytes, *, small: bool = False) -> list[Frame]:
        channel_id = ChannelId(self._choice.randbytes(16))
        size = max(40, len(stream) // self._choice.randrange(1, 5)) if small else 10**6
        return list(split_into_frames(channel_id, stream, size))

    def _sent(self, content: bytes) -> list[Included]:
        return self._included(self._frames(self._compressed(content)))

    def _included(self, frames: Sequence[Frame]) -> list[Included]:
        if frames and self._choice.random() < 0.3:
            return [Included(batcher_transaction(encode_batcher_data([f]))) for f in frames]
        return [Included(batcher_transaction(encode_batcher_data(frames)))]

    def _changed_batch(self, batch: SingularBatch) -> SingularBatch:
        choice, epoch = self._choice, batch.epoch
        kind = choice.randrange(4)
        if kind == 0:
            return replace(batch, timestamp=changed_number(choice, batch.timestamp))
        if kind == 1:
            return replace(batch, parent_hash=Hash32(choice.randbytes(32)))
        if kind == 2:
            number = BlockNumber(changed_number(choice, epoch.number))
            return replace(batch, epoch=BlockRef(epoch.hash, number))
        return replace(batch, epoch=BlockRef(Hash32(choice.randbytes(32)), epoch.number))

    def _changed_span(self, span: RawSpanBatch) -> RawSpanBatch:
        choice, columns = self._choice, span.transactions
        number = changed_number(choice, span.relative_timestamp)
        changes: tuple[Callable[[], RawSpanBatch], ...] = (
            lambda: replace(span, relative_timestamp=number),
            lambda: replace(span, last_epoch=changed_number(choice, span.last_epoch)),
            lambda: replace(span, origin_bits=span.origin_bits ^ choice.getrandbits(8)),
            lambda: replace(span, parent_check=choice.randbytes(20)),
            lambda: replace(span, l1_origin_check=choice.randbytes(20)),
            lambda: replace(span, tx_counts=tuple(self._changed_counts(span.tx_counts))),
            lambda: replace(
                span,
                transactions=replace(columns, datas=tuple(changed_order(choice, columns.datas))),
            ),
            lambda: replace(
                span,
                transactions=replace(
                    columns, creation_bits=columns.creation_bits ^ choice.getrandbits(3)
                ),
            ),
            lambda: replace(
                span,
                transactions=replace(
                    columns, nonces=tuple(changed_number(choice, n) for n in columns.nonces)
                ),
            ),
        )
        return choice.choice(changes)()

    def _changed_counts(self, counts: Sequence[int]) -> list[int]:
        if self._choice.random() < 0.5:
            return changed_order(self._choice, counts)
        return [changed_number(self._choice, count) for count in counts]

    def _changed_frame(self, frame: Frame) -> Frame:
        kind = self._choice.randrange(4)
        if kind == 0:
            return replace(frame, number=changed_number(self._choice, frame.number, 16))
        if kind == 1:
            return replace(frame, is_last=not frame.is_last)
        if kind == 2:
            return replace(frame, channel_id=ChannelId(self._choice.randbytes(16)))
        return replace(frame, data=changed_bytes(self._choice, frame.data))


def _mostly_in_order(choice: random.Random, items: Sequence[T]) -> list[T]:
    return changed_order(choice, items) if choice.random() < 0.2 else list(items)


# Blobs and foreign channels cost a hundred times what the others do.
_LEVELS: dict[Callable[[BatcherData], list[Included]], int] = {
    BatcherData.fields: 100,
    BatcherData.transactions: 100,
    BatcherData.span_columns: 150,
    BatcherData.batch_bytes: 150,
    BatcherData.content: 100,
    BatcherData.compressed: 100,
    BatcherData.frames: 100,
    BatcherData.data: 100,
    BatcherData.blob: 10,
    BatcherData.foreign: 2,
}

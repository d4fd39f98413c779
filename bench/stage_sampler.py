"""Which stage of derivation the time goes to: a thread that looks, often, at what the others do.

A profiler would slow down small functions more than large ones, and the shares with them.
"""

import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

_INTERVAL_S = 0.002

# The first match from the innermost frame outwards decides, so that what is used everywhere (RLP,
# types) counts for its user.
_STAGES = (
    ("node/storage/", "commit"),
    ("node/chain.py", "commit"),
    ("node/block_store.py", "commit"),
    ("node/indices.py", "commit"),
    ("node/state/", "state"),
    ("node/evm/blob_proofs.py", "L1: reading and checking"),
    ("node/evm/", "execution"),
    ("node/execution/", "execution"),
    ("node/senders.py", "execution"),
    ("consensus/codec/blob.py", "L1: reading and checking"),
    ("consensus/codec/", "channels and batches"),
    ("consensus/derivation/channel", "channels and batches"),
    ("consensus/derivation/frame", "channels and batches"),
    ("consensus/derivation/batch", "rules of batches"),
    ("consensus/derivation/span", "rules of batches"),
    ("consensus/attributes.py", "attributes"),
    ("consensus/derivation/attributes", "attributes"),
    ("consensus/l1/", "L1: reading and checking"),
    ("consensus/derivation/l1_", "L1: reading and checking"),
    ("aiohttp/", "L1: reading and checking"),
    ("node/engine.py", "commit"),
    ("consensus/", "rest of consensus"),
)
_IDLE = ("threading.py", "selectors.py", "queue.py", "concurrent/futures/thread.py")


class StageSampler:
    """Counts, while inside `running`, in which stage each busy thread is."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Sample what happens inside."""
        stopped = threading.Event()
        thread = threading.Thread(target=self._sample, args=(stopped,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def shares(self) -> Sequence[tuple[str, float]]:
        """Return the stages and their shares of the busy time, largest first."""
        total = sum(self.counts.values()) or 1
        return [(stage, count / total) for stage, count in self.counts.most_common()]

    def _sample(self, stopped: threading.Event) -> None:
        own = threading.get_ident()
        while not stopped.wait(_INTERVAL_S):
            for thread, frame in sys._current_frames().items():
                if thread != own and (stage := _stage_of(frame)) is not None:
                    self.counts[stage] += 1


def _stage_of(innermost: FrameType) -> str | None:
    """Return the stage that a thread is in, None if it waits."""
    if innermost.f_code.co_filename.endswith(_IDLE):
        return None
    frame: FrameType | None = innermost
    while frame is not None:
        name = frame.f_code.co_filename
        for part, stage in _STAGES:
            if part in name:
                return stage
        frame = frame.f_back
    return None

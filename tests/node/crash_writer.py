"""Kills a process that inserts blocks, again and again, and checks what it left behind.

Run by the crash test as a program: forking has to happen where there are no threads. Each writer
reports the block that it has inserted and the cursor's number, and is killed while it goes on.
"""

import os
import random
import signal
import sys
from pathlib import Path

from node.chain import Heads
from node.replay import replay
from node.types.primitives import BlockNumber
from tests.node.chains import Chain, open_chain


def write_until_killed(path: Path, report: int, seed: int) -> None:
    """Insert blocks for ever: mostly on the head, sometimes below it; report each commit."""
    rng = random.Random(seed)
    with open_chain(path) as chain:
        while True:
            head = chain.head()
            parent = head
            if rng.random() < 0.3 and head.number > chain.engine.heads.safe.number:
                parent = chain.reader.header_by_hash(head.parent_hash)
                assert parent is not None
            transactions = [
                chain.creation(parent=parent),
                chain.transfer(parent=parent, nonce_offset=1),
            ]
            executed = chain.build(*transactions, parent=parent, salt=rng.getrandbits(32))
            number = executed.block.number
            safe = parent.ref if number % 4 == 0 else None
            cursor = executed.block.hash
            chain.engine.insert(executed, safe=safe, cursor=cursor)
            os.write(report, cursor)


def check(chain: Chain, reported: bytes) -> None:
    """Check that what was reported is there, and that the store is whole."""
    heads = chain.engine.heads
    cursor = chain.engine.cursor
    assert cursor is None or heads.unsafe.hash == cursor, "heads and cursor are of two commits"
    assert heads == chain.reader.heads() == Heads(heads.unsafe, heads.safe, heads.finalized)
    if reported:
        last = chain.reader.header_by_hash(reported[-32:])
        assert last is not None, "an acknowledged block is lost"
        # The commit after it may have been made, and not yet been reported.
        assert cursor in (reported[-32:], heads.unsafe.hash)
        assert heads.unsafe.number >= last.number - 1
    first = max(0, heads.unsafe.number - 20)
    for found in replay(chain.reader, BlockNumber(first), heads.unsafe.number):
        assert found.difference is None, found
    beyond = BlockNumber(heads.unsafe.number + 1)
    assert chain.reader.canonical_hash(beyond) is None


def main() -> None:
    """Run the given number of rounds on the given folder."""
    path, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(seed)
    for number in range(rounds):
        receive, report = os.pipe()
        writer = os.fork()
        if writer == 0:
            os.close(receive)
            write_until_killed(path, report, seed + number)
        os.close(report)
        reported = b""
        for _ in range(rng.randrange(12)):
            reported += os.read(receive, 32)
        # The writer is somewhere in its next block now; a little work makes the moment random.
        for _ in range(rng.randrange(200_000)):
            pass
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        while more := os.read(receive, 4096):
            reported += more
        os.close(receive)
        with open_chain(path) as chain:
            check(chain, reported)
    with open_chain(path) as chain:
        chain.extend(chain.transfer())
        print(f"head {chain.engine.heads.unsafe.number}")


if __name__ == "__main__":
    main()

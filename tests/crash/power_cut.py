"""A power cut keeps what was synced, and of everything else any sectors or none.

The disk after a cut is made up from a record of all writes and syncs of a real writer; nothing
that it had shown up to then may be missing. `python -m tests.crash.power_cut FOLDER` does it for
what `tests.crash.recorded` has left in a folder, and prints what was wrong after which cut.
"""

import os
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from node.genesis.genesis import genesis_block
from tests.crash.audit import audit
from tests.crash.commits import Model
from tests.crash.forks import fork
from tests.crash.rounds import Heard
from tests.crash.shim import NOTE, Call, Record, read_log
from tests.crash.store import GENESIS

_SECTOR = 512


@dataclass
class Disk:
    """A file of which a part has reached the platter, and a part is on its way."""

    platter: bytearray = field(default_factory=bytearray)
    on_its_way: list[tuple[int, bytes]] = field(default_factory=list)

    def take(self, record: Record) -> None:
        """Follow one call."""
        if record.kind == Call.DATA:
            self.on_its_way.append((record.offset, record.data))
        elif record.kind == Call.META:
            _put(self.platter, record.offset, record.data)
        elif record.kind == Call.SYNC:
            for offset, data in self.on_its_way:
                _put(self.platter, offset, data)
            self.on_its_way = []

    def after_a_cut(self, chance: random.Random) -> bytes:
        """Return what is there when the power is back."""
        platter = bytearray(self.platter)
        share = chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        for offset, data in self.on_its_way:
            for start in range(0, len(data), _SECTOR):
                if chance.random() < share:
                    _put(platter, offset + start, data[start : start + _SECTOR])
        return bytes(platter)


def _put(file: bytearray, offset: int, data: bytes) -> None:
    if len(file) < offset:
        file.extend(bytes(offset - len(file)))
    file[offset : offset + len(data)] = data


def cut_again_and_again(folder: Path, cuts: int, seed: int) -> int:
    """Cut the power at `cuts` moments; return after how many of them something was wrong."""
    records = read_log(folder / "log")
    chance = random.Random(seed)
    # Until the new file is synced for the first time there is nothing that could be opened.
    begin = next(i for i, record in enumerate(records) if record.kind == NOTE)
    disk, heard, wrong = Disk(), Heard(), 0
    moments = set(_moments(records, begin, cuts, chance))
    for index, record in enumerate(records):
        if record.kind == NOTE:
            for line in record.data.splitlines():
                heard.take(line)
        else:
            disk.take(record)
        if index in moments:
            wrong += not _is_whole(folder / f"cut-{index}", disk.after_a_cut(chance), heard)
    assert heard.receipts
    return wrong


def _moments(
    records: Sequence[Record], begin: int, cuts: int, chance: random.Random
) -> Iterator[int]:
    """Choose moments just after calls, and just after notes."""
    calls = [i for i, record in enumerate(records) if i > begin and record.kind != NOTE]
    notes = [i for i, record in enumerate(records) if i > begin and record.kind == NOTE]
    yield from chance.sample(calls, min(len(calls), cuts * 3 // 4))
    yield from chance.sample(notes, cuts // 4)


def _is_whole(path: Path, data: bytes, heard: Heard) -> bool:
    path.mkdir()
    (path / "data.mdb").write_bytes(data)

    def look() -> None:
        model = Model(genesis_block(GENESIS).block.hash)
        audit(path, model, heard.announced, heard.shown, 10**9)

    # In a process of its own: LMDB ends the one that it finds nonsense in.
    _, status = os.waitpid(fork(look), 0)
    return status == 0


if __name__ == "__main__":
    print(cut_again_and_again(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))

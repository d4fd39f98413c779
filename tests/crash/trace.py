"""What a process asked of the system, as strace tells it, and whether it spoke before it synced."""

import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_CALLS = "openat,pwrite64,pwritev,pwritev2,write,writev,fdatasync,fsync,msync,sendto,sendmsg"
_BEGIN = re.compile(r"^(\d+) +(\w+)\((.*)$", re.DOTALL)
_RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
_DESCRIPTOR = re.compile(r"^(\d+)<([^>]*)>")
_RESULT = re.compile(r" = (-?\d+)(?:<[^>]*>)?[^=]*$")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_NUMBER = re.compile(rb'"id":"number","result":"(0x[0-9a-f]+)"')
_HASH = re.compile(rb"0x[0-9a-f]{64}")
_META_PAGES_END = 2 * 4096


def strace_command(log: Path, command: list[str]) -> list[str] | None:
    """Return the command under strace, whole contents included; None where there is no strace."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    options = ["-f", "-y", "-qq", "-xx", "-s", "10000000", "-e", "signal=none", "-o", str(log)]
    return [strace, *options, "-e", f"trace={_CALLS}", *command]


@dataclass(frozen=True, slots=True)
class Event:
    """The begin or the end of a call. `data` is what it wrote, `result` is None at the begin."""

    thread: str
    call: str
    descriptor: int
    path: str
    arguments: str
    result: int | None

    @property
    def data(self) -> bytes:
        """All strings among the arguments."""
        texts = _STRING.findall(self.arguments)
        return b"".join(bytes.fromhex(text.replace("\\x", "")) for text in texts)


def read_trace(lines: Iterable[str]) -> Iterator[Event]:
    """Yield a begin and an end for each call; a call that was not interrupted has both at once."""
    open_calls: dict[str, tuple[str, str]] = {}
    for line in lines:
        if match := _RESUMED.match(line):
            thread, call, rest = match.groups()
            arguments = open_calls.pop(thread)[1]
            yield _event(thread, call, arguments, rest)
        elif match := _BEGIN.match(line):
            thread, call, rest = match.groups()
            yield _event(thread, call, rest, None)
            if "<unfinished ...>" in rest:
                open_calls[thread] = (call, rest)
            else:
                yield _event(thread, call, rest, rest)


def _event(thread: str, call: str, arguments: str, end: str | None) -> Event:
    found = _DESCRIPTOR.match(arguments)
    result = None
    if end is not None:
        matched = _RESULT.search(end)
        result = -1 if matched is None else int(matched[1])
    descriptor, path = (int(found[1]), _path(found[2])) if found else (-1, "")
    return Event(thread, call, descriptor, path, arguments, result)


def _path(text: str) -> str:
    """-xx shows the paths of descriptors in hexadecimal as well."""
    return bytes.fromhex(text.replace("\\x", "")).decode() if text.startswith("\\x") else text


@dataclass
class _Write:
    data: bytes
    is_meta: bool
    has_ended: bool = False
    is_durable: bool = False


@dataclass
class SyncCheck:
    """Follows one data.mdb and the answers of its node.

    `blocks` are the hashes of the blocks that a client was shown, by number.
    """

    blocks: dict[int, bytes]
    answers: int = 0
    early: list[str] = field(default_factory=list)
    _writes: list[_Write] = field(default_factory=list)
    _synced_descriptors: set[int] = field(default_factory=set)
    _in_flight: dict[str, "_Write | int"] = field(default_factory=dict)
    _first_seen: set[int] = field(default_factory=set)

    def follow(self, events: Iterable[Event]) -> None:
        """Take in all events; `early` lists the answers that came before their sync."""
        for event in events:
            if event.call == "openat":
                self._opened(event)
            elif event.path.endswith("/data.mdb"):
                self._stored(event)
            elif event.path.startswith(("socket:", "TCP")) and event.result is None:
                self._answered(event.data)

    def _opened(self, event: Event) -> None:
        if event.result is not None and event.result >= 0 and "O_DSYNC" in event.arguments:
            self._synced_descriptors.add(event.result)

    def _stored(self, event: Event) -> None:
        if event.call in ("fdatasync", "fsync", "msync"):
            self._synced(event)
        elif event.result is None:
            offset = _offset(event)
            is_meta = offset is not None and offset < _META_PAGES_END and len(event.data) < 4096
            write = _Write(event.data, is_meta)
            self._writes.append(write)
            self._in_flight[event.thread] = write
        else:
            write = self._in_flight.pop(event.thread)  # type: ignore[assignment]
            write.has_ended = True
            write.is_durable = event.descriptor in self._synced_descriptors

    def _synced(self, event: Event) -> None:
        if event.result is None:
            self._in_flight[event.thread] = len(self._writes)
            return
        count = self._in_flight.pop(event.thread)
        assert isinstance(count, int)
        for write in self._writes[:count] if event.result == 0 else ():
            write.is_durable = write.has_ended

    def _answered(self, data: bytes) -> None:
        hashes = {bytes.fromhex(found[2:].decode()) for found in _HASH.findall(data)}
        numbers = {number for number, block in self.blocks.items() if block in hashes}
        if found := _NUMBER.search(data):
            numbers.add(int(found[1], 16))
        for number in numbers & self.blocks.keys():
            self.answers += 1
            if number not in self._first_seen:
                self._first_seen.add(number)
                self._check(number)

    def _check(self, number: int) -> None:
        """All that a block's commit wrote, its meta page at last, must be on the disk."""
        block_hash = self.blocks[number]
        begin = next((i for i, w in enumerate(self._writes) if block_hash in w.data), None)
        if begin is None:
            self.early.append(f"block {number} was shown before it was written")
            return
        end = next((i for i, w in enumerate(self._writes) if i > begin and w.is_meta), None)
        if end is None:
            self.early.append(f"block {number} was shown before its commit ended")
        elif not all(write.is_durable for write in self._writes[: end + 1]):
            self.early.append(f"block {number} was shown before it was synced")


def _offset(event: Event) -> int | None:
    if event.call not in ("pwrite64", "pwritev", "pwritev2"):
        return None
    found = re.search(r", (\d+)(?:\)| <unfinished)", event.arguments)
    return None if found is None else int(found[1])

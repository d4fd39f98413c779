"""The library between LMDB and the system: built where there is a C compiler, used through ctypes.

A process has it when it was started with `environment(build(...))`; its forks inherit it.
"""

import ctypes
import os
import shutil
import subprocess
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")


class Call(IntEnum):
    """What LMDB asks of the system in a commit, in this order."""

    DATA = 1
    SYNC = 2
    META = 3


class Phase(IntEnum):
    """When, relative to the call."""

    BEFORE = 0
    DURING = 1
    AFTER = 2


@dataclass(frozen=True, slots=True)
class Moment:
    """A place inside a commit; `skip` calls of the kind pass before it."""

    call: Call
    phase: Phase
    skip: int = 0
    delay_us: int = 0

    def __str__(self) -> str:
        return f"{self.phase.name.lower()} {self.call.name.lower()}"


@dataclass(frozen=True, slots=True)
class Record:
    """Something that went to the disk. `kind` is a `Call`, or NOTE for what the program said."""

    kind: int
    offset: int
    data: bytes


NOTE = 4
_HEAD_SIZE = 24


def build(folder: Path) -> Path | None:
    """Compile the library into `folder`; None if there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library = folder / "shim.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)]
    subprocess.run([*command, "-ldl", "-lpthread"], check=True)
    return library


def environment(library: Path | None) -> dict[str, str]:
    """Return this process's environment, with the library in front of all others."""
    return {**os.environ, **({} if library is None else {"LD_PRELOAD": str(library)})}


def loaded() -> "Shim | None":
    """Return the library in this process, None if it was started without."""
    program = ctypes.CDLL(None)
    return Shim(program) if hasattr(program, "shim_arm") else None


class Shim:
    """Controls the library."""

    def __init__(self, program: ctypes.CDLL) -> None:
        self._program = program

    def arm(self, moment: Moment) -> None:
        """Kill this process at a moment to come."""
        self._program.shim_arm(moment.call, moment.phase, moment.skip, moment.delay_us)

    def log(self, descriptor: int) -> None:
        """Write down all that goes to the disk from now on."""
        self._program.shim_log(descriptor)

    def note(self, text: bytes) -> None:
        """Put a note between what goes to the disk."""
        self._program.shim_note(text, ctypes.c_uint64(len(text)))


def read_log(path: Path) -> list[Record]:
    """Read what was written down; a record that was cut short by a kill is left out."""
    raw, at, records = path.read_bytes(), 0, []
    while at + _HEAD_SIZE <= len(raw):
        kind, offset, length = (
            int.from_bytes(raw[at + start : at + start + 8], "little") for start in (0, 8, 16)
        )
        data = raw[at + _HEAD_SIZE : at + _HEAD_SIZE + length]
        if len(data) == length:
            records.append(Record(kind, offset, data))
        at += _HEAD_SIZE + length
    return records

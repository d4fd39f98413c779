"""Programs by their code, shared by all threads, so that code is decoded once.

Init code is not kept here: it runs once, and anybody can send a lot of it.
"""

import threading
from collections import OrderedDict
from typing import Final

from node.evm.fast.program import Program

_MAX_BYTES = 1024 * 1024
"""Code that is kept decoded; at worst, all of it odd and run, that is 300 times as much memory."""


class ProgramCache:
    """Holds the programs that were used last, `max_bytes` of code in all."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes: Final = max_bytes
        self._programs: OrderedDict[bytes, Program] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, code: bytes) -> Program:
        """Return the program of `code`."""
        with self._lock:
            program = self._programs.get(code)
            if program is not None:
                self._programs.move_to_end(code)
                return program
        program = Program(code)
        with self._lock:
            if code not in self._programs:
                self._programs[code] = program
                self._bytes += len(code)
            while self._bytes > self._max_bytes:
                dropped, _ = self._programs.popitem(last=False)
                self._bytes -= len(dropped)
        return program


program_of = ProgramCache(_MAX_BYTES).get

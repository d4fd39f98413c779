"""Programs by the hash of their code, shared by all threads, so that code is decoded once.

Init code is not kept here: it runs once, and anybody can send a lot of it.
"""

import threading
from typing import Final

from node.evm.fast.boundaries import Boundaries
from node.evm.fast.program import Ledger, Program
from node.types.primitives import Hash32

_MAX_BYTES = 48 * 2**20
"""What programs may take in each of two generations."""
_MAX_BOUNDARIES = 50_000
"""Codes of which is known where opcodes begin, after their programs are gone; half a kilobyte each.

To find out takes long for code that is made for it, and a program can be forgotten for the price
of a few calls.
"""
_FEW_BOUNDARIES = 32


class ProgramCache:
    """Holds the programs that were used last: two generations, the older of which is dropped whole
    when the younger one has grown to `max_bytes`.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes: Final = max_bytes
        self._lock = threading.Lock()
        self._ledger = Ledger()
        self._young: dict[Hash32, Program] = {}
        self._old: dict[Hash32, Program] = {}
        self._boundaries: dict[Hash32, Boundaries] = {}

    def get(self, code_hash: Hash32, code: bytes) -> Program:
        """Return the program of `code`, which has this hash."""
        program = self._young.get(code_hash)
        if program is None or self._ledger.bytes > self._max_bytes:
            with self._lock:
                return self._get(code_hash, code)
        return program

    def _get(self, code_hash: Hash32, code: bytes) -> Program:
        if self._ledger.bytes > self._max_bytes:
            self._forget_old()
        program = self._young.get(code_hash)
        if program is None:
            program = self._old.pop(code_hash, None)
            if program is None:
                program = Program(code, self._boundaries.get(code_hash), self._ledger)
            else:
                program.count_in(self._ledger)
            self._young[code_hash] = program
        return program

    def _forget_old(self) -> None:
        if len(self._boundaries) > _MAX_BOUNDARIES:
            self._boundaries = {}
        for code_hash, program in self._old.items():
            if len(program.boundaries) > _FEW_BOUNDARIES:
                self._boundaries[code_hash] = program.boundaries
        self._old, self._young, self._ledger = self._young, {}, Ledger()


program_of = ProgramCache(_MAX_BYTES).get

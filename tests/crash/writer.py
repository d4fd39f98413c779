"""The process that is killed: it builds blocks from its pool, and reports what it shows.

Each report is a line of JSON: `commit` announces the next one, `begins` and `ended` stand around
LMDB's commit, `shown` is an answer of the node's RPC.
"""

import asyncio
import json
import os
import random
import signal
import threading
import time
import traceback
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from node.builder import fill
from node.chain import Heads
from node.types.block import BlockRef, Header
from node.types.primitives import BlockNumber
from tests.crash.client import Client
from tests.crash.commits import Commit, commit_number, newest_safe_head, origin_of
from tests.crash.shim import Moment, Shim
from tests.crash.store import Store, open_store
from tests.node.chains import Chain, l1_attributes
from tests.node.pooled_chain import UNLIMITED

_SAFE_LAG, _FINALIZED_LAG = 6, 12
_DEEPEST_REORG = 8
_MAX_WAIT_S = 0.05


@dataclass(frozen=True, slots=True)
class Death:
    """When a writer kills itself: in its `commit`-th commit, at a call or at a random time in it.

    Without a moment it is killed a random part of a commit's usual time after its begin.
    """

    commit: int
    moment: Moment | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What one writer does. `death` None: somebody else kills it.

    `kept_blocks` is how much history its engine keeps, None for all.
    """

    seed: int
    reorgs: bool
    death: Death | None
    commits: int | None = None
    kept_blocks: int | None = None


class Writer:
    """Extends one chain until it is killed, or until the plan's number of commits is done."""

    def __init__(self, store: Store, report: int, plan: Plan, shim: Shim | None) -> None:
        self._store = store
        self._engine = store.chain.engine
        self._report = report
        self._plan = plan
        self._shim = shim
        self._lock = threading.Lock()
        self._chance = random.Random(plan.seed)
        self._number = commit_number(newest_safe_head(store.database))
        self._begun = 0
        self._began_at = 0.0
        self._usual_s = 0.002

    def run(self) -> None:
        """Commit, while a client in a thread of its own sends and asks."""
        self._store.database.commit_begins = self._commit_begins
        self._store.database.commit_ended = self._commit_ended
        self._say({"ready": self._number})
        client = Client(self._store.dispatcher, self._shown, random.Random(self._plan.seed + 1))
        asking = threading.Thread(target=partial(_run_client, client), daemon=True)
        asking.start()
        while self._plan.commits is None or self._begun < self._plan.commits:
            self._wait_for_transactions()
            if self._chance.random() < 0.1:
                self._move_heads()
            else:
                self._insert()
        client.stop()
        asking.join()

    def _wait_for_transactions(self) -> None:
        wanted, until = self._chance.randrange(1, 20), time.monotonic() + _MAX_WAIT_S
        while self._store.chain.mempool.ready_count() < wanted and time.monotonic() < until:
            time.sleep(0.002)

    def _insert(self) -> None:
        heads = self._engine.heads
        parent = self._store.chain.head()
        if self._plan.reorgs and self._chance.random() < 0.2:
            depth = self._chance.randrange(1, _DEEPEST_REORG)
            parent = self._canonical(max(heads.finalized.number, parent.number - depth))
        attributes = Chain.attributes(parent, self._chance.getrandbits(64))
        with self._engine.begin(parent, attributes) as execution:
            execution.apply(l1_attributes(parent))
            fill(execution, self._store.chain.mempool, UNLIMITED)
            executed = execution.seal()
        safe, finalized = self._next_heads(parent.number)
        new = Heads(executed.block.header.ref, safe, finalized)
        self._announce(parent.number, new)
        origin = origin_of(self._number, new)
        self._engine.insert(executed, safe=safe, finalized=finalized, derived_from=origin)

    def _move_heads(self) -> None:
        """A commit without a block: the safe head moves on, or the chain is cut."""
        heads = self._engine.heads
        top: int = heads.unsafe.number
        if self._plan.reorgs and self._chance.random() < 0.3:
            depth = self._chance.randrange(1, _DEEPEST_REORG)
            top = max(heads.finalized.number, top - depth)
        safe, finalized = self._next_heads(top)
        new = Heads(self._canonical(top).ref, safe, finalized)
        self._announce(top, new)
        origin = origin_of(self._number, new)
        self._engine.set_heads(
            unsafe=new.unsafe, safe=safe, finalized=finalized, derived_from=origin
        )

    def _next_heads(self, top: int) -> tuple[BlockRef, BlockRef]:
        """Return a safe head not above `top`, which may go back, and a finalized one, which not."""
        heads = self._engine.heads
        finalized = max(heads.finalized.number, top - _FINALIZED_LAG)
        forward = top - self._chance.randrange(_SAFE_LAG)
        safe = max(finalized, min(top, max(heads.safe.number, forward)))
        return self._canonical(safe).ref, self._canonical(finalized).ref

    def _canonical(self, number: int) -> Header:
        header = self._store.chain.reader.header_by_number(BlockNumber(number))
        assert header is not None
        return header

    def _announce(self, parent: int, new: Heads) -> None:
        self._number += 1
        safe, finalized = new.safe.number, new.finalized.number
        head, block_hash = new.unsafe.number, new.unsafe.hash.hex()
        commit = Commit(self._number, parent, head, block_hash, safe, finalized)
        self._send(commit.to_line())

    def _commit_begins(self) -> None:
        self._begun += 1
        self._say({"begins": self._number})
        death = self._plan.death
        if death is not None and self._begun == death.commit:
            if death.moment is None:
                delay_s = self._chance.random() * self._usual_s
                threading.Thread(target=partial(_die, delay_s), daemon=True).start()
            else:
                assert self._shim is not None
                self._shim.arm(death.moment)
        self._began_at = time.monotonic()

    def _commit_ended(self) -> None:
        self._usual_s += (time.monotonic() - self._began_at - self._usual_s) / 4
        self._say({"ended": self._number})

    def _shown(self, kind: str, answer: Any) -> None:
        self._say({"shown": kind, "answer": answer})

    def _say(self, message: dict[str, Any]) -> None:
        self._send(json.dumps(message).encode() + b"\n")

    def _send(self, line: bytes) -> None:
        with self._lock:
            if self._shim is not None:
                self._shim.note(line)
            while line:
                line = line[os.write(self._report, line) :]


def _run_client(client: Client) -> None:
    try:
        asyncio.run(client.run())
    except BaseException:  # noqa: BLE001 - whatever it is, the end is not a kill
        traceback.print_exc()
        os._exit(1)


def _die(delay_s: float) -> None:
    time.sleep(delay_s)
    os.kill(os.getpid(), signal.SIGKILL)


def write(path: Path, report: int, plan: Plan, shim: Shim | None) -> None:
    """Open the chain and run a writer on it."""
    with open_store(path, plan.kept_blocks) as store:
        Writer(store, report, plan, shim).run()

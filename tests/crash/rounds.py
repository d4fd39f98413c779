"""Rounds of writing and killing on one store, and what they add up to.

Everything happens in forks of a process without threads, which has the shim if there is one.
"""

import json
import os
import random
import select
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.genesis.genesis import genesis_block
from node.history import first_kept
from node.storage.database import Database
from tests.crash.audit import Shown, audit
from tests.crash.commits import Commit, Model
from tests.crash.forks import fork
from tests.crash.shim import Call, Moment, Phase, Shim
from tests.crash.store import GENESIS
from tests.crash.writer import Death, Plan, write

_MOST_COMMITS = 14
_LATEST_S = 0.08
_PATIENCE_S = 60.0
_MOMENTS = (
    (Call.DATA, Phase.BEFORE),
    (Call.DATA, Phase.DURING),
    (Call.DATA, Phase.AFTER),
    (Call.SYNC, Phase.BEFORE),
    (Call.SYNC, Phase.DURING),
    (Call.SYNC, Phase.AFTER),
    (Call.META, Phase.BEFORE),
    (Call.META, Phase.AFTER),
)


@dataclass
class Heard:
    """What a writer has reported before it was killed."""

    announced: list[Commit] = field(default_factory=list)
    blocks: dict[str, Any] = field(default_factory=dict)
    receipts: dict[str, Any] = field(default_factory=dict)
    begun: int = 0
    ended: int = 0

    def take(self, line: bytes) -> None:
        """Take in one line."""
        message = json.loads(line)
        if "commit" in message:
            self.announced.append(Commit(**message["commit"]))
        self.begun = message.get("begins", self.begun)
        self.ended = message.get("ended", self.ended)
        answer = message.get("answer")
        if message.get("shown") == "block":
            self.blocks[answer["hash"]] = answer
        elif message.get("shown") == "receipt":
            self.receipts[answer["transactionHash"] + answer["blockHash"]] = answer

    @property
    def shown(self) -> Shown:
        """The answers."""
        return Shown(tuple(self.blocks.values()), tuple(self.receipts.values()))

    @property
    def is_inside_commit(self) -> bool:
        """Whether a commit had begun and not ended."""
        return self.begun > self.ended


@dataclass
class Figures:
    """What the rounds add up to."""

    rounds: int = 0
    kills_inside: int = 0
    moments: Counter[str] = field(default_factory=Counter)
    commits: int = 0
    unacknowledged: int = 0
    blocks_shown: int = 0
    receipts_shown: int = 0
    head: int = 0
    replays: int = 0
    first_kept: int = 0

    def __str__(self) -> str:
        moments = ", ".join(f"{count} {name}" for name, count in sorted(self.moments.items()))
        return (
            f"{self.rounds} rounds, each ended by SIGKILL ({moments}); "
            f"{self.kills_inside} kills inside a commit\n"
            f"{self.commits} commits survived, {self.unacknowledged} of those begun did not and "
            f"were never shown; head {self.head}\n"
            f"acknowledged: {self.blocks_shown} blocks, {self.receipts_shown} receipts; lost: 0\n"
            f"replay of blocks {self.first_kept} to {self.head}: equal ({self.replays} times "
            "in between and now); flat state and tries: equal after each round"
        )


class Rounds:
    """Kills writers on one store, and audits it each time.

    With `kept_blocks`, most writers keep that much history only, and the others all they find.
    """

    def __init__(
        self,
        path: Path,
        seed: int,
        shim: Shim | None,
        replay_every: int,
        kept_blocks: int | None = None,
    ) -> None:
        self.figures = Figures()
        self._path = path
        self._shim = shim
        self._replay_every = replay_every
        self._kept_blocks = kept_blocks
        self._chance = random.Random(seed)
        self._model = Model(genesis_block(GENESIS).block.hash)
        self._shown = Shown()

    def run(self, count: int) -> Figures:
        """Run `count` rounds; AssertionError if a store was not what it has to be."""
        for number in range(count):
            self._round(number)
            if (number + 1) % self._replay_every == 0 or number == count - 1:
                self._audit([], self._shown, 0)
                self.figures.replays += 1
            with Database.open(self._path, read_only=True) as database, database.read() as snapshot:
                self.figures.first_kept = first_kept(snapshot)
            print(f"round {number + 1}: head {self.figures.head}", file=sys.stderr, flush=True)
        return self.figures

    def _round(self, number: int) -> None:
        death, name = self._death(number)
        plan = Plan(
            self._chance.getrandbits(32),
            reorgs=self._chance.random() < 0.5,
            death=death,
            kept_blocks=self._kept_blocks if self._chance.random() < 0.8 else None,
        )
        heard = self._let_it_write(plan)
        committed = self._audit(heard.announced, heard.shown, len(self._model.hashes))
        self._model.apply(heard.announced[:committed])
        self._shown += heard.shown
        figures = self.figures
        figures.rounds += 1
        figures.moments[name] += 1
        figures.kills_inside += heard.is_inside_commit
        figures.commits += committed
        figures.unacknowledged += len(heard.announced) - committed
        figures.blocks_shown += len(heard.blocks)
        figures.receipts_shown += len(heard.receipts)
        figures.head = len(self._model.hashes) - 1

    def _death(self, number: int) -> tuple[Death | None, str]:
        kind = number % 4 if self._shim is not None else number % 2
        commit = self._chance.randrange(1, _MOST_COMMITS)
        if kind == 0:
            return None, "at any time"
        if kind == 1:
            return Death(commit, None), "during a commit"
        call, phase = _MOMENTS[(number // 4 * 2 + kind - 2) % len(_MOMENTS)]
        skip = self._chance.randrange(3) if call is Call.DATA else 0
        moment = Moment(call, phase, skip, self._chance.randrange(2000))
        return Death(commit, moment), str(moment)

    def _let_it_write(self, plan: Plan) -> Heard:
        receive, report = os.pipe()
        writer = fork(lambda: write(self._path, report, plan, self._shim), closing=receive)
        os.close(report)
        try:
            return self._listen(receive, writer, plan)
        finally:
            os.close(receive)

    def _listen(self, receive: int, writer: int, plan: Plan) -> Heard:
        """Take in what it reports until its end, which comes from here if it has none planned."""
        heard, rest = Heard(), b""
        enough = self._chance.randrange(_MOST_COMMITS)
        kill_at = time.monotonic() + _PATIENCE_S
        is_due, is_killed = False, False
        while True:
            if plan.death is None and not is_due and len(heard.announced) >= enough:
                is_due = True
                kill_at = time.monotonic() + self._chance.random() * _LATEST_S
            left = max(0.0, kill_at - time.monotonic())
            if not is_killed and left == 0:
                assert is_due, "the writer does not get on"
                os.kill(writer, signal.SIGKILL)
                is_killed = True
            if not select.select([receive], [], [], None if is_killed else left)[0]:
                continue
            more = os.read(receive, 2**16)
            if not more:
                break
            *lines, rest = (rest + more).split(b"\n")
            for line in lines:
                heard.take(line)
        _, status = os.waitpid(writer, 0)
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, "not a kill"
        return heard

    def _audit(self, announced: list[Commit], shown: Shown, first: int) -> int:
        receive, report = os.pipe()

        def work() -> None:
            committed = audit(self._path, self._model, announced, shown, first)
            os.write(report, committed.to_bytes(4, "big"))

        auditor = fork(work, closing=receive)
        os.close(report)
        answer = os.read(receive, 4)
        os.close(receive)
        _, status = os.waitpid(auditor, 0)
        assert status == 0, "the store is not what it has to be"
        return int.from_bytes(answer, "big")

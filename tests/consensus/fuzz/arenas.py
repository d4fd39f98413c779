"""The arenas one after the other, each with a seed of its own, until so many inputs are used up."""

import gzip
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Protocol

from tests.consensus.fuzz.arena import Arena
from tests.consensus.fuzz.engine_arena import EngineArena
from tests.consensus.fuzz.l1_answers import AnswersArena

REAL_CHANNEL = Path(__file__).parents[3] / "../shared/vectors/channels/op-mainnet-channel.hex.gz"

SHARES = {"pipeline": 0.75, "engine": 0.1, "answers": 0.15}
"""What part of all inputs each kind of arena gets."""


class AnyArena(Protocol):
    """Runs once; `inputs` counts what was tried, `outcomes` what came of it."""

    inputs: int
    outcomes: Counter[str]

    async def run(self) -> None:
        """Try all its inputs; raise what should not have come out."""
        ...


@dataclass(slots=True)
class Tried:
    """What has been tried so far."""

    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


class ArenaFailed(Exception):
    """Something came out that should not have; the message says how to see it again."""


async def run_arenas(kind: str, seed: int, inputs: int) -> AsyncIterator[Tried]:
    """Run arenas of a kind with seeds from `seed` on, and tell after each how far it is."""
    foreign = real_channels()
    tried = Tried()
    for number in count(seed):
        if tried.inputs >= inputs:
            return
        arena = make_arena(kind, number, foreign)
        try:
            await arena.run()
        except Exception as error:
            raise ArenaFailed(f"{kind} arena with seed {number}: {error!r}") from error
        tried.inputs += arena.inputs
        tried.outcomes += arena.outcomes
        yield tried


def make_arena(kind: str, seed: int, foreign: tuple[bytes, ...]) -> AnyArena:
    """Return the arena of a kind (see SHARES) that a seed stands for."""
    if kind == "pipeline":
        return Arena(seed, foreign)
    return EngineArena(seed) if kind == "engine" else AnswersArena(seed)


def real_channels() -> tuple[bytes, ...]:
    """Return the channels of live networks that are at hand: one, or none."""
    if not REAL_CHANNEL.exists():
        return ()
    text = gzip.decompress(REAL_CHANNEL.read_bytes()).decode()
    return (bytes.fromhex(text.strip().removeprefix("0x")),)

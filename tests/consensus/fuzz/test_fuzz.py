"""The short form: 20,000 inputs from fixed seeds."""

import logging

import pytest

from tests.consensus.fuzz.arenas import SHARES, run_arenas

INPUTS = 20_000
SEED = 1


@pytest.mark.parametrize("kind", SHARES)
async def test_nothing_but_named_errors_comes_out(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL + 1)
    wanted = int(INPUTS * SHARES[kind])
    last = [tried async for tried in run_arenas(kind, SEED, wanted)][-1]
    assert last.inputs >= wanted
    assert last.outcomes, "nothing came of anything"

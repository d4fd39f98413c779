"""Random histories: money, credit and promises, with reorgs, compared step by step with a model."""

import pytest

from node.evm.rules import Interpreter
from tests.contracts.attribution.choices import KEYS, LOGGERS, OWNERS, PAYEES
from tests.contracts.attribution.recount import Recount
from tests.contracts.attribution.walk import Walk

STEPS = 150


def walked(seed: int, interpreter: Interpreter = Interpreter.FAST, steps: int = STEPS) -> Walk:
    walk = Walk(seed, interpreter)
    for number in range(steps):
        walk.step()
        if number % 25 == 0:
            walk.check_all()
    walk.check_all()
    return walk


@pytest.mark.parametrize("seed", range(20))
def test_a_random_history(seed: int) -> None:
    walk = walked(seed)
    walk.settle_everything()
    walk.check_all()


@pytest.mark.parametrize("seed", [100, 101])
def test_both_interpreters(seed: int) -> None:
    walked(seed, Interpreter.BOTH)


@pytest.mark.parametrize("seed", range(200, 210))
def test_logs_and_calldata_tell_everything(seed: int) -> None:
    walk = walked(seed)
    recount = Recount()
    recount.read(walk.machine.history)
    ask = walk.machine.ask
    for account in {*PAYEES, *OWNERS, *LOGGERS, *recount.earned}:
        assert ask("earnings", account) == (recount.earned[account], recount.claimed[account])
    for key in walk.model.models:
        for payer in KEYS:
            assert ask("escrow", payer, key)[0] == recount.escrowed[payer, key]
    for logger, key in walk.model.accounts:
        place = (logger, int.from_bytes(key[:8], "big"))
        if ask("streamState", key, logger)[3] == 3:  # abandoned
            continue
        credit = sum(recount.unpaid[place].values())
        assert ask("unsettled", key, logger) == (recount.unpaid_gwei[place], credit)


def test_walks_go_everywhere() -> None:
    """What the histories above try: each kind of call, done and refused for most reasons."""
    outcomes = set().union(*(walked(seed, steps=250).outcomes for seed in range(300, 306)))
    assert {outcome for outcome in outcomes if outcome.endswith("done")} == {
        "abandonLogger: done",
        "appointLogger: done",
        "claimTo: done",
        "deposit: done",
        "registerDataset: done",
        "registerModel: done",
        "requestWithdrawal: done",
        "setDatasetPayout: done",
        "setModelPayout: done",
        "settle: done",
        "withdraw: done",
    }
    assert len(outcomes) > 30

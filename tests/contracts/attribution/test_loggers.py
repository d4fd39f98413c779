"""Loggers: appointed once for a stream, retired with what they had written, or abandoned."""

from dataclasses import replace

import pytest

from attribution.hub_events import LoggerAbandoned, LoggerAppointed, LoggerRetired, Settled
from node.types.primitives import Address
from tests.contracts.attribution.hub_machine import HubMachine, receipt
from tests.contracts.attribution.scene import (
    ANNA,
    HASH,
    LOGGER,
    OWNER,
    OWNER_PAYOUT,
    PAYOUTS,
    STRANGER,
    Scene,
)
from tests.contracts.local_chain import Reverted, address_text

NEXT = Address(b"\x11" * 20)
NOBODY = Address(bytes(20))
NONE, ACTIVE, RETIRED, ABANDONED = range(4)
SHARE = 6000 * 10
"""Wei that a dataset gets for a unit of credit: gwei x basis points, of which it has 60 %."""


def test_a_logger_is_followed_by_another(scene: Scene) -> None:
    scene.log(receipt(10, (1, 5000)))
    outcome = scene.appoint(NEXT, [1])
    key = scene.model_key
    assert outcome.events == (LoggerRetired(key, LOGGER, 10, 50_000), LoggerAppointed(key, NEXT))
    assert scene.machine.ask("model", key)[5] == address_text(NEXT)
    assert scene.machine.ask("streamState", key, LOGGER) == (key, 0, 0, RETIRED, 10, 50_000)
    assert scene.machine.ask("streamState", key, NEXT) == (key, 0, 0, ACTIVE, 0, 0)


def test_what_a_retired_logger_had_written_stays_payable(scene: Scene) -> None:
    scene.deposit(ANNA.address, 100)
    scene.log(receipt(10, (1, 5000)), receipt(10, (2, 5000)))
    scene.appoint(NEXT, [1, 2])
    # What it writes afterwards neither counts nor thins out what datasets had.
    scene.log(receipt(1000, (2, 5000), (3, 5000)))
    assert scene.machine.ask("unsettled", scene.model_key, LOGGER) == (20, 100_000)
    assert scene.machine.ask("unsettledCredit", scene.model_key, LOGGER, 3) == 0
    outcome = scene.settle([1, 2], ANNA.voucher(scene.model_key, 20))
    assert outcome.one(Settled).unsettled_gwei == 20
    assert [scene.owed(payout) for payout in PAYOUTS] == [50_000 * SHARE, 50_000 * SHARE, 0]


def test_a_dataset_paid_before_its_logger_retired_is_not_paid_again(scene: Scene) -> None:
    """Two datasets with equal credit, of which one was paid: it cannot stand in for the other."""
    scene.deposit(ANNA.address, 100)
    scene.log(receipt(10, (1, 5000)))
    scene.settle([1], ANNA.voucher(scene.model_key, 10))
    scene.log(receipt(10, (2, 5000)))
    scene.appoint(NEXT, [2])
    assert scene.machine.ask("unsettledCredit", scene.model_key, LOGGER, 1) == 0
    assert scene.machine.ask("unsettledCredit", scene.model_key, LOGGER, 2) == 50_000
    with pytest.raises(Reverted, match="DatasetsIncomplete"):
        scene.settle([1], ANNA.voucher(scene.model_key, 20))
    scene.settle([2], ANNA.voucher(scene.model_key, 20))
    assert [scene.owed(payout) for payout in PAYOUTS] == [50_000 * SHARE, 50_000 * SHARE, 0]


def test_a_dataset_paid_in_part_keeps_the_rest(scene: Scene) -> None:
    scene.deposit(ANNA.address, 100)
    scene.log(receipt(10, (1, 5000), (2, 5000)))
    scene.settle([1, 2], ANNA.voucher(scene.model_key, 4))
    scene.appoint(NEXT, [1, 2])
    assert scene.machine.ask("unsettled", scene.model_key, LOGGER) == (6, 60_000)
    scene.settle([1, 2], ANNA.voucher(scene.model_key, 10))
    assert [scene.owed(payout) for payout in PAYOUTS[:2]] == [50_000 * SHARE, 50_000 * SHARE]
    assert scene.machine.ask("unsettled", scene.model_key, LOGGER) == (0, 0)


@pytest.mark.parametrize("datasets", [[], [1], [2], [1, 3]])
def test_retirement_names_every_dataset(scene: Scene, datasets: list[int]) -> None:
    scene.log(receipt(10, (1, 5000), (2, 4000)))
    covered = sum({1: 50_000, 2: 40_000}.get(dataset, 0) for dataset in datasets)
    with pytest.raises(Reverted) as caught:
        scene.appoint(NEXT, datasets)
    expected = ("DatasetsIncomplete", (covered, 90_000))
    assert (caught.value.name, caught.value.arguments) == expected


@pytest.mark.parametrize("datasets", [[1, 1], [2, 1]])
def test_retirement_names_datasets_in_order(scene: Scene, datasets: list[int]) -> None:
    scene.log(receipt(10, (1, 5000), (2, 5000)))
    with pytest.raises(Reverted) as caught:
        scene.appoint(NEXT, datasets)
    assert (caught.value.name, caught.value.arguments) == ("DatasetsNotAscending", (1,))


def test_retirement_keeps_the_credit_of_datasets_that_do_not_exist(scene: Scene) -> None:
    scene.deposit(ANNA.address, 10)
    scene.log(receipt(10, (1, 2500), (99, 7500)))
    scene.appoint(NEXT, [1, 2, 99])
    outcome = scene.settle([1, 99], ANNA.voucher(scene.model_key, 10))
    assert outcome.one(Settled).owner_wei == 10 * 10**9 - 25_000 * SHARE


def test_a_logger_is_appointed_once_for_a_stream(scene: Scene) -> None:
    scene.appoint(NEXT)
    for logger in (LOGGER, NEXT):
        with pytest.raises(Reverted) as caught:
            scene.appoint(logger)
        expected = ("LoggerAlreadyAppointed", (address_text(logger),))
        assert (caught.value.name, caught.value.arguments) == expected
    scene.machine.hub("abandonLogger", scene.model_key, sender=OWNER)
    with pytest.raises(Reverted, match="LoggerAlreadyAppointed"):
        scene.appoint(NEXT)


def test_nobody_burns_the_logger_of_another(scene: Scene) -> None:
    """Whoever names it first for a model of his own leaves it free for all other models."""
    terms = (0, 0, STRANGER, [])
    scene.machine.hub("registerModel", HASH, "", HASH, NEXT, *terms, sender=STRANGER)
    scene.appoint(NEXT)
    assert scene.machine.ask("model", scene.model_key)[5] == address_text(NEXT)


def test_a_stream_has_to_be_empty(scene: Scene) -> None:
    scene.log(receipt(1), receipt(2), logger=NEXT)
    with pytest.raises(Reverted) as caught:
        scene.appoint(NEXT)
    expected = ("LoggerNotFresh", (address_text(NEXT), 2))
    assert (caught.value.name, caught.value.arguments) == expected
    other = Address(b"\x12" * 20)
    scene.machine.log_receipts(other, 5, receipt(1))
    scene.appoint(other)


def test_a_model_is_left_without_a_logger_and_gets_one(scene: Scene) -> None:
    scene.appoint(NOBODY)
    assert scene.machine.ask("model", scene.model_key)[5] == address_text(NOBODY)
    for call in (("appointLogger", NOBODY, []), ("abandonLogger",)):
        with pytest.raises(Reverted) as caught:
            scene.machine.hub(call[0], scene.model_key, *call[1:], sender=OWNER)
        assert (caught.value.name, caught.value.arguments) == ("NoLogger", (scene.model_key,))
    assert scene.appoint(NEXT).events == (LoggerAppointed(scene.model_key, NEXT),)


def test_an_abandoned_logger_is_paid_no_more(scene: Scene) -> None:
    scene.deposit(ANNA.address, 100)
    scene.log(receipt(10, (1, 5000)))
    scene.settle([1], ANNA.voucher(scene.model_key, 4))
    outcome = scene.machine.hub("abandonLogger", scene.model_key, sender=OWNER)
    assert outcome.events == (LoggerAbandoned(scene.model_key, LOGGER),)
    assert scene.machine.ask("unsettled", scene.model_key, LOGGER) == (0, 0)
    assert scene.machine.ask("unsettledCredit", scene.model_key, LOGGER, 1) == 0
    assert scene.machine.ask("streamState", scene.model_key, LOGGER)[3] == ABANDONED
    with pytest.raises(Reverted, match="NothingCharged"):
        scene.settle([1], ANNA.voucher(scene.model_key, 10))
    # What was paid before is untouched, and the model goes on.
    assert scene.owed(PAYOUTS[0]) == 20_000 * SHARE
    scene.appoint(NEXT)
    scene.log(receipt(6), logger=NEXT)
    scene.settle([], ANNA.voucher(scene.model_key, 10), logger=NEXT)
    assert scene.balance(ANNA.address) == 90


@pytest.mark.parametrize("logger", [STRANGER, NOBODY, OWNER])
def test_receipts_of_others_do_not_count(scene: Scene, logger: Address) -> None:
    scene.deposit(ANNA.address, 100)
    scene.log(receipt(10), logger=STRANGER)
    with pytest.raises(Reverted) as caught:
        scene.settle([], ANNA.voucher(scene.model_key, 10), logger=logger)
    assert (caught.value.name, caught.value.arguments) == ("UnknownLogger", (address_text(logger),))
    for view, arguments in (("unsettled", ()), ("unsettledCredit", (1,)), ("streamState", ())):
        with pytest.raises(Reverted, match="UnknownLogger"):
            scene.machine.ask(view, scene.model_key, logger, *arguments)


def test_models_that_share_a_logger_are_apart(scene: Scene) -> None:
    terms = (0, 10_000, STRANGER, [])
    registered = scene.machine.hub("registerModel", HASH, "", HASH, LOGGER, *terms, sender=STRANGER)
    scene.deposit(ANNA.address, 100)
    scene.log(receipt(10))
    assert scene.machine.ask("unsettled", registered.output, LOGGER) == (0, 0)
    with pytest.raises(Reverted, match="NothingCharged"):
        voucher = ANNA.voucher(registered.output, 10)
        call = (registered.output, LOGGER, [], [voucher.argument()])
        scene.machine.hub("settle", *call, sender=STRANGER)
    scene.settle([], ANNA.voucher(scene.model_key, 10))
    assert scene.owed(STRANGER) == 0
    assert scene.owed(OWNER_PAYOUT) == 10 * 10**9


def test_a_chain_without_the_precompile_says_so(machine: HubMachine) -> None:
    machine.rules = replace(machine.rules, precompiles={})
    with pytest.raises(Reverted) as caught:
        Scene.made(machine)
    assert caught.value.name == "AttributionUnavailable"

"""Datasets and models: what is registered, by whom it changes, what is refused."""

from typing import Any

import pytest

from attribution.hub_events import (
    DatasetPayoutChanged,
    DatasetRegistered,
    LoggerAppointed,
    ModelPayoutChanged,
    ModelRegistered,
    ModelTerms,
    PriceChanged,
    TrainingRecorded,
)
from node.types.primitives import keccak256
from tests.contracts.attribution.hub_machine import CHAIN_ID, HUB, HubMachine
from tests.contracts.attribution.scene import (
    AUTHOR,
    HASH,
    LOGGER,
    OWNER,
    OWNER_PAYOUT,
    PAYOUTS,
    SALT,
    STRANGER,
    Scene,
)
from tests.contracts.local_chain import Reverted, address_text

ZERO = bytes(20)
NONE = bytes(32)


def registration(**changes: Any) -> tuple[Any, ...]:
    """Arguments of `registerModel`."""
    fields = {
        "model_hash": HASH,
        "uri": "ipfs://m",
        "salt": b"\x01" * 32,
        "logger": LOGGER,
        "price": 5,
        "owner_bps": 10_000,
        "payout": OWNER_PAYOUT,
        "declared": [1, 3],
    }
    return tuple({**fields, **changes}.values())


def test_datasets_are_numbered_from_one(machine: HubMachine) -> None:
    for number, payout in enumerate(PAYOUTS, 1):
        outcome = machine.hub("registerDataset", HASH, "ar://x", payout, sender=AUTHOR)
        assert int.from_bytes(outcome.output, "big") == number
        assert outcome.events == (DatasetRegistered(number, AUTHOR, payout, HASH, "ar://x"),)
        assert machine.ask("datasetCount") == number
    assert machine.ask("dataset", 2) == (address_text(AUTHOR), address_text(PAYOUTS[1]), HASH)


@pytest.mark.parametrize("payout", [ZERO, HUB])
def test_payouts_that_nobody_could_claim(scene: Scene, payout: bytes) -> None:
    calls: list[tuple[bytes, str, tuple[Any, ...]]] = [
        (AUTHOR, "registerDataset", (HASH, "", payout)),
        (AUTHOR, "setDatasetPayout", (1, payout)),
        (OWNER, "registerModel", registration(payout=payout)),
        (OWNER, "setModelPayout", (scene.model_key, payout)),
    ]
    for sender, function, arguments in calls:
        with pytest.raises(Reverted) as caught:
            scene.machine.hub(function, *arguments, sender=sender)
        assert (caught.value.name, caught.value.arguments) == ("BadPayout", (address_text(payout),))


def test_a_dataset_changes_its_payout(scene: Scene) -> None:
    outcome = scene.machine.hub("setDatasetPayout", 2, STRANGER, sender=AUTHOR)
    assert outcome.events == (DatasetPayoutChanged(2, STRANGER),)
    assert scene.machine.ask("dataset", 2)[1] == address_text(STRANGER)


def test_only_the_owner_of_a_dataset_changes_it(scene: Scene) -> None:
    with pytest.raises(Reverted) as caught:
        scene.machine.hub("setDatasetPayout", 2, STRANGER, sender=STRANGER)
    assert (caught.value.name, caught.value.arguments) == ("NotOwner", (address_text(AUTHOR),))


@pytest.mark.parametrize("dataset", [0, 4, 2**32 - 1])
def test_a_dataset_that_does_not_exist(scene: Scene, dataset: int) -> None:
    key = scene.model_key
    declared = [1, 2, dataset] if dataset else [dataset]
    calls: list[tuple[bytes, str, tuple[Any, ...]]] = [
        (AUTHOR, "setDatasetPayout", (dataset, STRANGER)),
        (OWNER, "recordTraining", (key, dataset, HASH)),
        (OWNER, "registerModel", registration(declared=declared)),
    ]
    for sender, function, arguments in calls:
        with pytest.raises(Reverted) as caught:
            scene.machine.hub(function, *arguments, sender=sender)
        assert (caught.value.name, caught.value.arguments) == ("UnknownDataset", (dataset,))
    with pytest.raises(Reverted, match="UnknownDataset"):
        scene.machine.ask("dataset", dataset)


def test_a_model_is_registered(scene: Scene) -> None:
    outcome = scene.machine.hub("registerModel", *registration(), sender=OWNER)
    key = outcome.output
    owner_word, hub_word = OWNER.rjust(32, b"\0"), HUB.rjust(32, b"\0")
    preimage = CHAIN_ID.to_bytes(32, "big") + hub_word + owner_word + HASH + b"\x01" * 32
    assert key == keccak256(preimage) == scene.machine.ask("modelKeyOf", OWNER, HASH, b"\x01" * 32)
    stream = int.from_bytes(key[:8], "big")
    assert scene.machine.ask("streamOf", key) == stream
    assert outcome.events == (
        ModelRegistered(key, OWNER, HASH, b"\x01" * 32, "ipfs://m"),
        ModelTerms(key, stream, 5, 10_000, OWNER_PAYOUT, (1, 3)),
        LoggerAppointed(key, LOGGER),
    )
    assert scene.machine.ask("model", key) == (
        address_text(OWNER),
        5,
        10_000,
        2,
        address_text(OWNER_PAYOUT),
        address_text(LOGGER),
        (1, 3, *[0] * 14),
    )


def test_a_model_without_a_logger(scene: Scene) -> None:
    outcome = scene.machine.hub("registerModel", *registration(logger=ZERO), sender=OWNER)
    assert not outcome.all(LoggerAppointed)
    assert scene.machine.ask("model", outcome.output)[5] == address_text(ZERO)
    with pytest.raises(Reverted, match="UnknownLogger"):
        scene.machine.ask("streamState", outcome.output, ZERO)


def test_sixteen_datasets_can_be_declared_and_no_more(scene: Scene) -> None:
    for _ in range(14):
        scene.machine.hub("registerDataset", HASH, "", PAYOUTS[0], sender=AUTHOR)
    ids = list(range(1, 17))
    key = scene.machine.hub("registerModel", *registration(declared=ids), sender=OWNER).output
    assert scene.machine.ask("model", key)[6] == tuple(ids)
    assert scene.machine.ask("MAX_DECLARED") == 16
    with pytest.raises(Reverted) as caught:
        scene.machine.hub("registerModel", *registration(declared=[*ids, 17]), sender=STRANGER)
    assert (caught.value.name, caught.value.arguments) == ("TooManyDatasets", (17, 16))


@pytest.mark.parametrize(("declared", "index"), [([1, 1], 1), ([1, 3, 2], 2), ([3, 2, 1], 1)])
def test_declared_datasets_ascend(scene: Scene, declared: list[int], index: int) -> None:
    with pytest.raises(Reverted) as caught:
        scene.machine.hub("registerModel", *registration(declared=declared), sender=OWNER)
    assert (caught.value.name, caught.value.arguments) == ("DatasetsNotAscending", (index,))


def test_a_share_above_the_whole(scene: Scene) -> None:
    with pytest.raises(Reverted) as caught:
        scene.machine.hub("registerModel", *registration(owner_bps=10_001), sender=OWNER)
    assert (caught.value.name, caught.value.arguments) == ("BadShare", (10_001,))


def test_a_model_is_registered_once_by_each_owner(scene: Scene) -> None:
    again = registration(salt=SALT)
    with pytest.raises(Reverted) as caught:
        scene.machine.hub("registerModel", *again, sender=OWNER)
    assert (caught.value.name, caught.value.arguments) == ("ModelExists", (scene.model_key,))
    other = scene.machine.hub("registerModel", *again, sender=STRANGER).output
    assert other != scene.model_key


def test_the_owner_changes_price_and_payout(scene: Scene) -> None:
    machine, key = scene.machine, scene.model_key
    outcome = machine.hub("setPrice", key, 2**64 - 1, sender=OWNER)
    assert outcome.events == (PriceChanged(key, 2**64 - 1),)
    outcome = machine.hub("setModelPayout", key, STRANGER, sender=OWNER)
    assert outcome.events == (ModelPayoutChanged(key, STRANGER),)
    assert machine.ask("model", key)[1] == 2**64 - 1
    assert machine.ask("model", key)[4] == address_text(STRANGER)


def test_training_is_recorded(scene: Scene) -> None:
    outcome = scene.machine.hub("recordTraining", scene.model_key, 3, HASH, sender=OWNER)
    assert outcome.events == (TrainingRecorded(scene.model_key, 3, HASH),)


def test_what_only_the_owner_of_a_model_does(scene: Scene) -> None:
    calls: list[tuple[str, tuple[Any, ...]]] = [
        ("setPrice", (1,)),
        ("setModelPayout", (STRANGER,)),
        ("recordTraining", (1, HASH)),
        ("appointLogger", (STRANGER, [])),
        ("abandonLogger", ()),
    ]
    for function, arguments in calls:
        for sender in (STRANGER, LOGGER, OWNER_PAYOUT):
            with pytest.raises(Reverted) as caught:
                scene.machine.hub(function, scene.model_key, *arguments, sender=sender)
            expected = ("NotOwner", (address_text(OWNER),))
            assert (caught.value.name, caught.value.arguments) == expected


def test_an_unknown_model(scene: Scene) -> None:
    for key in (NONE, HASH, scene.model_key[:8] + bytes(24)):
        calls: list[tuple[str, tuple[Any, ...]]] = [
            ("setPrice", (1,)),
            ("setModelPayout", (STRANGER,)),
            ("recordTraining", (1, HASH)),
            ("appointLogger", (STRANGER, [])),
            ("abandonLogger", ()),
            ("deposit", (ZERO,)),
            ("settle", (LOGGER, [], [])),
        ]
        for function, arguments in calls:
            with pytest.raises(Reverted) as caught:
                scene.machine.hub(function, key, *arguments, sender=OWNER)
            assert (caught.value.name, caught.value.arguments) == ("UnknownModel", (key,))
        with pytest.raises(Reverted, match="UnknownModel"):
            scene.machine.ask("model", key)
        for view in ("unsettled", "streamState"):
            with pytest.raises(Reverted, match="UnknownLogger"):
                scene.machine.ask(view, key, LOGGER)


def test_the_hub_takes_no_bare_payments(machine: HubMachine) -> None:
    assert not machine.transact(STRANGER, HUB, b"", value=1).success
    assert machine.balance(HUB) == 0

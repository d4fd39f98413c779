"""A Hub and a model for each test."""

import pytest

from tests.contracts.attribution.hub_machine import HubMachine
from tests.contracts.attribution.scene import Scene


@pytest.fixture
def machine() -> HubMachine:
    return HubMachine()


@pytest.fixture
def scene(machine: HubMachine) -> Scene:
    return Scene.made(machine)

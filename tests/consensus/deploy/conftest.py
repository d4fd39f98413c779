from collections.abc import AsyncIterator

import pytest

from tests.consensus.deploy.scene import DevL1, dev_l1


@pytest.fixture
async def l1() -> AsyncIterator[DevL1]:
    async with dev_l1() as running:
        yield running

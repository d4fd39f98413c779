import asyncio
from collections.abc import AsyncIterator

import pytest

from openrollup.testing.image import Image, found
from openrollup.testing.nodes import Ports, open_nodes
from openrollup.testing.options import DevnetOptions
from tests.consensus.proposer.scene import Scene


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """A rollup that has just been deployed."""
    return asyncio.run(found(DevnetOptions(), tmp_path_factory.mktemp("proposer") / "image"))


@pytest.fixture
async def scene(image: Image) -> AsyncIterator[Scene]:
    async with open_nodes(image, Ports(), DevnetOptions()) as nodes:
        scene = await Scene.open(nodes)
        yield scene
        await scene.close()

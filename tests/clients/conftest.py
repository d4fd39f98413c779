"""One node for all clients, started once."""

from collections.abc import Iterator

import pytest

from tests.integration.nodes import DevNode, Started


@pytest.fixture(scope="session")
def devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A development network that runs while any client test does."""
    with DevNode(tmp_path_factory.mktemp("devnet")) as node:
        yield node.started

"""One node for the tests that only talk to it."""

from collections.abc import Iterator

import pytest

from tests.integration.nodes import DevNode


@pytest.fixture(scope="session")
def shared_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevNode]:
    """A development network."""
    with DevNode(tmp_path_factory.mktemp("shared-node")) as node:
        yield node

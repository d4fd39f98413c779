"""One node for all clients, in each of its two ways to make blocks."""

from collections.abc import Iterator

import pytest

from tests.integration.nodes import DevNode, Started


@pytest.fixture(scope="session", params=[(), ("--automine",)], ids=["timed", "automine"])
def devnet(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Started]:
    """A development network: a block each second, or one for each transaction at once."""
    with DevNode(tmp_path_factory.mktemp("devnet"), options=request.param) as node:
        yield node.started

"""The pytest plugin. It is loaded in every pytest run where OpenRollup is installed.

So it imports nothing of the node, registers names only, and leaves runs alone that do not use them.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from node.difference import BlockReport
    from openrollup.testing.devnet import Devnet
    from openrollup.testing.devnet_cache import DevnetCache
    from openrollup.testing.errors import BlockDiffers
    from openrollup.testing.replay_cases import BlockRange, ReplayCases

_MARKERS = (
    "devnet(automine=False, block_time=1, gas_limit=30_000_000): what the fixture `devnet` is like "
    "(automine: blocks come with transactions; block_time: seconds between L2 blocks)",
    "replay(source, genesis=None, first=None, last=None): run the test once for each block of a "
    "datadir, an RLP file or a JSON-RPC URL; the argument `replayed` is the block's report, and a "
    "block that differs fails",
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture(scope="session")
def openrollup_devnets() -> "Iterator[DevnetCache]":
    """The networks of this session, one for each set of options."""
    from openrollup.testing.devnet_cache import DevnetCache

    with DevnetCache() as cache:
        yield cache


@pytest.fixture
def devnet(request: pytest.FixtureRequest, openrollup_devnets: "DevnetCache") -> "Devnet":
    """A rollup of this test's own, with L1, sequencer, batcher and verifier, in virtual time.

    The marker `devnet` changes it.
    """
    from node.errors import ConfigError

    marker = request.node.get_closest_marker("devnet")
    if marker is not None and marker.args:
        _fail(f"@pytest.mark.devnet takes keywords only (block_time=2), got {marker.args}")
    options = {} if marker is None else marker.kwargs
    try:
        return openrollup_devnets.get(options)
    except ConfigError as error:
        _fail(f"@pytest.mark.devnet: {error}")


@pytest.fixture(scope="session")
def openrollup_replays() -> "ReplayCases":
    """What has been replayed in this session."""
    from openrollup.testing.replay_cases import ReplayCases

    return ReplayCases()


@pytest.fixture
def replayed(request: pytest.FixtureRequest, openrollup_replays: "ReplayCases") -> "BlockReport":
    """The report of the block that this case of a test with the marker `replay` is about."""
    if not hasattr(request, "param"):
        _fail("the fixture replayed goes with @pytest.mark.replay(source): it names the blocks")
    from node.errors import NodeError
    from openrollup.testing.errors import BlockDiffers

    blocks, number = request.param
    try:
        return openrollup_replays.report(blocks, number)
    except BlockDiffers as error:
        _fail(_failure(blocks, number, error))
    except NodeError as error:
        _fail(f"{blocks.source}: {error}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a case of each block that a marker `replay` names."""
    marker = metafunc.definition.get_closest_marker("replay")
    if marker is None:
        return
    from node.errors import NodeError
    from openrollup.testing.replay_cases import BlockRange

    name = metafunc.definition.nodeid
    if "replayed" not in metafunc.fixturenames:
        _fail(
            f"{name}: @pytest.mark.replay gives each block as the argument `replayed`: "
            f"def {metafunc.function.__name__}(replayed)"
        )
    try:
        blocks = BlockRange.parse(marker.args, marker.kwargs, metafunc.definition.path.parent)
        numbers = blocks.numbers()
    except NodeError as error:
        _fail(f"{name}: @pytest.mark.replay: {error}")
    cases = [pytest.param((blocks, number), id=f"block {number}") for number in numbers]
    metafunc.parametrize("replayed", cases, indirect=True)


def _fail(message: str) -> NoReturn:
    """Fail with a message and without a trace: the plugin's own lines explain nothing."""
    pytest.fail(message, pytrace=False)


def _failure(blocks: "BlockRange", number: int, error: "BlockDiffers") -> str:
    if error.report.number != number:
        return f"block {number} cannot be executed: {error}"
    return f"{blocks.source}: {error}"

"""A rollup inside a test: L1, sequencer, batcher and verifier in one process, in virtual time.

`Devnet` is the network, the pytest plugin gives one to each test as the fixture `devnet`, and
`replay` executes stored blocks again. Nothing is loaded before it is used: the plugin must cost
those nothing who have it installed and do not use it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openrollup.testing.block_replay import Replay, ReplayUpTo, replay
    from openrollup.testing.devnet import Devnet, Snapshot
    from openrollup.testing.errors import (
        BlockDiffers,
        DerivationDiffers,
        DevnetError,
        NotIncluded,
    )

__all__ = [
    "BlockDiffers",
    "DerivationDiffers",
    "Devnet",
    "DevnetError",
    "NotIncluded",
    "Replay",
    "ReplayUpTo",
    "Snapshot",
    "replay",
]

_HOMES = {
    "DerivationDiffers": "errors",
    "Devnet": "devnet",
    "DevnetError": "errors",
    "BlockDiffers": "errors",
    "NotIncluded": "errors",
    "Replay": "block_replay",
    "ReplayUpTo": "block_replay",
    "replay": "block_replay",
    "Snapshot": "devnet",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

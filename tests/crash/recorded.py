"""A writer whose every write to the disk is written down: `python -m tests.crash.recorded FOLDER`.

With --unsynced its store does not sync, which a power cut has to show.
"""

import os
import sys
from functools import partial
from pathlib import Path

from node.storage import database
from tests.crash.shim import loaded
from tests.crash.writer import Plan, write

COMMITS = 25

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    if "--unsynced" in sys.argv:
        opened = partial(database._open_environment, sync=False)
        database._open_environment = opened
    shim = loaded()
    assert shim is not None, "the shim has to be preloaded"
    with (folder / "log").open("wb") as log:
        shim.log(log.fileno())
        nowhere = os.open(os.devnull, os.O_WRONLY)
        write(folder / "chain", nowhere, Plan(3, reorgs=True, death=None, commits=COMMITS), shim)

"""Where the state tests are, read in place."""

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from tests.node.execution.vectors import VECTORS

PATH_VARIABLE = "OPENROLLUP_STATE_TESTS"
"""The environment variable with the path of the archive."""


def archive_path(given: Path | None) -> Path:
    """Return the given path, the environment's, or where the archive is beside the checkout."""
    if given is not None:
        return given
    return Path(os.environ.get(PATH_VARIABLE) or VECTORS / "state-tests.tar.xz")


def state_test_files(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Read name and content of every state test, without unpacking anything to disk."""
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.name.endswith(".json") else None
            if file is not None:
                with file:
                    yield member.name, file.read()

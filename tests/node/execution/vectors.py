"""Where the public test vectors are, beside the checkout. Tests that need them skip without."""

from pathlib import Path

import pytest

VECTORS = Path(__file__).parents[3] / "../shared/vectors"


def vector(name: str) -> Path:
    """Return a file or folder of the vectors, or skip the test."""
    path = VECTORS / name
    if not path.exists():
        pytest.skip(f"public test vectors are not at {path}")
    return path

"""The example is no package of ours: its folder is put on the path, as running it does."""

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "medical_model"

sys.path.insert(0, str(FOLDER))


@pytest.fixture
def folder() -> Path:
    """Where the example is."""
    return FOLDER

"""The map shows what is there: every path that it names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_path_in_the_map_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    paths = set(re.findall(r"`([\w./-]+(?:\.(?:py|txt|toml)|/))`", text))
    assert len(paths) > 40
    known_by_name = {path.name for path in (ROOT / "openrollup").iterdir()}
    missing = {p for p in paths if not (ROOT / p).exists() and p not in known_by_name}
    assert missing == set()


def test_every_package_is_on_the_map() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    packages = [p.parent.relative_to(ROOT) for p in ROOT.glob("*/__init__.py")]
    assert [str(p) for p in packages if f"`{p}/" not in text] == []


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    pyproject = (ROOT / "pyproject.toml").read_text()
    block = pyproject.split("dependencies = [", 1)[1].split("]", 1)[0]
    names = re.findall(r'"([A-Za-z0-9_-]+)', block)
    assert len(names) > 15
    assert [name for name in names if name not in text] == []

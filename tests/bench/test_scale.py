from pathlib import Path

import pytest

from bench import scale
from bench.scale import Side, StepFailed, _process, _report, run_scale


def test_prints_what_both_sides_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scale, "_OPENINGS", 1)
    run_scale(1, tmp_path, sizes=(40, 80), transactions=3)
    printed = capsys.readouterr().out
    for title in ("40", "80", "  commit", "resident at most", "first answer", "size on disk"):
        assert title in printed
    assert "ratio" in printed
    assert not list(tmp_path.iterdir())


def test_a_process_that_fails_is_said(tmp_path: Path) -> None:
    side = Side(40, 3, tmp_path)  # nothing was built there
    with _process("open", side) as process, pytest.raises(StepFailed, match="expected a report"):
        _report(process)

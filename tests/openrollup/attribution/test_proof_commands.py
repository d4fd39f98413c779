"""`openrollup attribution prove` and `verify`: what they take, and how they end."""

from pathlib import Path

import pytest

from node.types.primitives import Address
from openrollup.attribution.prove import ProveOptions
from openrollup.attribution.verify import VerifyOptions
from openrollup.cli import run

A = "0x" + "11" * 20
NOWHERE = "http://127.0.0.1:1"
PROVE = ["prove", "--l2", NOWHERE, "--logger", A, "--stream", "7", "--seq", "0"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prove"], "are required: --logger, --stream, --seq"),
        ([*PROVE, "--stream", "-1"], "expected a number of 64 bits, got '-1'"),
        ([*PROVE, "--stream", "0x"], "expected a number of 64 bits"),
        ([*PROVE, "--stream", "0x1_0"], "expected a number of 64 bits"),
        ([*PROVE, "--seq", str(2**64)], "expected a number of 64 bits"),
        ([*PROVE, "--seq", "\u0663"], "expected a number of 64 bits"),
        ([*PROVE, "--logger", "me"], "expected an address"),
        (["verify", "--l1", NOWHERE], "are required: proof.json"),
        (["verify", "p.json"], "are required: --l1"),
        (["verify", "p.json", "--l1", "L1"], "expected http://HOST:PORT"),
        (["verify", "p.json", "--l1", NOWHERE, "--oracle", "0x12"], "expected an address"),
    ],
)
def test_bad_usage_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["attribution", *arguments])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_options(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    async def command(given: object) -> int:
        seen.append(given)
        return 0

    monkeypatch.setattr("openrollup.attribution.prove.run_prove", command)
    monkeypatch.setattr("openrollup.attribution.verify.run_verify", command)
    logger = Address(b"\x11" * 20)
    more = ["--stream", "0xffffffffffffffff", "--out", "p", "--wait", "--json"]
    assert run(["attribution", *PROVE, *more]) == 0
    assert run(["attribution", "verify", "p.json", "--l1", NOWHERE, "--preimage", "q"]) == 0
    assert seen == [
        ProveOptions(NOWHERE, logger, 2**64 - 1, 0, True, Path("p"), wait=True),
        VerifyOptions(Path("p.json"), NOWHERE, json=False, preimage=Path("q")),
    ]


@pytest.mark.parametrize(("content", "code"), [(None, 2), (b"{}", 2), (b"\xff", 2)])
def test_bad_files(
    tmp_path: Path, content: bytes | None, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "proof.json"
    if content is not None:
        path.write_bytes(content)
    assert run(["attribution", "verify", str(path), "--l1", NOWHERE]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"openrollup: {path}: ")


def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["attribution", *PROVE]) == 1
    (line,) = [text for text in capsys.readouterr().err.splitlines() if "openrollup:" in text]
    assert "127.0.0.1:1: Cannot connect" in line

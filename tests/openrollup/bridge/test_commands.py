import pytest

from openrollup.cli import run

TX = "0x" + "ab" * 32
L1 = ["--l1", "http://127.0.0.1:1"]
L2 = ["--l2", "http://127.0.0.1:1"]
PORTAL = ["--portal", "0x" + "11" * 20]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: STEP"),
        (["lift"], "invalid choice: 'lift'"),
        (["deposit", *L1, *PORTAL, "--amount", "1"], "are required: --key-file"),
        (["deposit", *L1, "--key-file", "k", "--amount", "1"], "--addresses --portal is required"),
        (["deposit", *L1, *PORTAL, "--key-file", "k", "--amount", "-1"], "such as 1.5"),
        (["deposit", *L1, *PORTAL, "--key-file", "k", "--amount", "1e3"], "such as 1.5"),
        (["withdraw", *L2, "--key-file", "k", "--amount", "1", "--to", "me"], "an address"),
        (["prove", *L1, *L2, *PORTAL, "--key-file", "k", "--tx", "0x12"], "a transaction's hash"),
        (["status", *L1, *L2, *PORTAL, "--addresses", "a", "--tx", TX], "not allowed with"),
        (["status", *L1, *L2, *PORTAL, "--tx", TX, "--index", "-1"], "from 0 to"),
    ],
)
def test_bad_usage_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["bridge", *arguments])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_key_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*L1, *PORTAL, "--amount", "1", "--key-file", "/nowhere/key"]
    assert run(["bridge", "deposit", *arguments]) == 2
    assert capsys.readouterr().err == "openrollup: /nowhere/key: no such key file\n"


def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bridge", "status", *L1, *L2, *PORTAL, "--tx", TX]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("openrollup: --l1: http://127.0.0.1:1: Cannot connect")
    assert line.endswith("is a node running there?")

"""The guide's commands, word for word."""

import re
import shlex
from pathlib import Path

import pytest

from openrollup.cli import run
from openrollup.testing import Devnet

GUIDE = (Path(__file__).parents[3] / "docs/attribution.md").read_text()


def commands() -> list[str]:
    text = GUIDE.replace("\\\n", " ")
    return [line.partition("#")[0] for line in text.splitlines() if line.startswith("att ")]


@pytest.mark.devnet(automine=True, block_time=1)
def test_the_commands_of_the_guide(
    devnet: Devnet,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ("owner", "gateway", "payer")
    for name, account in zip(names, devnet.accounts, strict=False):
        Path(name).write_text(account.key.hex())
    (records,) = re.findall(r"```json\n(\[.*?)```", GUIDE, re.DOTALL)
    Path("records.json").write_text(records)
    for name in ("notes.txt", "model.bin"):
        Path(name).write_text(name)
    values = {"GATEWAY": devnet.accounts[1].address, "RUN": "0x" + "22" * 32}
    assert len(commands()) == 9
    for command in commands():
        words = [values[word[1:]] if word[0] == "$" else word for word in shlex.split(command)]
        if "--wait" in words:  # for L1, which stands still here
            words.remove("--wait")
        code = run(["attribution", *words[1:], "--rpc", devnet.l2.url])
        said = capsys.readouterr()
        assert code == 0, said.err
        if words[1:3] == ["dataset", "register"]:
            devnet.derive()
        if words[1:3] == ["model", "register"]:
            values["MODEL"] = said.out.split()[1]
    assert "paid          0.001 OPEN" in said.out

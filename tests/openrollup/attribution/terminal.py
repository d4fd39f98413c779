"""Somebody at a terminal, beside a rollup."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from openrollup.cli import run
from openrollup.testing import Devnet


@dataclass(frozen=True, slots=True)
class Terminal:
    """`openrollup attribution` with the keys of the network's accounts."""

    devnet: Devnet
    folder: Path
    output: pytest.CaptureFixture[str]

    def address(self, who: int) -> str:
        return self.devnet.accounts[who].address

    def file(self, name: str, content: Any) -> str:
        path = self.folder / name
        path.write_text(json.dumps(content))
        return str(path)

    def run(self, who: int | None, command: str, *arguments: object) -> tuple[int, str, str]:
        """Return exit code, standard output and standard error of a command."""
        words = [*command.split(), *map(str, arguments), "--rpc", self.devnet.l2.url]
        if who is not None:
            path = self.folder / f"key-{who}"
            path.write_text(self.devnet.accounts[who].key.hex())
            words += ["--key-file", str(path)]
        try:
            code = run(["attribution", *words])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 2
        said = self.output.readouterr()
        return code, said.out, said.err

    def done(self, who: int | None, command: str, *arguments: object) -> Any:
        """Run a command that succeeds, and return its object."""
        code, out, err = self.run(who, command, *arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    def lines(self, who: int | None, command: str, *arguments: object) -> list[str]:
        """Run a command that succeeds, and return its lines."""
        code, out, err = self.run(who, command, *arguments)
        assert code == 0, err
        return out.splitlines()

    def refusal(self, who: int | None, command: str, *arguments: object) -> tuple[int, str]:
        """Run a command that fails; return its exit code and its last line, which says why."""
        code, out, err = self.run(who, command, *arguments)
        assert out == ""
        last = err.splitlines()[-1]
        assert last.startswith("openrollup: ")
        return code, last.removeprefix("openrollup: ")

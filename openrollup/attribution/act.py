"""What a command of attribution is: an operation, carried out at a node, and what it shows."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openrollup.arguments import ArgumentParser, file_path
from openrollup.attribution.node_option import add_node
from openrollup.command import add_command

if TYPE_CHECKING:
    from attribution.client.exchange import Operation, Party
    from openrollup.command import Commands


@dataclass(frozen=True, slots=True)
class Shown:
    """What a command says at its end: as one object of JSON, and in lines for people."""

    result: dict[str, object]
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants it, with which arguments; `key` is the account's, to sign vouchers with."""

    party: "Party"
    key: bytes | None
    options: argparse.Namespace


Act = Callable[[Request], "Operation[Shown]"]


def add_act(
    commands: "Commands", name: str, place: str, description: str, *, with_key: bool
) -> ArgumentParser:
    """Add a command whose act is at `place`, such as registry_acts.register_dataset.

    It is imported only when it runs. `with_key`: it sends or signs.
    """
    command = add_command(commands, name, lambda options: _run(place, options), description)
    add_node(command)
    if with_key:
        command.add_argument(
            "--key-file", type=file_path, required=True, help="the key of the account that acts"
        )
    return command


async def run_act(act: Act, options: argparse.Namespace, clock: Any = None) -> int:
    """Carry an act out at the node that the options name, and show what came of it."""
    from node.clock import SystemClock
    from openrollup.attribution.remote import open_remote
    from openrollup.bridge.result import show
    from openrollup.datadir import read_key

    path: Path | None = getattr(options, "key_file", None)
    key = None if path is None else read_key(path)
    async with open_remote(options.l2_url, key, clock or SystemClock()) as remote:
        shown = await remote.carry_out(act(Request(remote.party, key, options)))
    show(shown.result, shown.lines, json=options.json)
    return 0


def act_at(place: str) -> Act:
    """Return the act at a place."""
    module, _, name = place.partition(".")
    act: Act = getattr(import_module(f"openrollup.attribution.{module}"), name)
    return act


def _run(place: str, options: argparse.Namespace) -> int:
    from openrollup.run import run_command

    return run_command(run_act(act_at(place), options), code_when_stopped=1)

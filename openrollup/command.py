"""How a command is made, and how its options are read."""

import argparse
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

from openrollup.arguments import ArgumentParser

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[ArgumentParser]

_Options = TypeVar("_Options")


def add_command(
    commands: "Commands",
    name: str,
    run: Callable[[argparse.Namespace], int],
    description: str,
    *,
    is_endless: bool = False,
) -> ArgumentParser:
    """Add a command. Once parsed it has `run`, `json`, `verbose` and `is_endless`."""
    command = commands.add_parser(name, help=description, description=description)
    command.add_argument("--json", action="store_true", help="logs and results as JSON")
    # `dev` has its status line and hides the rest unless it is asked; all others tell.
    command.set_defaults(run=run, is_endless=is_endless, verbose=True)
    return command


def options_of(kind: type[_Options], arguments: argparse.Namespace) -> _Options:
    """Return a command's options; those that it does not take keep their defaults."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in vars(arguments).items() if name in names})

"""The program: how the outcome of a command becomes an exit code.

0: done; 1: the work failed; 2: bad usage or configuration. One line on standard error says what
was wrong and what to do.
"""

import logging
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from node.errors import ConfigError, InterpretersDiffer, NodeError
from openrollup.arguments import ArgumentParser, ShowVersion
from openrollup.collector import tune_collector
from openrollup.commands import add_commands
from openrollup.logging import configure_logging

# What the operating system refuses because of a path that was given.
_WRONG_PATH = (PermissionError, FileNotFoundError, NotADirectoryError, IsADirectoryError)


def main() -> NoReturn:
    """Run the command that the program was started with, and end the process."""
    signal.signal(signal.SIGTERM, _interrupt)
    tune_collector()
    try:
        code = run(sys.argv[1:])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 2
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_standard_output()
    sys.stderr.flush()
    # At once: the interpreter would wait for threads that read, whose answers nobody will see, and
    # would take itself for killed if a signal came during certain imports.
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. SystemExit for what argparse answers itself."""
    options = _parser().parse_args(arguments)
    is_telling = options.json or options.verbose
    configure_logging(json=options.json, level=logging.INFO if is_telling else logging.WARNING)
    try:
        code: int = options.run(options)
    except BrokenPipeError:  # whoever read our output has seen enough
        _forget_standard_output()
        return 1
    except ConfigError as error:
        return _fail(2, str(error))
    except InterpretersDiffer as error:
        sys.stderr.write(error.trace + "\n")
        return _fail(1, str(error))
    except NodeError as error:
        return _fail(1, str(error))
    except OSError as error:
        place = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        reason = error.strerror or str(error)
        return _fail(2 if isinstance(error, _WRONG_PATH) else 1, place + reason)
    except KeyboardInterrupt:
        return 0 if options.is_endless else _fail(1, "stopped before the end")
    return code


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="openrollup", description="An OP Stack rollup node in Python.")
    parser.add_argument("--version", action=ShowVersion, nargs=0, help="show the version and end")
    add_commands(parser)
    return parser


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _fail(code: int, reason: str) -> int:
    sys.stderr.write(f"openrollup: {' '.join(reason.split())}\n")
    return code


def _forget_standard_output() -> None:
    """Let what is still buffered go nowhere: the interpreter flushes once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)

"""The commands about outputs on L1: `openrollup proposer` and `openrollup challenge`."""

import argparse
from typing import TYPE_CHECKING

from openrollup.arguments import ArgumentParser, at_least, file_path, url
from openrollup.command import add_command, options_of

if TYPE_CHECKING:
    from openrollup.command import Commands


def add_proposer(commands: "Commands") -> None:
    """Add `proposer`."""
    description = "outputs onto L1, from a verifier that runs elsewhere"
    command = add_command(commands, "proposer", _run_proposer, description, is_endless=True)
    _add_sources(command)
    add = command.add_argument
    add("--key-file", type=file_path, required=True, help="the key of the oracle's proposer")
    add(
        "--allow-non-finalized",
        action="store_true",
        help="propose safe blocks, before L1 has finalized what they came from",
    )


def add_challenge(commands: "Commands") -> None:
    """Add `challenge`."""
    description = "compare the outputs on L1 with a verifier's, delete the wrong ones"
    command = add_command(commands, "challenge", _run_challenge, description)
    _add_sources(command)
    add = command.add_argument
    add(
        "--key-file",
        type=file_path,
        help="the key of the oracle's challenger (else: tell only, delete nothing)",
    )
    add("--watch", action="store_true", help="go on with outputs to come")
    add(
        "--allow-non-finalized",
        action="store_true",
        help="judge outputs of safe blocks, before L1 has finalized what they came from",
    )


def _add_sources(command: ArgumentParser) -> None:
    add = command.add_argument
    add("--rollup", type=file_path, required=True, help="rollup.json")
    add("--l1", dest="l1_url", type=url, metavar="URL", required=True)
    add("--l2", dest="l2_url", type=url, metavar="URL", required=True, help="a verifier of yours")
    add(
        "--l1-rate-limit",
        type=at_least(1),
        metavar="N",
        help="ask --l1 no more than N times a second",
    )


def _run_proposer(arguments: argparse.Namespace) -> int:
    from openrollup.proposer import ProposerOptions, run_proposer
    from openrollup.run import run_command

    return run_command(run_proposer(options_of(ProposerOptions, arguments)), code_when_stopped=0)


def _run_challenge(arguments: argparse.Namespace) -> int:
    from openrollup.challenge import ChallengeOptions, run_challenge
    from openrollup.run import run_command

    arguments.is_endless = arguments.watch
    options = options_of(ChallengeOptions, arguments)
    return run_command(run_challenge(options), code_when_stopped=0 if options.watch else 1)

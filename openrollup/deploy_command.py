"""What `openrollup deploy` takes."""

import argparse
from typing import TYPE_CHECKING

from openrollup.arguments import ArgumentParser, at_least, file_path, seconds, url
from openrollup.bridge.arguments import address, amount
from openrollup.command import add_command, options_of

if TYPE_CHECKING:
    from node.types.primitives import Address
    from openrollup.command import Commands

_DEFAULT_FUND = 10_000 * 10**18


def add_deploy(commands: "Commands") -> ArgumentParser:
    """Add the command, and return it for what it shares with others."""
    description = "the L1 contracts onto any L1; run again, it goes on where it was interrupted"
    command = add_command(commands, "deploy", _run, description)
    add = command.add_argument
    add("--l1", dest="l1_url", type=url, metavar="URL", required=True)
    add(
        "--key-file",
        type=file_path,
        required=True,
        help="the key that pays and gets the supply of OPEN; it has all roles not given to others",
    )
    add("--out", type=file_path, required=True, help="where the files go")
    add("--block-time", dest="block_time_s", type=seconds, default=1, help="of L2 (default 1 s)")
    add("--gas-limit", type=at_least(1), default=30_000_000, help="of an L2 block")
    add("--chain-id", dest="l2_chain_id", type=at_least(1), default=901, help="of L2 (default 901)")
    for role, does in (
        ("owner", "changes the system config, pauses the bridge, collects fees"),
        ("batcher", "posts blocks"),
        ("proposer", "proposes outputs"),
        ("challenger", "deletes wrong outputs (default: the owner)"),
    ):
        add(f"--{role}", type=address, metavar="ADDRESS", help=does)
    add(
        "--fund",
        action="append",
        type=fund,
        default=[],
        metavar="ADDRESS[=OPEN]",
        help="an account of L2 that starts with OPEN (default 10,000), locked on L1; repeatable",
    )
    add(
        "--submission-interval",
        type=at_least(1),
        metavar="N",
        help="L2 blocks between outputs (default 1800; 10 on development chains)",
    )
    add(
        "--finalization-period",
        dest="finalization_period_s",
        type=at_least(1),
        metavar="S",
        help="seconds until an output is final (default a week; 10 on development chains)",
    )
    return command


def fund(text: str) -> "tuple[Address, int]":
    """Read an account of L2 and what it starts with, in units of 10**-18 OPEN."""
    account, _, given = text.partition("=")
    return address(account), amount(given) if "=" in text else _DEFAULT_FUND


def _run(arguments: argparse.Namespace) -> int:
    from openrollup.deploy import DeployOptions, run_deploy
    from openrollup.run import run_command

    arguments.fund = tuple(arguments.fund)
    return run_command(run_deploy(options_of(DeployOptions, arguments)), code_when_stopped=1)

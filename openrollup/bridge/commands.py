"""The commands of `openrollup bridge`: what each takes."""

import argparse
from typing import TYPE_CHECKING

from openrollup.arguments import ArgumentParser, at_least, file_path, url
from openrollup.bridge.arguments import address, amount, gas, hex_data, transaction_hash
from openrollup.command import add_command, options_of

if TYPE_CHECKING:
    from openrollup.command import Commands

# As the message passer itself gives a plain transfer; the call on L1 need not use it.
_DEFAULT_L1_GAS = 100_000


def add_bridge(commands: "Commands") -> None:
    """Let the program take `bridge`, and `bridge` its steps."""
    description = "OPEN from L1 to L2 and back, step by step"
    bridge = commands.add_parser("bridge", help=description, description=description)
    steps = bridge.add_subparsers(required=True, metavar="STEP")
    _add_deposit(steps)
    _add_withdraw(steps)
    _add_prove(steps)
    _add_finalize(steps)
    _add_status(steps)


def _add_deposit(steps: "Commands") -> None:
    step = add_command(steps, "deposit", _run_deposit, "lock OPEN on L1, to have it on L2")
    _add_l1(step)
    step.add_argument(
        "--l2", dest="l2_url", type=url, metavar="URL", help="wait until it is there (else: do not)"
    )
    _add_transfer(step, "L2", "the same address")
    step.add_argument(
        "--gas-limit", type=gas, metavar="N", help="gas on L2 (default 121,000, more for data)"
    )


def _add_withdraw(steps: "Commands") -> None:
    step = add_command(steps, "withdraw", _run_withdraw, "begin to take OPEN from L2 to L1")
    _add_l2(step)
    _add_transfer(step, "L1", "the same address")
    step.add_argument(
        "--gas-limit",
        type=gas,
        default=_DEFAULT_L1_GAS,
        metavar="N",
        help="least gas of the call on L1 (default 100,000)",
    )


def _add_prove(steps: "Commands") -> None:
    step = add_command(steps, "prove", _run_prove, "show L1 that L2 holds the withdrawal")
    _add_withdrawal(step)
    _add_payer(step)


def _add_finalize(steps: "Commands") -> None:
    step = add_command(steps, "finalize", _run_finalize, "have a proven withdrawal paid out on L1")
    _add_withdrawal(step)
    _add_payer(step)


def _add_status(steps: "Commands") -> None:
    description = "how far a withdrawal (or a deposit, by its L1 transaction) is"
    _add_withdrawal(add_command(steps, "status", _run_status, description))


def _add_l1(step: ArgumentParser) -> None:
    step.add_argument("--l1", dest="l1_url", type=url, metavar="URL", required=True)
    contracts = step.add_mutually_exclusive_group(required=True)
    contracts.add_argument(
        "--addresses", type=file_path, metavar="FILE", help="addresses.json of the deployment"
    )
    contracts.add_argument(
        "--portal", type=address, metavar="ADDRESS", help="the OptimismPortal on L1"
    )


def _add_l2(step: ArgumentParser) -> None:
    step.add_argument("--l2", dest="l2_url", type=url, metavar="URL", required=True)


def _add_transfer(step: ArgumentParser, layer: str, default: str) -> None:
    add = step.add_argument
    add("--key-file", type=file_path, required=True, help="the key that owns the OPEN, and pays")
    add("--amount", type=amount, required=True, help="OPEN, such as 1.5")
    add("--to", type=address, metavar="ADDRESS", help=f"who gets it on {layer} (default {default})")
    add("--data", type=hex_data, default=b"", metavar="0x...", help=f"calldata for it on {layer}")


def _add_withdrawal(step: ArgumentParser) -> None:
    _add_l1(step)
    _add_l2(step)
    add = step.add_argument
    add(
        "--tx",
        type=transaction_hash,
        metavar="HASH",
        required=True,
        help="what began the withdrawal on L2",
    )
    add("--index", type=at_least(0), metavar="N", help="which, if that has several (from 0)")


def _add_payer(step: ArgumentParser) -> None:
    step.add_argument("--key-file", type=file_path, required=True, help="the key that pays on L1")
    step.add_argument("--wait", action="store_true", help="if it is too early: wait")


def _run_deposit(arguments: argparse.Namespace) -> int:
    from openrollup.bridge.deposit import DepositOptions, run_deposit
    from openrollup.run import run_command

    return run_command(run_deposit(options_of(DepositOptions, arguments)), code_when_stopped=1)


def _run_withdraw(arguments: argparse.Namespace) -> int:
    from openrollup.bridge.withdraw import WithdrawOptions, run_withdraw
    from openrollup.run import run_command

    return run_command(run_withdraw(options_of(WithdrawOptions, arguments)), code_when_stopped=1)


def _run_prove(arguments: argparse.Namespace) -> int:
    from openrollup.bridge.prove import run_prove
    from openrollup.bridge.step import StepOptions
    from openrollup.run import run_command

    return run_command(run_prove(options_of(StepOptions, arguments)), code_when_stopped=1)


def _run_finalize(arguments: argparse.Namespace) -> int:
    from openrollup.bridge.finalize import run_finalize
    from openrollup.bridge.step import StepOptions
    from openrollup.run import run_command

    return run_command(run_finalize(options_of(StepOptions, arguments)), code_when_stopped=1)


def _run_status(arguments: argparse.Namespace) -> int:
    from openrollup.bridge.status import run_status
    from openrollup.bridge.step import StepOptions
    from openrollup.run import run_command

    return run_command(run_status(options_of(StepOptions, arguments)), code_when_stopped=1)

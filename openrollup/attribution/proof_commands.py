"""`openrollup attribution prove` and `verify`: what they take."""

import argparse
from typing import TYPE_CHECKING

from node.types.primitives import UINT64_MAX
from openrollup.arguments import file_path, url
from openrollup.attribution.node_option import add_node
from openrollup.bridge.arguments import address
from openrollup.command import add_command, options_of

if TYPE_CHECKING:
    from openrollup.command import Commands


def add_prove(steps: "Commands") -> None:
    """Add `prove`."""
    step = add_command(steps, "prove", _run_prove, "have a node prove a receipt against L1")
    add_node(step)
    add = step.add_argument
    add("--logger", type=address, metavar="ADDRESS", required=True, help="who wrote the receipt")
    add("--stream", type=_uint64, metavar="N", required=True, help="its stream (0x... or decimal)")
    add("--seq", type=_uint64, metavar="K", required=True, help="its number there, from 0")
    add("--wait", action="store_true", help="if L1 has no output of it yet: wait")
    add("--out", type=file_path, metavar="FILE", help="where the proof goes (else: printed)")


def add_verify(steps: "Commands") -> None:
    """Add `verify`."""
    step = add_command(steps, "verify", _run_verify, "check a receipt's proof by nothing but L1")
    add = step.add_argument
    add("proof", type=file_path, metavar="proof.json")
    add("--l1", dest="l1_url", type=url, metavar="URL", required=True, help="the L1 you believe")
    add(
        "--oracle",
        type=address,
        metavar="ADDRESS",
        help="the L2OutputOracle you trust (else: the one that the proof names)",
    )
    add(
        "--preimage",
        type=file_path,
        metavar="FILE",
        help="what receipts commit to, as JSON: find this one's, and show it",
    )


def _uint64(text: str) -> int:
    digits = text.removeprefix("0x")
    try:
        number = int(digits, 10 if digits == text else 16) if digits.isalnum() else -1
    except ValueError:
        number = -1
    if not (text.isascii() and 0 <= number <= UINT64_MAX):
        raise argparse.ArgumentTypeError(f"expected a number of 64 bits, got {text!r:.80}")
    return number


def _run_prove(arguments: argparse.Namespace) -> int:
    from openrollup.attribution.prove import ProveOptions, run_prove
    from openrollup.run import run_command

    return run_command(run_prove(options_of(ProveOptions, arguments)), code_when_stopped=1)


def _run_verify(arguments: argparse.Namespace) -> int:
    from openrollup.attribution.verify import VerifyOptions, run_verify
    from openrollup.run import run_command

    return run_command(run_verify(options_of(VerifyOptions, arguments)), code_when_stopped=1)

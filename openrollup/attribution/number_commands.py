"""`openrollup attribution stats` and `economics`: what they take."""

import argparse
from typing import TYPE_CHECKING

from openrollup.arguments import at_least
from openrollup.attribution.arguments import digest
from openrollup.attribution.node_option import add_node
from openrollup.command import add_command, options_of

if TYPE_CHECKING:
    from openrollup.command import Commands


def add_stats(steps: "Commands") -> None:
    """Add `stats`."""
    step = add_command(steps, "stats", _run_stats, "the numbers of a model or a dataset")
    add_node(step)
    which = step.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", type=_model_key, metavar="KEY", help="the model's key")
    which.add_argument("--dataset", type=at_least(1), metavar="ID", help="the dataset's number")


def add_economics(steps: "Commands") -> None:
    """Add `economics`."""
    description = "whether a model pays for its attribution, at today's fees and at others"
    step = add_command(steps, "economics", _run_economics, description)
    add_node(step)
    add = step.add_argument
    add("--price", type=_dollars, metavar="USD", default="0.01", help="of a query (default 0.01)")
    add("--queries", type=at_least(1), metavar="N", default=50, help="a month (default 50)")
    add("--payers", type=at_least(1), metavar="N", default=10, help="of them (default 10)")
    add("--payees", type=at_least(1), metavar="N", default=4, help="owner, datasets (default 4)")
    add("--settlements", type=at_least(1), metavar="N", default=1, help="a month (default 1)")
    add(
        "--open-usd",
        type=_dollars,
        nargs="+",
        metavar="USD",
        default=["1"],
        help="what an OPEN is worth, or a lower and an upper value (default 1)",
    )
    worth = "what an ETH is worth (default: an OPEN; 3000 at other prices than today's)"
    add("--eth-usd", type=_dollars, metavar="USD", help=worth)


def _model_key(text: str) -> str:
    return "0x" + digest(text).hex()


def _dollars(text: str) -> str:
    from node.errors import DecodingError
    from rpc.paging import dollars

    try:
        dollars(text)
    except DecodingError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _run_stats(arguments: argparse.Namespace) -> int:
    from openrollup.attribution.stats import StatsOptions, run_stats
    from openrollup.run import run_command

    return run_command(run_stats(options_of(StatsOptions, arguments)), code_when_stopped=1)


def _run_economics(arguments: argparse.Namespace) -> int:
    from openrollup.attribution.economics import EconomicsOptions, run_economics
    from openrollup.run import run_command

    return run_command(run_economics(options_of(EconomicsOptions, arguments)), code_when_stopped=1)

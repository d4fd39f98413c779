"""Which node a command of attribution asks."""

from openrollup.arguments import ArgumentParser, url

DEFAULT_RPC = "http://127.0.0.1:9545"


def add_node(command: ArgumentParser) -> None:
    """Let a command take the URL of a rollup's node, as `l2_url`."""
    command.add_argument(
        "--rpc",
        "--l2",
        dest="l2_url",
        type=url,
        metavar="URL",
        default=DEFAULT_RPC,
        help=f"a node of the rollup (default {DEFAULT_RPC}, that of openrollup dev)",
    )

"""Options that several commands take."""

from openrollup.arguments import (
    ArgumentParser,
    at_least,
    batch_type,
    data_availability,
    file_path,
    interpreter,
    kept_blocks,
    url,
)


def add_attribution(command: ArgumentParser) -> None:
    """Let a command leave the attribution lane out."""
    command.add_argument(
        "--no-attribution",
        dest="attribution",
        action="store_false",
        help="a chain of the OP Stack's rules alone, without the receipt precompile and its lane",
    )


def add_l1_chain(command: ArgumentParser) -> None:
    """Let a command take L1's chain config."""
    command.add_argument(
        "--l1-chain",
        type=file_path,
        help="L1's chain config with its blobSchedule (default: known for Ethereum and Sepolia; "
        "any other L1 is taken to be at Prague)",
    )


def add_l1_access(command: ArgumentParser) -> None:
    """Let a command say how it uses L1."""
    command.add_argument(
        "--l1-beacon",
        dest="l1_beacon_url",
        type=url,
        metavar="URL",
        help="a beacon node, for blobs (default: --l1's own URL, where Anvil serves them)",
    )
    command.add_argument(
        "--l1-trust-rpc",
        action="store_true",
        help="believe --l1 what a block holds, rather than recompute its roots",
    )
    command.add_argument(
        "--l1-rate-limit",
        type=at_least(1),
        metavar="N",
        help="ask --l1 no more than N times a second",
    )


def add_history(
    command: ArgumentParser, text: str = "blocks kept with their states: full, or the newest N"
) -> None:
    """Let a command say how many blocks it keeps with their states."""
    command.add_argument(
        "--history",
        dest="kept_blocks",
        type=kept_blocks,
        metavar="{full,N}",
        help=f"{text} and all since the finalized (default full)",
    )


def add_data_limits(command: ArgumentParser) -> None:
    """Let a command say what goes to L1, and how."""
    command.add_argument(
        "--max-da-bytes",
        type=at_least(1),
        default=1_000_000,
        help="transactions of an L2 block, in bytes (default 1,000,000)",
    )
    command.add_argument(
        "--da",
        type=data_availability,
        metavar="{calldata,blobs}",
        default="calldata",
        help="where on L1 the batcher puts its data (default calldata)",
    )
    command.add_argument(
        "--batch-type",
        type=batch_type,
        metavar="{span,singular}",
        default="span",
        help="how blocks are written into it (default span)",
    )


def add_evm(command: ArgumentParser) -> None:
    """Let a command choose the interpreter."""
    command.add_argument(
        "--evm",
        type=interpreter,
        metavar="{fast,reference,both}",
        default="fast",
        help="what runs code (default fast); with both, each message runs twice, and a difference "
        "ends the program with the step in which they differ",
    )

"""How arguments are read: values with bounds, and errors of one line."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from consensus.batcher.channel_builder import BatchType
    from consensus.batcher.data_availability import DataAvailability
    from node.evm.rules import Interpreter

_LONGEST_BLOCK_TIME_S = 3600
# What answers about recent blocks rely on: fee suggestions, filters between two polls, wallets.
LEAST_KEPT_BLOCKS = 64


class ArgumentParser(argparse.ArgumentParser):
    """Says what is wrong in one line, and takes no abbreviations."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"openrollup: {' '.join(message.split())} (see {self.prog} --help)\n")


class ShowVersion(argparse.Action):
    """--version. Looked up when asked for: it takes longer than all the rest of --help."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from openrollup.version import CLIENT_VERSION

        sys.stdout.write(CLIENT_VERSION + "\n")
        parser.exit()


def seconds(text: str) -> int:
    """Read a block time."""
    return _whole_number(text, "whole seconds", 1, _LONGEST_BLOCK_TIME_S)


def port(text: str) -> int:
    """Read a TCP port; 0 lets the system choose."""
    return _whole_number(text, "a port", 0, 65535)


def interpreter(text: str) -> "Interpreter":
    """Read what is to run the EVM's code: fast, reference or both."""
    from node.evm.rules import Interpreter  # a command that needs it loads the EVM anyway

    try:
        return Interpreter(text)
    except ValueError:
        expected = "fast, reference or both"
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r:.80}") from None


def data_availability(text: str) -> "DataAvailability":
    """Read where on L1 the batcher puts its data: calldata or blobs."""
    from consensus.batcher.data_availability import DataAvailability

    try:
        return DataAvailability(text)
    except ValueError:
        message = f"expected calldata or blobs, got {text!r:.80}"
        raise argparse.ArgumentTypeError(message) from None


def batch_type(text: str) -> "BatchType":
    """Read how the batcher writes blocks: span or singular batches."""
    from consensus.batcher.channel_builder import BatchType

    try:
        return BatchType(text)
    except ValueError:
        message = f"expected span or singular, got {text!r:.80}"
        raise argparse.ArgumentTypeError(message) from None


def kept_blocks(text: str) -> int | None:
    """Read how many of the newest blocks a node keeps; None for all of them."""
    if text == "full":
        return None
    try:
        return _whole_number(text, "blocks", LEAST_KEPT_BLOCKS, 2**63 - 1)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"expected full or a number of blocks from {LEAST_KEPT_BLOCKS} on, got {text!r:.80}"
        ) from None


def at_least(least: int) -> Callable[[str], int]:
    """Return the reader of a number from `least` to what 63 bits hold."""
    return lambda text: _whole_number(text, "a whole number", least, 2**63 - 1)


def file_path(text: str) -> Path:
    """Read the path of a file or folder."""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError("expected a path, got nothing")
    return Path(text)


def url(text: str) -> str:
    """Read where a JSON-RPC server is."""
    wrong = argparse.ArgumentTypeError(f"expected http://HOST:PORT or https://HOST, got {text!r}")
    try:
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise wrong
    except ValueError:
        raise wrong from None
    return text


def _whole_number(text: str, what: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal()) or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"expected {what} from {least} to {most}, got {text!r}")
    return int(text)

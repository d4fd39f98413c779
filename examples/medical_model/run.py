"""A model whose answers pay for what it was made from: the whole story on a rollup.

python run.py                       # on a rollup of its own, in memory
python run.py --rpc URL --l1 URL    # on one that runs, a development chain
"""

import argparse
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from eth_account import Account
from medical.node import Node, NodeFailed, own_node
from medical.proving import CommandFailed
from medical.story import tell
from web3.exceptions import Web3Exception

from node.errors import NodeError

# The first of the accounts that `openrollup dev` prints; everybody knows its key.
_DEV_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


def main() -> int:
    """Tell the story; 1 if it fails."""
    options = _parse()
    started = time.monotonic()
    given = Node(options.rpc, options.l1, options.key) if options.rpc else None
    try:
        with nullcontext(given) if given else own_node() as node, _folder(options.out) as out:
            tell(node, Path(out))
    except (NodeFailed, CommandFailed, NodeError, Web3Exception, OSError) as error:
        print(f"\n{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"\nAll of this took {time.monotonic() - started:.0f} seconds.")
    return 0


def _folder(kept: Path | None) -> AbstractContextManager[str | Path]:
    if kept is None:
        return TemporaryDirectory()
    kept.mkdir(parents=True, exist_ok=True)
    return nullcontext(kept)


def _key(text: str) -> str:
    try:
        Account.from_key(text)
    except ValueError:
        raise argparse.ArgumentTypeError("expected 32 bytes of hexadecimal") from None
    return text


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="a model that pays for what it was made from")
    parser.add_argument("--rpc", metavar="URL", help="an L2 node (default: start one)")
    parser.add_argument("--l1", metavar="URL", help="its L1, beside --rpc")
    parser.add_argument(
        "--key", type=_key, default=_DEV_KEY, help="an account with 100 OPEN, beside --rpc"
    )
    parser.add_argument("--out", type=Path, help="a folder that keeps the proof and its preimage")
    options = parser.parse_args()
    if (options.rpc is None) != (options.l1 is None):
        parser.error("--rpc and --l1 go together")
    return options


if __name__ == "__main__":
    sys.exit(main())

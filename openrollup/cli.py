"""The command line: what each command takes, and how its outcome becomes an exit code.

0: done; 1: the work failed; 2: bad usage or configuration. One line on standard error says what
was wrong and what to do.
"""

import argparse
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from node.errors import ConfigError, NodeError
from openrollup.logging import configure_logging


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    configure_logging(json=options.json)
    try:
        code: int = options.run(options)
    except ConfigError as error:
        return _fail(2, error)
    except NodeError as error:
        return _fail(1, error)
    except KeyboardInterrupt:
        return 0
    return code


def _fail(code: int, error: Exception) -> int:
    sys.stderr.write(f"openrollup: {error}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="openrollup", description="An OP Stack rollup node in Python."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_dev(commands)
    _add_l1(commands)
    _add_deploy(commands)
    _add_sequencer(commands)
    _add_verifier(commands)
    _add_replay(commands)
    _add_export(commands)
    _add_import(commands)
    return parser


if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_Run = Callable[[argparse.Namespace], int]


def _command(
    commands: "_Commands", name: str, run: _Run, description: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=description, description=description)
    command.add_argument("--json", action="store_true", help="logs and results as JSON")
    command.set_defaults(run=run)
    return command


def _add_dev(commands: "_Commands") -> None:
    command = _command(commands, "dev", _run_dev, "the whole rollup on this machine")
    command.add_argument("--datadir", type=Path, help="keep the chains here (else: in memory)")
    command.add_argument("--out", type=Path, help="where the configuration files go")
    command.add_argument("--l1", metavar="URL", help="an outside L1 (else: an embedded one)")
    command.add_argument("--key-file", type=Path, help="the key that pays on an outside L1")
    command.add_argument("--block-time", type=_seconds, default=1, help="of L2, in seconds")
    command.add_argument("--l1-block-time", type=_seconds, default=3, help="of the embedded L1")
    command.add_argument("--automine", action="store_true", help="an L2 block for each transaction")
    command.add_argument("--gas-limit", type=int, default=30_000_000, help="of an L2 block")
    command.add_argument("--max-da-bytes", type=int, default=1_000_000, help="of an L2 block")
    command.add_argument("--da", choices=["calldata"], default="calldata", help="where data goes")
    command.add_argument("--l1-port", type=_port, default=8545)
    command.add_argument("--port", type=_port, default=9545, help="of the sequencer's JSON-RPC")
    command.add_argument("--verifier-port", type=_port, default=9546)


def _add_l1(commands: "_Commands") -> None:
    command = _command(commands, "l1", _run_l1, "a chain under Ethereum rules alone")
    command.add_argument("--genesis", type=Path, help="a geth-format genesis (else: chain 900)")
    command.add_argument("--import", dest="blocks", type=Path, help="blocks as concatenated RLP")
    command.add_argument("--datadir", type=Path, help="keep the chain here (else: in memory)")
    command.add_argument("--port", type=_port, default=8545)
    command.add_argument(
        "--block-time",
        type=_seconds,
        help="produce blocks at this interval (default 3; none on a genesis of your own)",
    )


def _add_deploy(commands: "_Commands") -> None:
    command = _command(commands, "deploy", _run_deploy, "the L1 contracts onto any L1")
    command.add_argument("--l1", metavar="URL", required=True)
    command.add_argument("--key-file", type=Path, required=True, help="the key that pays and owns")
    command.add_argument("--out", type=Path, required=True, help="where the files go")
    command.add_argument("--block-time", type=_seconds, default=1, help="of L2, in seconds")
    command.add_argument("--gas-limit", type=int, default=30_000_000, help="of an L2 block")
    command.add_argument("--batcher", help="the batcher's address (default: a well-known dev key)")


def _add_sequencer(commands: "_Commands") -> None:
    command = _command(commands, "sequencer", _run_sequencer, "sequencer, batcher and JSON-RPC")
    _add_rollup_files(command)
    command.add_argument("--batcher-key-file", type=Path, required=True)
    command.add_argument("--max-da-bytes", type=int, default=1_000_000, help="of an L2 block")
    command.add_argument("--da", choices=["calldata"], default="calldata", help="where data goes")


def _add_verifier(commands: "_Commands") -> None:
    command = _command(commands, "verifier", _run_verifier, "follow the rollup from L1 alone")
    _add_rollup_files(command)
    command.add_argument("--sequencer", metavar="URL", help="where transactions are passed on to")


def _add_rollup_files(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rollup", type=Path, required=True, help="rollup.json")
    command.add_argument("--genesis", type=Path, required=True, help="genesis.json")
    command.add_argument("--l1-chain", type=Path, required=True, help="l1-chain.json")
    command.add_argument("--l1", metavar="URL", required=True)
    command.add_argument("--datadir", type=Path, required=True)
    command.add_argument("--port", type=_port, default=9545)


def _add_replay(commands: "_Commands") -> None:
    command = _command(commands, "replay", _run_replay, "re-execute blocks and compare everything")
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--datadir", type=Path, help="a stopped or running node's folder")
    source.add_argument("--file", type=Path, help="blocks as concatenated RLP, with --genesis")
    command.add_argument("--genesis", type=Path)
    command.add_argument("--from", dest="first", type=int, help="first block (default 1)")
    command.add_argument("--to", dest="last", type=int, help="last block (default the newest)")


def _add_export(commands: "_Commands") -> None:
    command = _command(commands, "export", _run_export, "blocks out, as concatenated RLP")
    command.add_argument("--datadir", type=Path, required=True)
    command.add_argument("--from", dest="first", type=int, help="first block (default 1)")
    command.add_argument("--to", dest="last", type=int, help="last block (default the newest)")
    command.add_argument("file", type=Path)


def _add_import(commands: "_Commands") -> None:
    command = _command(commands, "import", _run_import, "blocks in, each executed and checked")
    command.add_argument("--datadir", type=Path, required=True)
    command.add_argument("--genesis", type=Path, required=True)
    command.add_argument("file", type=Path)


def _seconds(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected whole seconds, at least 1, got {text!r}")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)


# The commands import what they run only when they run: `openrollup --help` stays instant.
def _run_dev(options: argparse.Namespace) -> int:
    from openrollup.dev import DevOptions, run_dev

    return _run(
        run_dev(
            DevOptions(
                datadir=options.datadir,
                out=options.out,
                l1_url=options.l1,
                key_file=options.key_file,
                block_time_s=options.block_time,
                l1_block_time_s=options.l1_block_time,
                automine=options.automine,
                gas_limit=options.gas_limit,
                max_da_bytes=options.max_da_bytes,
                l1_port=options.l1_port,
                port=options.port,
                verifier_port=options.verifier_port,
                json=options.json,
            )
        )
    )


def _run_l1(options: argparse.Namespace) -> int:
    from openrollup.l1 import L1Options, run_l1

    return _run(
        run_l1(
            L1Options(
                genesis=options.genesis,
                blocks=options.blocks,
                datadir=options.datadir,
                port=options.port,
                block_time_s=options.block_time,
                json=options.json,
            )
        )
    )


def _run_deploy(options: argparse.Namespace) -> int:
    from openrollup.deploy import DeployOptions, run_deploy

    return _run(
        run_deploy(
            DeployOptions(
                l1_url=options.l1,
                key_file=options.key_file,
                out=options.out,
                block_time_s=options.block_time,
                gas_limit=options.gas_limit,
                batcher=options.batcher,
            )
        )
    )


def _run_sequencer(options: argparse.Namespace) -> int:
    from openrollup.rollup import RollupOptions, run_rollup

    return _run(
        run_rollup(
            RollupOptions(
                rollup=options.rollup,
                genesis=options.genesis,
                l1_chain=options.l1_chain,
                l1_url=options.l1,
                datadir=options.datadir,
                port=options.port,
                batcher_key_file=options.batcher_key_file,
                max_da_bytes=options.max_da_bytes,
                json=options.json,
            )
        )
    )


def _run_verifier(options: argparse.Namespace) -> int:
    from openrollup.rollup import RollupOptions, run_rollup

    return _run(
        run_rollup(
            RollupOptions(
                rollup=options.rollup,
                genesis=options.genesis,
                l1_chain=options.l1_chain,
                l1_url=options.l1,
                datadir=options.datadir,
                port=options.port,
                sequencer_url=options.sequencer,
                json=options.json,
            )
        )
    )


def _run_replay(options: argparse.Namespace) -> int:
    from openrollup.replay import ReplayOptions, run_replay

    return run_replay(
        ReplayOptions(
            datadir=options.datadir,
            file=options.file,
            genesis=options.genesis,
            first=options.first,
            last=options.last,
            json=options.json,
        )
    )


def _run_export(options: argparse.Namespace) -> int:
    from openrollup.chain_files import run_export

    return run_export(options.datadir, options.file, options.first, options.last)


def _run_import(options: argparse.Namespace) -> int:
    from openrollup.chain_files import run_import

    return run_import(options.datadir, options.genesis, options.file)


def _run(command: Coroutine[Any, Any, int]) -> int:
    import uvloop

    return uvloop.run(command)

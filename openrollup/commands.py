"""The commands: what each takes. They import what they run only when they run, so that
`openrollup --help` is there at once.
"""

import argparse
from typing import TYPE_CHECKING

from openrollup.arguments import (
    ArgumentParser,
    at_least,
    file_path,
    port,
    seconds,
    url,
)
from openrollup.attribution.commands import add_attribution_commands
from openrollup.bridge.commands import add_bridge
from openrollup.command import add_command, options_of
from openrollup.deploy_command import add_deploy
from openrollup.output_commands import add_challenge, add_proposer
from openrollup.shared_options import (
    add_attribution,
    add_data_limits,
    add_evm,
    add_history,
    add_l1_access,
    add_l1_chain,
)

if TYPE_CHECKING:
    from openrollup.command import Commands


def add_commands(parser: ArgumentParser) -> None:
    """Let the parser take all commands."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_dev(commands)
    _add_l1(commands)
    _add_deploy(commands)
    _add_sequencer(commands)
    _add_verifier(commands)
    add_proposer(commands)
    add_challenge(commands)
    add_bridge(commands)
    add_attribution_commands(commands)
    _add_replay(commands)
    _add_export(commands)
    _add_import(commands)


def _add_dev(commands: "Commands") -> None:
    description = "the whole rollup on this machine"
    command = add_command(commands, "dev", _run_dev, description, is_endless=True)
    add = command.add_argument
    add("--datadir", type=file_path, help="keep the chains here (else: in memory)")
    add("--out", type=file_path, help="where the configuration files go")
    add(
        "--l1", dest="l1_url", type=url, metavar="URL", help="an outside L1 (else: an embedded one)"
    )
    add_l1_access(command)
    add_l1_chain(command)
    add("--key-file", type=file_path, help="the key that pays on an outside L1")
    add("--block-time", dest="block_time_s", type=seconds, help="of L2, in seconds (default 1)")
    add(
        "--l1-block-time",
        dest="l1_block_time_s",
        type=seconds,
        help="of the embedded L1, in seconds (default 3)",
    )
    add(
        "--l1-finalized-distance",
        type=at_least(1),
        default=4,
        metavar="N",
        help="blocks of the embedded L1 until one is final (default 4)",
    )
    add("--automine", action="store_true", help="an L2 block for each transaction")
    add(
        "--verbose",
        action="store_true",
        default=False,
        help="log all that happens, not only what needs a look",
    )
    add("--gas-limit", type=at_least(1), help="of an L2 block (default 30,000,000)")
    add_attribution(command)
    add_data_limits(command)
    add("--l1-port", type=port, help="of the embedded L1 (default 8545)")
    add("--port", type=port, default=9545, help="of the sequencer's JSON-RPC (default 9545)")
    add("--verifier-port", type=port, default=9546, help="of the verifier's (default 9546)")
    add_history(command, "blocks of L2 kept with their states: full, or the newest N")
    add_evm(command)


def _add_l1(commands: "Commands") -> None:
    description = "a chain under Ethereum rules alone"
    command = add_command(commands, "l1", _run_l1, description, is_endless=True)
    add = command.add_argument
    add("--genesis", type=file_path, help="a geth-format genesis (else: chain 900)")
    add("--import", dest="blocks", type=file_path, help="blocks as concatenated RLP")
    add("--datadir", type=file_path, help="keep the chain here (else: in memory)")
    add("--port", type=port, default=8545, help="of its JSON-RPC (default 8545)")
    add(
        "--block-time",
        dest="block_time_s",
        type=seconds,
        help="produce blocks at this interval (default 3; none on a genesis of your own)",
    )
    add_history(command)
    add_evm(command)


def _add_deploy(commands: "Commands") -> None:
    command = add_deploy(commands)
    add_l1_chain(command)
    add_attribution(command)


def _add_sequencer(commands: "Commands") -> None:
    description = "sequencer, batcher, proposer and JSON-RPC"
    command = add_command(commands, "sequencer", _run_rollup, description, is_endless=True)
    _add_rollup_files(command)
    command.add_argument("--batcher-key-file", type=file_path, required=True)
    command.add_argument(
        "--sequencer-stopped",
        action="store_true",
        help="build no block before admin_startSequencer says so",
    )
    add_data_limits(command)


def _add_verifier(commands: "Commands") -> None:
    description = "follow the rollup from L1 alone"
    command = add_command(commands, "verifier", _run_rollup, description, is_endless=True)
    _add_rollup_files(command)
    command.add_argument(
        "--sequencer",
        dest="sequencer_url",
        type=url,
        metavar="URL",
        help="where transactions are passed on to, and unsafe blocks come from",
    )


def _add_rollup_files(command: ArgumentParser) -> None:
    add = command.add_argument
    add("--rollup", type=file_path, required=True, help="rollup.json")
    add("--genesis", type=file_path, required=True, help="genesis.json")
    add("--l1-chain", type=file_path, required=True, help="l1-chain.json")
    add("--l1", dest="l1_url", type=url, metavar="URL", required=True)
    add_l1_access(command)
    add("--datadir", type=file_path, required=True)
    add_history(command)
    add(
        "--proposer-key-file",
        type=file_path,
        help="propose outputs with this key (default: propose none)",
    )
    add(
        "--proposer-allow-non-finalized",
        action="store_true",
        help="propose safe blocks, before L1 has finalized what they came from",
    )
    add("--port", type=port, default=9545, help="of its JSON-RPC (default 9545)")
    add("--rpc-enable-admin", action="store_true", help="serve the admin_ methods, to anybody")
    add_evm(command)


def _add_replay(commands: "Commands") -> None:
    command = add_command(
        commands, "replay", _run_replay, "re-execute blocks and compare everything"
    )
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--datadir", type=file_path, help="a stopped or running node's folder")
    source.add_argument(
        "--rpc", dest="rpc_url", type=url, metavar="URL", help="a running node, from genesis on"
    )
    source.add_argument("--file", type=file_path, help="blocks as concatenated RLP, with --genesis")
    command.add_argument(
        "--genesis",
        type=file_path,
        help="what the chain begins with: for --file, and for --rpc of a node that does not tell",
    )
    add_evm(command)
    _add_range(command)


def _add_export(commands: "Commands") -> None:
    command = add_command(commands, "export", _run_export, "blocks out, as concatenated RLP")
    command.add_argument("--datadir", type=file_path, required=True)
    _add_range(command)
    command.add_argument("file", type=file_path)


def _add_import(commands: "Commands") -> None:
    command = add_command(commands, "import", _run_import, "blocks in, each executed and checked")
    command.add_argument("--datadir", type=file_path, required=True)
    command.add_argument("--genesis", type=file_path, required=True)
    command.add_argument("file", type=file_path)


def _add_range(command: ArgumentParser) -> None:
    number = at_least(0)
    command.add_argument("--from", dest="first", type=number, help="first block (default 1)")
    command.add_argument("--to", dest="last", type=number, help="last block (default the newest)")


def _run_dev(arguments: argparse.Namespace) -> int:
    from openrollup.dev import run_dev
    from openrollup.dev_options import DevOptions
    from openrollup.run import run_command

    return run_command(run_dev(options_of(DevOptions, arguments)), code_when_stopped=0)


def _run_l1(arguments: argparse.Namespace) -> int:
    from openrollup.l1 import L1Options, run_l1
    from openrollup.run import run_command

    return run_command(run_l1(options_of(L1Options, arguments)), code_when_stopped=0)


def _run_rollup(arguments: argparse.Namespace) -> int:
    from openrollup.rollup import RollupOptions, run_rollup
    from openrollup.run import run_command

    return run_command(run_rollup(options_of(RollupOptions, arguments)), code_when_stopped=0)


def _run_replay(arguments: argparse.Namespace) -> int:
    from openrollup.replay import ReplayOptions, run_replay

    return run_replay(options_of(ReplayOptions, arguments))


def _run_export(arguments: argparse.Namespace) -> int:
    from openrollup.chain_files import ExportOptions, run_export

    return run_export(options_of(ExportOptions, arguments))


def _run_import(arguments: argparse.Namespace) -> int:
    from openrollup.chain_files import ImportOptions, run_import

    return run_import(options_of(ImportOptions, arguments))

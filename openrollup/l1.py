"""`openrollup l1`: a chain under Ethereum rules alone."""

import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import orjson

from node.clock import SystemClock
from node.dev_chain import DevChainConfig
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from node.genesis import Genesis, l1_dev_genesis, read_genesis
from openrollup.chain_files import import_file
from openrollup.embedded_l1 import EmbeddedL1
from openrollup.execution_node import GENESIS_FILE
from openrollup.run import run_until_stopped

DEFAULT_BLOCK_TIME_S = 3


@dataclass(frozen=True, slots=True)
class L1Options:
    """`block_time_s` None: the default on the dev chain, no blocks on a genesis of one's own."""

    genesis: Path | None
    blocks: Path | None
    datadir: Path | None
    port: int
    block_time_s: int | None
    json: bool
    evm: Interpreter = DEFAULT_INTERPRETER
    kept_blocks: int | None = None


async def run_l1(options: L1Options) -> int:
    """Import, listen and produce blocks until stopped."""
    block_time_s = options.block_time_s
    if block_time_s is None and options.genesis is None:
        block_time_s = DEFAULT_BLOCK_TIME_S
    l1 = EmbeddedL1(
        _genesis(options),
        options.datadir,
        options.port,
        SystemClock(),
        DevChainConfig(block_time_s=block_time_s or DEFAULT_BLOCK_TIME_S),
        options.evm,
        options.kept_blocks,
    )
    try:
        if options.blocks is not None:
            for _ in import_file(l1.node, options.blocks):
                await asyncio.sleep(0)  # a signal is heeded between two blocks
        await l1.start()
        _announce(l1, json=options.json)
        await run_until_stopped([] if block_time_s is None else [l1.chain.run()])
    finally:
        await l1.close()


def _genesis(options: L1Options) -> Genesis:
    if options.genesis is not None:
        return read_genesis(options.genesis)
    stored = None if options.datadir is None else options.datadir / GENESIS_FILE
    if stored is not None and stored.exists():
        return read_genesis(stored)
    return l1_dev_genesis(timestamp=int(time.time()))


def _announce(l1: EmbeddedL1, *, json: bool) -> None:
    chain_id, head = l1.node.genesis.config.chain_id, l1.node.engine.heads.unsafe
    if json:
        started = {
            "event": "started",
            "l1": {"chainId": chain_id, "url": l1.url},
            "head": {"number": head.number, "hash": "0x" + head.hash.hex()},
        }
        text = orjson.dumps(started).decode()
    else:
        text = f"L1 chain {chain_id} at {l1.url}, head {head.number} 0x{head.hash.hex()}"
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

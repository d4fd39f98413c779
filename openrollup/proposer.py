"""`openrollup proposer`: outputs onto L1 from a verifier that runs elsewhere."""

import logging
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import orjson

from consensus.config import read_rollup_config
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc, RpcSettings
from consensus.l1.tx_sender import TxSender
from consensus.proposer.proposer import Proposer, ProposerSettings
from consensus.proposer.verifier_client import VerifierClient
from node.clock import SystemClock
from node.types.primitives import checksum_address
from openrollup.datadir import read_key
from openrollup.l1_check import check_l1, probe_l1
from openrollup.run import run_until_stopped

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProposerOptions:
    """`l2_url` is a rollup node, whose own derivation is believed."""

    rollup: Path
    l1_url: str
    l2_url: str
    key_file: Path
    json: bool
    l1_rate_limit: int | None = None
    allow_non_finalized: bool = False


async def run_proposer(options: ProposerOptions) -> int:
    """Propose until stopped."""
    config, key = read_rollup_config(options.rollup), read_key(options.key_file)
    async with AsyncExitStack() as stack:
        rpc = JsonRpc(options.l1_url, RpcSettings(max_per_s=options.l1_rate_limit))
        stack.push_async_callback(rpc.close)
        l1 = L1Client(rpc)
        await check_l1(l1, await probe_l1(options.l1_url), config)
        verifier = VerifierClient(JsonRpc(options.l2_url))
        stack.push_async_callback(verifier.close)
        await verifier.check_rollup(config)
        clock = SystemClock()
        sender = TxSender(l1, key, config.l1_chain_id, clock)
        settings = ProposerSettings(allows_non_finalized=options.allow_non_finalized)
        proposer = Proposer(config, l1, verifier, sender, clock, settings)
        await proposer.check()
        address = checksum_address(sender.address)
        if options.json:
            text = orjson.dumps({"event": "started", "proposer": address}).decode()
        else:
            text = f"proposing outputs of {options.l2_url} as {address}"
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
        await run_until_stopped([proposer.run()])

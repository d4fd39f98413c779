"""`openrollup dev`: L1, sequencer, batcher and verifier on this machine, from one command."""

import asyncio

from node.clock import SystemClock
from node.genesis import dev_accounts
from node.worker import run_in_thread
from openrollup.banner import Network, announce
from openrollup.comparison import Comparison
from openrollup.dev_network import DevNetwork, open_dev_network
from openrollup.dev_options import DevOptions
from openrollup.run import run_until_stopped
from openrollup.status_line import Status, StatusLine

STATUS_INTERVAL_S = 0.5


async def run_dev(options: DevOptions) -> int:
    """Start everything, show where it is, and run until stopped."""
    async with open_dev_network(options, SystemClock()) as network:
        announce(_shown(network, options), json=options.json)
        await run_until_stopped([*network.parts(), _watch(network, json=options.json)])


async def _watch(network: DevNetwork, *, json: bool) -> None:
    """Compare the two nodes and show the heads, forever."""
    sequencer, verifier, proposer = network.sequencer, network.verifier, network.sequencer.proposer
    comparison = Comparison(sequencer.node.reader, verifier.node.reader)
    line = StatusLine(json=json)
    try:
        while True:
            await run_in_thread(comparison.advance)
            heads, l1 = sequencer.node.reader.heads(), sequencer.watcher.heads
            line.show(
                Status(
                    l1=0 if l1 is None else l1.latest.number,
                    unsafe=heads.unsafe.number,
                    safe=heads.safe.number,
                    finalized=heads.finalized.number,
                    proposed=0 if proposer is None else proposer.proposed_block or 0,
                    verified=comparison.equal_to,
                    pending=len(sequencer.node.mempool),
                )
            )
            await asyncio.sleep(STATUS_INTERVAL_S)
    finally:
        line.close()


def _shown(network: DevNetwork, options: DevOptions) -> Network:
    return Network(
        l1_chain_id=network.l1.chain_id,
        l1_url=network.l1.client.url,
        l2_chain_id=network.rollup.config.l2_chain_id,
        l2_url=network.sequencer.url,
        verifier_url=network.verifier.url,
        accounts=dev_accounts(),
        addresses=network.rollup.addresses,
        files=options.out or options.datadir,
    )

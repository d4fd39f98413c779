"""The L1 of a dev network: embedded, or somebody else's."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from consensus.l1.answers import Answers, CheckedAnswers, TrustedAnswers
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc, RpcSettings
from node.clock import Clock
from node.dev_chain import DevChainConfig
from node.genesis import Genesis, l1_dev_genesis, read_genesis
from node.genesis.dev_accounts import BATCHER_ACCOUNT, DEPLOYER_ACCOUNT, PROPOSER_ACCOUNT
from openrollup.datadir import DevPaths, read_key
from openrollup.dev_options import DEFAULT_L1_BLOCK_TIME_S, DEFAULT_L1_PORT, DevOptions
from openrollup.embedded_l1 import EmbeddedL1
from openrollup.execution_node import GENESIS_FILE
from openrollup.l1_check import probe_l1

# The embedded L1's blocks before the rollup exists are a second apart whatever the clock says:
# its genesis lies far enough in the past that they do not reach the present.
_SETUP_S = 60


@dataclass(frozen=True, slots=True)
class DevL1:
    """The L1 that a rollup stands on; `embedded` None if it is somebody else's. Times in seconds.

    A transaction that is not in a block after `resend_after_s` is sent again.
    """

    client: L1Client
    chain_id: int
    deployer_key: bytes
    batcher_key: bytes
    poll_interval_s: float
    resend_after_s: float
    embedded: EmbeddedL1 | None

    @property
    def proposer_key(self) -> bytes:
        """The key of the oracle's proposer: on somebody else's L1 one key pays for everything."""
        return self.batcher_key if self.embedded is None else PROPOSER_ACCOUNT.private_key


async def open_l1(options: DevOptions, clock: Clock, stack: AsyncExitStack) -> DevL1:
    """Start the embedded L1, or connect to the outside one; `stack` closes it.

    TemporaryError if an outside one does not answer.
    """
    if options.l1_url is not None and options.key_file is not None:
        key = read_key(options.key_file)
        chain_id = await probe_l1(options.l1_url)
        answers = TrustedAnswers() if options.l1_trust_rpc else CheckedAnswers()
        settings = RpcSettings(max_per_s=options.l1_rate_limit)
        client = _connect(options.l1_url, stack, answers, settings)
        return DevL1(client, chain_id, key, key, 1.0, 48.0, None)
    block_time_s = options.l1_block_time_s or DEFAULT_L1_BLOCK_TIME_S
    embedded = EmbeddedL1(
        _genesis(options.paths, clock),
        options.paths.l1,
        DEFAULT_L1_PORT if options.l1_port is None else options.l1_port,
        clock,
        DevChainConfig(block_time_s=block_time_s, finalized_distance=options.l1_finalized_distance),
        options.evm,
        serves_dev=True,
    )
    stack.push_async_callback(embedded.close)
    await embedded.start()
    return DevL1(
        client=_connect(embedded.url, stack, CheckedAnswers()),
        chain_id=embedded.node.genesis.config.chain_id,
        deployer_key=DEPLOYER_ACCOUNT.private_key,
        batcher_key=BATCHER_ACCOUNT.private_key,
        poll_interval_s=0.25,
        resend_after_s=4.0 * block_time_s,
        embedded=embedded,
    )


def _connect(
    url: str, stack: AsyncExitStack, answers: Answers, settings: RpcSettings | None = None
) -> L1Client:
    rpc = JsonRpc(url, settings)
    stack.push_async_callback(rpc.close)
    return L1Client(rpc, answers)


def _genesis(paths: DevPaths, clock: Clock) -> Genesis:
    if paths.l1 is not None and (paths.l1 / GENESIS_FILE).exists():
        return read_genesis(paths.l1 / GENESIS_FILE)
    return l1_dev_genesis(timestamp=int(clock.now()) - _SETUP_S)

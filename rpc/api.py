"""Which methods an endpoint serves: the parts of rpc put together over the node's own."""

from node.clock import Clock
from node.config import ChainConfig
from node.mempool import Mempool
from node.reader import Reader
from rpc.dispatcher import Method
from rpc.methods.attribution import AttributionMethods
from rpc.methods.attribution_numbers import AttributionNumbers
from rpc.methods.attribution_proofs import ProofMethods
from rpc.methods.debug import DebugMethods
from rpc.methods.eth.blocks import BlockMethods
from rpc.methods.eth.fees import FeeMethods
from rpc.methods.eth.logs import LogMethods
from rpc.methods.eth.state import StateMethods
from rpc.methods.eth.transactions import TransactionMethods
from rpc.methods.net import net_methods
from rpc.methods.optimism import OptimismMethods
from rpc.methods.txpool import TxpoolMethods
from rpc.methods.web3 import web3_methods
from rpc.poll_filters import PollFilters
from rpc.ports import (
    L2BlockRefPort,
    OutputsPort,
    RollupConfigPort,
    SafeHeadPort,
    SyncStatusPort,
    TransactionSink,
)
from rpc.slow_reads import SlowReads


def ethereum_methods(
    reader: Reader,
    mempool: Mempool,
    config: ChainConfig,
    sink: TransactionSink,
    clock: Clock,
    client_version: str,
) -> tuple[Method, ...]:
    """Return the eth, net, web3, txpool and debug methods, for a chain of either rule set.

    `client_version` is name/version of the program. Filters live as long as the methods do.
    """
    # Simulations may take seconds; other reads must not stand in line behind them.
    slow_reads, simulations = SlowReads(), SlowReads()
    return (
        *BlockMethods(reader, config, slow_reads).methods(),
        *TransactionMethods(reader, mempool, config, sink, slow_reads).methods(),
        *StateMethods(reader, mempool, slow_reads, simulations).methods(),
        *LogMethods(reader, mempool, PollFilters(clock), slow_reads).methods(),
        *FeeMethods(reader, config, slow_reads).methods(),
        *net_methods(config.chain_id),
        *web3_methods(client_version),
        *TxpoolMethods(mempool).methods(),
        *DebugMethods(reader, mempool, slow_reads).methods(),
    )


def optimism_methods(
    reader: Reader,
    sync_status: SyncStatusPort,
    rollup_config: RollupConfigPort,
    block_refs: L2BlockRefPort,
    safe_heads: SafeHeadPort,
    version: str,
) -> tuple[Method, ...]:
    """Return the optimism methods of a rollup node."""
    return OptimismMethods(
        reader, sync_status, rollup_config, block_refs, safe_heads, version
    ).methods()


def attribution_methods(reader: Reader) -> tuple[Method, ...]:
    """Return the attribution methods that need no L1, for a chain with attribution."""
    slow_reads = SlowReads()
    return (
        *AttributionMethods(reader, slow_reads).methods(),
        *AttributionNumbers(reader, slow_reads).methods(),
    )


def proof_methods(reader: Reader, outputs: OutputsPort) -> tuple[Method, ...]:
    """Return the attribution methods that prove receipts and check proofs."""
    return ProofMethods(reader, outputs, SlowReads()).methods()

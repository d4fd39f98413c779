"""The peer of the execution benchmark: py-evm as it comes, on the same state and transactions.

It keeps its database in memory and has no rollup parts: no fees to vaults, no system calls, no
undo records, no sync. The receipt precompile, which no other node has, is plugged into it.
"""

from typing import Any

from eth.abc import ComputationAPI
from eth.chains.base import MiningChain
from eth.consensus.noproof import NoProofConsensus
from eth.db.atomic import AtomicDB
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.forks.prague.state import PragueState

from bench.accounts import CHAIN_ID
from node.evm.attribution import receipt_precompile
from node.evm.environment import no_interrupt
from node.execution.transition import ExecutedBlock
from node.state.linked_node import rlp_of
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import keccak256


def _receipts(computation: ComputationAPI) -> ComputationAPI:
    # py-evm's block context knows of no interrupts, which the precompile asks for.
    computation.state.execution_context.interrupt = no_interrupt
    return receipt_precompile(computation)


class _Computation(PragueComputation):  # type: ignore[misc]
    _precompiles = {  # noqa: RUF012 - py-evm's own attribute
        **PragueComputation._precompiles,
        ATTRIBUTION_ADDRESS: _receipts,
    }


class _State(PragueState):  # type: ignore[misc]
    computation_class = _Computation


class _Rules(PragueVM):  # type: ignore[misc]
    _state_class = _State


class StockPyEvm:
    """A chain in memory whose first block has the state of `genesis`."""

    def __init__(self, genesis: ExecutedBlock) -> None:
        database = AtomicDB()
        nodes = list(map(rlp_of, genesis.changes.nodes.nodes))
        for content in (*nodes, *genesis.changes.codes.values()):
            database[keccak256(content)] = content
        chain_class = MiningChain.configure(
            __name__="StockChain",
            vm_configuration=((0, _Rules),),
            consensus_context_class=NoProofConsensus,
            chain_id=CHAIN_ID,
        )
        first = genesis.block.header
        header = _Rules.create_genesis_header(
            difficulty=0,
            gas_limit=first.gas_limit,
            timestamp=first.timestamp,
            coinbase=first.coinbase,
            base_fee_per_gas=first.base_fee,
            state_root=first.state_root,
        )
        self._chain: Any = chain_class.from_genesis_header(database, header)

    def run_block(self, raw: list[bytes]) -> tuple[int, list[ComputationAPI]]:
        """Make the block of these transactions; return its gas and what became of each."""
        builder = self._chain.get_vm().get_transaction_builder()
        transactions = [builder.decode(envelope) for envelope in raw]
        result, _, computations = self._chain.mine_all(transactions)
        return result.imported_block.header.gas_used, computations

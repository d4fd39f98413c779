"""From an L2 parent and an L1 origin to the build instructions of the next block.

The sequencer and derivation share it: what they agree on here, verifiers can reproduce. Source:
specs/protocol/derivation, "Building Individual Payload Attributes".
"""

from dataclasses import dataclass

from consensus.block_refs import L2BlockRef
from consensus.config import RollupConfig
from consensus.l1.chain_config import L1ChainConfig
from consensus.l1.config_updates import apply_config_updates
from consensus.l1.deposit_logs import derive_deposits
from consensus.l1.source import OriginSource
from consensus.l1_info import L1Info, l1_info_deposit
from consensus.system_config import DEFAULT_DA_FOOTPRINT_GAS_SCALAR, SystemConfig
from node.config import ChainConfig
from node.errors import ResetError
from node.execution.fees import Eip1559Parameters, encode_extra_data
from node.types.block import BlockRef, Header
from node.types.deposit import DepositTransaction
from node.types.payload import PayloadAttributes
from node.types.primitives import Hash32, hex_address

SEQUENCER_FEE_VAULT = hex_address("0x4200000000000000000000000000000000000011")


@dataclass(frozen=True, slots=True)
class _Epoch:
    """What an L1 origin contributes to a block in it."""

    header: Header
    deposits: tuple[DepositTransaction, ...]
    sequence_number: int
    system_config: SystemConfig


@dataclass(frozen=True, slots=True)
class AttributesBuilder:
    """The rules of one rollup, and the L1 that its origins are read from."""

    rollup: RollupConfig
    chain: ChainConfig
    l1_chain: L1ChainConfig
    l1: OriginSource

    async def build(
        self,
        parent: L2BlockRef,
        parent_system_config: SystemConfig,
        epoch: BlockRef,
        timestamp: int,
    ) -> PayloadAttributes:
        """Return the attributes of the child of `parent` at `timestamp` (seconds), its origin being
        `epoch`.

        They hold the L1-attributes deposit and, when the origin changes, its user deposits; the
        caller appends what else belongs into the block. ResetError if `epoch` does not extend the
        parent's origin on L1 or is younger than `timestamp`; CriticalError for a malformed deposit
        event.
        """
        origin = await _read_epoch(self.rollup, self.l1, parent, parent_system_config, epoch)
        header, system = origin.header, origin.system_config
        if timestamp < header.timestamp:
            raise ResetError(
                f"L2 block {parent.number + 1} at {timestamp}: expected a time from that of its L1 "
                f"origin {epoch.number}, {header.timestamp}"
            )
        info, layout = _l1_info(origin, self.l1_chain), self.rollup.l1_info_layout(timestamp)
        return PayloadAttributes(
            timestamp=timestamp,
            prev_randao=header.prev_randao,
            fee_recipient=SEQUENCER_FEE_VAULT,
            parent_beacon_block_root=header.parent_beacon_block_root,
            gas_limit=system.gas_limit,
            extra_data=encode_extra_data(self.chain, timestamp, _pricing(system)),
            transactions=(l1_info_deposit(info, layout), *origin.deposits),
            no_tx_pool=True,
        )


async def _read_epoch(
    config: RollupConfig,
    l1: OriginSource,
    parent: L2BlockRef,
    system_config: SystemConfig,
    epoch: BlockRef,
) -> _Epoch:
    if epoch.number == parent.l1_origin.number:
        if epoch.hash != parent.l1_origin.hash:
            raise _not_extending(parent, epoch, epoch.hash)
        header = await _checked_header(l1, epoch)
        return _Epoch(header, (), parent.sequence_number + 1, system_config)
    header = await _checked_header(l1, epoch)
    if epoch.number != parent.l1_origin.number + 1 or header.parent_hash != parent.l1_origin.hash:
        raise _not_extending(parent, epoch, header.parent_hash)
    receipts = await l1.receipts(epoch.hash)
    deposits = derive_deposits(epoch.hash, receipts, config.deposit_contract)
    updates = apply_config_updates(system_config, receipts, config.l1_system_config)
    return _Epoch(header, deposits, 0, updates.config)


async def _checked_header(l1: OriginSource, epoch: BlockRef) -> Header:
    header = await l1.header(epoch.hash)
    if header.hash != epoch.hash or header.number != epoch.number:
        raise ResetError(
            f"L1 block 0x{epoch.hash.hex()}: expected number {epoch.number}, got block "
            f"{header.number} with hash 0x{header.hash.hex()}"
        )
    return header


def _not_extending(parent: L2BlockRef, epoch: BlockRef, found: Hash32) -> ResetError:
    return ResetError(
        f"L1 origin {epoch.number} of L2 block {parent.number + 1}: expected it to be or follow "
        f"the parent's origin {parent.l1_origin.number} 0x{parent.l1_origin.hash.hex()}, "
        f"got 0x{found.hex()}"
    )


def _l1_info(origin: _Epoch, l1_chain_config: L1ChainConfig) -> L1Info:
    header, config = origin.header, origin.system_config
    return L1Info(
        l1_block=header.ref,
        timestamp=header.timestamp,
        base_fee=header.base_fee,
        blob_base_fee=l1_chain_config.blob_base_fee(header),
        sequence_number=origin.sequence_number,
        batcher=config.batcher,
        base_fee_scalar=config.base_fee_scalar,
        blob_base_fee_scalar=config.blob_base_fee_scalar,
        operator_fee_scalar=config.operator_fee_scalar,
        operator_fee_constant=config.operator_fee_constant,
        da_footprint_gas_scalar=config.da_footprint_gas_scalar or DEFAULT_DA_FOOTPRINT_GAS_SCALAR,
    )


def _pricing(config: SystemConfig) -> Eip1559Parameters:
    return Eip1559Parameters(
        config.eip1559_denominator, config.eip1559_elasticity, config.min_base_fee
    )

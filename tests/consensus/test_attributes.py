"""Payload attributes: what sequencer and verifier must agree on."""

from dataclasses import replace

import pytest

from consensus.attributes import SEQUENCER_FEE_VAULT, AttributesBuilder
from consensus.block_refs import L2BlockRef
from consensus.config import RollupConfig
from consensus.l1.source import L1BlockGone
from consensus.l1_info import DEPOSITOR_ADDRESS, L1_BLOCK_ADDRESS, L1InfoLayout, decode_l1_info
from consensus.system_config import SystemConfig
from node.errors import CriticalError, ResetError
from node.types.block import BlockRef
from node.types.deposit import DepositTransaction, l1_attributes_source_hash, user_source_hash
from node.types.payload import PayloadAttributes
from node.types.primitives import Address, BlockNumber, hex_address
from tests.consensus.rollup import (
    BATCHER,
    L1_CHAIN,
    chain_config,
    config_log,
    deposit_log,
    rollup_config,
    with_logs,
    word,
)
from tests.fakes.l1_source import FakeL1
from tests.fakes.l2_chain import FakeL2

SENDER = hex_address("0x" + "5e" * 20)


@pytest.fixture
def l1() -> FakeL1:
    return FakeL1()


async def attributes_for(
    config: RollupConfig,
    l1: FakeL1,
    parent: L2BlockRef,
    epoch: BlockRef,
    system: SystemConfig | None = None,
    timestamp: int | None = None,
) -> PayloadAttributes:
    return await AttributesBuilder(config, chain_config(config), L1_CHAIN, l1).build(
        parent,
        system or config.genesis.system_config,
        epoch,
        parent.timestamp + config.block_time if timestamp is None else timestamp,
    )


def parent_at(config: RollupConfig, timestamp: int) -> L2BlockRef:
    """Return a block of the genesis epoch at a time, third in it."""
    return replace(
        FakeL2(config).genesis, number=BlockNumber(9), timestamp=timestamp, sequence_number=2
    )


async def test_same_epoch(l1: FakeL1) -> None:
    config = rollup_config(l1)
    parent = parent_at(config, l1.head.timestamp + 4)
    attributes = await attributes_for(config, l1, parent, l1.head.ref)
    header = await l1.header(l1.head.hash)
    assert attributes.timestamp == parent.timestamp + 2
    assert attributes.prev_randao == header.prev_randao
    assert attributes.parent_beacon_block_root == header.parent_beacon_block_root
    assert attributes.fee_recipient == SEQUENCER_FEE_VAULT
    assert attributes.gas_limit == 30_000_000
    assert attributes.extra_data.hex() == "00" + "000000fa" + "00000006"
    assert attributes.no_tx_pool
    assert attributes.withdrawals == ()
    (deposit,) = attributes.transactions
    assert isinstance(deposit, DepositTransaction)
    assert (deposit.sender, deposit.to) == (DEPOSITOR_ADDRESS, L1_BLOCK_ADDRESS)
    assert (deposit.gas, deposit.mint, deposit.value) == (1_000_000, 0, 0)
    assert not deposit.is_system_transaction
    assert deposit.source_hash == l1_attributes_source_hash(l1.head.hash, 3)
    info = decode_l1_info(deposit.data)
    assert (info.l1_block, info.sequence_number) == (l1.head.ref, 3)
    assert (info.timestamp, info.base_fee) == (header.timestamp, header.base_fee)
    assert (info.batcher, info.blob_base_fee) == (BATCHER, 1)
    assert (info.base_fee_scalar, info.blob_base_fee_scalar) == (1368, 810949)


async def test_new_epoch_brings_deposits_and_updates(l1: FakeL1) -> None:
    config = rollup_config(l1)
    l1.mine(
        with_logs(deposit_log(sender=SENDER, to=Address(bytes(20)), mint=5)),
        with_logs(config_log(2, word(12_345_678)), deposit_log(sender=SENDER, to=SENDER)),
        with_logs(deposit_log(sender=SENDER, to=SENDER), status=0),
        excess_blob_gas=10 * 2**20,
    )
    parent = parent_at(config, l1.head.timestamp)
    attributes = await attributes_for(config, l1, parent, l1.head.ref)
    first, *users = attributes.transactions
    assert isinstance(first, DepositTransaction)
    info = decode_l1_info(first.data)
    assert (info.sequence_number, info.l1_block, info.blob_base_fee) == (0, l1.head.ref, 8)
    assert attributes.gas_limit == 12_345_678
    hashes = [tx.source_hash for tx in users if isinstance(tx, DepositTransaction)]
    assert hashes == [user_source_hash(l1.head.hash, i) for i in (0, 2)]


async def test_same_epoch_takes_no_deposits_again(l1: FakeL1) -> None:
    config = rollup_config(l1)
    l1.mine(with_logs(deposit_log(sender=SENDER, to=SENDER), config_log(2, word(1))))
    parent = replace(parent_at(config, l1.head.timestamp), l1_origin=l1.head.ref)
    attributes = await attributes_for(config, l1, parent, l1.head.ref)
    assert len(attributes.transactions) == 1
    assert attributes.gas_limit == 30_000_000


@pytest.mark.parametrize(
    ("isthmus", "jovian", "layout", "extra_data"),
    [
        (False, False, L1InfoLayout.ECOTONE, "00" + "00000064" + "00000003"),
        (True, False, L1InfoLayout.ISTHMUS, "00" + "00000064" + "00000003"),
        (True, True, L1InfoLayout.JOVIAN, "01" + "00000064" + "00000003" + "0000000000000007"),
    ],
)
async def test_forks(
    l1: FakeL1, isthmus: bool, jovian: bool, layout: L1InfoLayout, extra_data: str
) -> None:
    config = rollup_config(l1, isthmus=isthmus, jovian=jovian)
    system = replace(
        config.genesis.system_config,
        eip1559_denominator=100,
        eip1559_elasticity=3,
        min_base_fee=7,
        operator_fee_scalar=8,
        operator_fee_constant=9,
    )
    parent = parent_at(config, l1.head.timestamp)
    attributes = await attributes_for(config, l1, parent, l1.head.ref, system)
    assert attributes.extra_data.hex() == extra_data
    (deposit,) = attributes.transactions
    assert deposit.data[:4] == layout.value
    info = decode_l1_info(deposit.data)
    assert info.operator_fee_scalar == (8 if isthmus else 0)
    assert info.da_footprint_gas_scalar == (400 if jovian else 0)


async def test_epoch_must_be_the_origin_or_follow_it(l1: FakeL1) -> None:
    config = rollup_config(l1)
    fork_point = l1.head.number
    orphan = l1.mine()
    parent = replace(parent_at(config, orphan.timestamp), l1_origin=orphan.ref)
    l1.fork(fork_point)
    sibling, child = l1.mine(), l1.mine()
    grandchild = l1.mine()
    for epoch in (sibling, child, grandchild):
        with pytest.raises(ResetError, match="expected it to be or follow"):
            await attributes_for(config, l1, replace(parent, timestamp=10**10), epoch.ref)


async def test_epoch_number_must_match_its_hash(l1: FakeL1) -> None:
    config = rollup_config(l1)
    l1.mine_empty(2)
    parent = parent_at(config, l1.head.timestamp)
    epoch = BlockRef(l1.head.hash, BlockNumber(l1.head.number - 1))
    with pytest.raises(ResetError, match="expected number 101"):
        await attributes_for(config, l1, parent, epoch)


async def test_unknown_epoch_resets(l1: FakeL1) -> None:
    config = rollup_config(l1)
    fork_point = l1.head.number
    orphan = l1.mine()
    l1.fork(fork_point)
    l1.forget_orphans()
    with pytest.raises(L1BlockGone):
        await attributes_for(config, l1, parent_at(config, orphan.timestamp), orphan.ref)


async def test_block_before_its_origin(l1: FakeL1) -> None:
    config = rollup_config(l1)
    epoch = l1.mine()
    parent = parent_at(config, epoch.timestamp - 3)
    with pytest.raises(ResetError, match="expected a time from that of its L1 origin"):
        await attributes_for(config, l1, parent, epoch.ref)


async def test_malformed_deposit_stops_the_node(l1: FakeL1) -> None:
    config = rollup_config(l1)
    log = replace(deposit_log(sender=SENDER, to=SENDER), data=b"")
    epoch = l1.mine(with_logs(log))
    with pytest.raises(CriticalError, match="log 0"):
        await attributes_for(config, l1, parent_at(config, epoch.timestamp), epoch.ref)

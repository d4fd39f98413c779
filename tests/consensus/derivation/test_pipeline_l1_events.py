"""Derivation and what L1's contracts say: deposits, batcher keys, fees, gas limits."""

import pytest

from consensus.config import RollupConfig
from consensus.l1_info import decode_l1_info_deposit
from consensus.system_config import encode_scalar, system_config_after
from node.errors import CriticalError
from node.types.deposit import DepositTransaction, user_source_hash
from node.types.primitives import Address
from node.types.receipt import Log
from node.types.transaction import address_of_key
from tests.consensus.actors import Sequencer, Verifier
from tests.consensus.rollup import (
    OTHER_KEY,
    PORTAL,
    config_log,
    deposit_log,
    publish,
    rollup_config,
    with_logs,
    word,
)
from tests.fakes.l1_source import FakeL1

USER = Address(b"\x5e" * 20)


@pytest.fixture
def l1() -> FakeL1:
    return FakeL1()


@pytest.fixture
def config(l1: FakeL1) -> RollupConfig:
    return rollup_config(l1, jovian=True)


@pytest.fixture
def sequencer(config: RollupConfig, l1: FakeL1) -> Sequencer:
    return Sequencer(config, l1)


@pytest.fixture
def verifier(config: RollupConfig, l1: FakeL1) -> Verifier:
    return Verifier(config, l1)


async def publish_all(l1: FakeL1, sequencer: Sequencer) -> None:
    """Build up to L1's head, publish everything."""
    start = len(sequencer.batches)
    await sequencer.build_to(l1.head.number)
    await sequencer.build()
    l1.mine(publish(sequencer.channel(sequencer.batches[start:])))


async def test_deposits_are_in_the_first_block_of_their_epoch(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    logs = [deposit_log(sender=USER, to=USER, mint=n, gas=21_000 + n) for n in range(3)]
    origin = l1.mine(with_logs(logs[0]), with_logs(logs[1], logs[2]))
    l1.mine()
    await publish_all(l1, sequencer)
    await verifier.derive()
    assert verifier.safe_head == sequencer.head
    with_deposits = [
        [tx for tx in d.attributes.transactions[1:] if isinstance(tx, DepositTransaction)]
        for d in verifier.derived
    ]
    (deposits,) = [found for found in with_deposits if found]
    assert [d.source_hash for d in deposits] == [
        user_source_hash(origin.hash, index) for index in range(3)
    ]
    assert [d.mint for d in deposits] == [0, 1, 2]
    index = with_deposits.index(deposits)
    assert verifier.derived[index].epoch == origin.ref
    assert verifier.derived[index - 1].epoch == l1.genesis.ref


async def test_malformed_deposit_stops_derivation(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    bad = Log(PORTAL, deposit_log(sender=USER, to=USER).topics, b"")
    l1.mine(with_logs(bad))
    l1.mine_empty(verifier.config.seq_window_size + 1)
    with pytest.raises(CriticalError, match="deposit in L1 block"):
        await verifier.derive()


@pytest.mark.parametrize(
    ("log", "field", "expected"),
    [
        (config_log(1, word(0) + encode_scalar(11, 12)), "base_fee_scalar", 11),
        (config_log(1, word(0) + encode_scalar(11, 12)), "blob_base_fee_scalar", 12),
        (config_log(2, word(50_000_000)), "gas_limit", 50_000_000),
        (config_log(4, word(100 << 32 | 3)), "eip1559_denominator", 100),
        (config_log(4, word(100 << 32 | 3)), "eip1559_elasticity", 3),
        (config_log(5, word(7 << 64 | 8)), "operator_fee_scalar", 7),
        (config_log(5, word(7 << 64 | 8)), "operator_fee_constant", 8),
        (config_log(6, word(9)), "min_base_fee", 9),
        (config_log(7, word(10)), "da_footprint_gas_scalar", 10),
    ],
)
async def test_updates_reach_the_blocks_of_their_epoch(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier, log: Log, field: str, expected: int
) -> None:
    changed = l1.mine(with_logs(log))
    l1.mine_empty(2)
    await publish_all(l1, sequencer)
    await verifier.derive()
    assert verifier.safe_head == sequencer.head
    for derived in verifier.derived:
        sealed = verifier.l2.seal(derived.parent, derived.attributes)
        system = system_config_after(verifier.l2.block(sealed))
        is_changed = getattr(system, field) == expected
        assert is_changed == (derived.epoch.number >= changed.number)


async def test_unknown_updates_change_nothing(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    l1.mine(with_logs(config_log(8, word(5)), config_log(2, b""), config_log(1, word(2**255))))
    await publish_all(l1, sequencer)
    await verifier.derive()
    assert verifier.safe_head == sequencer.head
    info = decode_l1_info_deposit(verifier.l2.block(verifier.safe_head))
    assert info.base_fee_scalar == 1368
    assert verifier.l2.block(verifier.safe_head).header.gas_limit == 30_000_000


async def test_batcher_key_rotation(l1: FakeL1, sequencer: Sequencer, verifier: Verifier) -> None:
    first, second = await sequencer.build_many(2), await sequencer.build_many(2)
    third = await sequencer.build_many(2)
    l1.mine(publish(sequencer.channel(first)))
    new_batcher = bytes(12) + address_of_key(OTHER_KEY)
    l1.mine(with_logs(config_log(0, new_batcher)), publish(sequencer.channel(second)))
    await verifier.derive()
    assert verifier.safe_head.number == 2
    l1.mine(publish(sequencer.channel(second), key=OTHER_KEY))
    l1.mine(publish(sequencer.channel(third)))
    await verifier.derive()
    assert verifier.safe_head.number == 4
    l1.mine(publish(sequencer.channel(third), key=OTHER_KEY))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head


async def test_key_rotation_inside_a_channel(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    frames = sequencer.channel(await sequencer.build_many(5), max_frame_size=150)
    l1.mine(publish(frames[:1]))
    new_batcher = bytes(12) + address_of_key(OTHER_KEY)
    l1.mine(with_logs(config_log(0, new_batcher)))
    l1.mine(publish(frames[1:]))
    await verifier.derive()
    assert verifier.safe_head.number == 0
    # Who opened a channel does not matter: another may complete it.
    l1.mine(publish(frames[1:], key=OTHER_KEY))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head

"""The attribution lane: its price, its bounds, and who is not in it."""

from dataclasses import replace

import pytest

from node.config import AttributionConfig
from node.errors import InvalidBlock, InvalidTransaction, LaneLimitReached
from node.evm.rules import rules_at
from node.execution.fees import gas_bounds
from node.execution.simulate import CallRequest, estimate_gas
from node.genesis import GenesisAccount, l2_genesis
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.deposit import make_deposit
from node.types.primitives import ZERO_HASH, keccak256
from tests.node.execution.memory_chain import MemoryChain, l1_attributes
from tests.node.execution.signing import SENDER, sign

LIMIT = 150_000
BASE = l2_genesis(chain_id=901, timestamp=1_700_000_000, attribution=AttributionConfig(0, 4, LIMIT))
GENESIS = replace(BASE, alloc={**BASE.alloc, SENDER: GenesisAccount(balance=10**21)})
RULES = rules_at(GENESIS.config, GENESIS.timestamp)
NO_LANE = rules_at(replace(GENESIS.config, attribution=None), GENESIS.timestamp)
DATA = b"\xff" * 1_000


def _append(count: int = 1) -> bytes:
    """The call data of `append` to stream 1 from the start, `count` records of one byte amounts."""
    records = (b"\x01\x00" + keccak256(b"commitment")) * count
    head = keccak256(b"append(uint64,uint64,bytes)")[:4]
    words = (1, 0, 96, len(records))
    padding = bytes(-len(records) % 32)
    return head + b"".join(word.to_bytes(32, "big") for word in words) + records + padding


def test_a_byte_of_lane_calldata_has_one_price_and_no_floor() -> None:
    tx = sign(to=ATTRIBUTION_ADDRESS, data=DATA)
    assert gas_bounds(tx, RULES) == (25_000, 0)
    assert gas_bounds(tx, NO_LANE) == (37_000, 61_000)


def test_only_direct_signed_transactions_are_in_the_lane() -> None:
    elsewhere = sign(data=DATA)
    assert gas_bounds(elsewhere, RULES) == (37_000, 61_000)
    deposit = make_deposit(
        source_hash=ZERO_HASH,
        sender=SENDER,
        to=ATTRIBUTION_ADDRESS,
        mint=0,
        value=0,
        gas=100_000,
        data=DATA,
    )
    assert gas_bounds(deposit, RULES) == (37_000, 61_000)


def test_access_lists_cost_the_same_in_the_lane() -> None:
    listed = sign(to=ATTRIBUTION_ADDRESS, data=DATA, access_list=((SENDER, (ZERO_HASH,)),))
    assert gas_bounds(listed, RULES).intrinsic == 25_000 + 2_400 + 1_900


def test_the_precompile_runs_in_a_block() -> None:
    chain = MemoryChain(GENESIS)
    tx = sign(to=ATTRIBUTION_ADDRESS, data=_append(), gas=100_000)
    executed = chain.extend(l1_attributes(), tx)
    receipt = executed.receipts[1]
    assert receipt.status == 1
    assert [log.address for log in receipt.logs] == [ATTRIBUTION_ADDRESS]
    # Lane calldata, call, record, leaf, a new slot, a log with three topics.
    assert receipt.gas_used == 21_000 + 4 * 196 + 700 + 30 + 18 + 22_100 + 2_524
    with pytest.raises(InvalidBlock, match=r"intrinsic gas too low: have 21001, want 25000"):
        chain.extend(l1_attributes(), sign(nonce=1, to=ATTRIBUTION_ADDRESS, gas=21_001, data=DATA))


def test_the_lane_bounds_a_transaction_and_a_block() -> None:
    execution = MemoryChain(GENESIS).begin()
    execution.apply(l1_attributes())
    most = bytes(128 * 1024)
    with pytest.raises(InvalidTransaction, match=r"^oversized data: .*131073 bytes, limit 131072"):
        execution.apply(sign(to=ATTRIBUTION_ADDRESS, data=most + b"\x00", gas=1_000_000))
    execution.apply(sign(to=ATTRIBUTION_ADDRESS, data=most, gas=1_000_000))
    with pytest.raises(LaneLimitReached, match=r"131072 \+ 18929 bytes, limit 150000"):
        execution.apply(
            sign(nonce=1, to=ATTRIBUTION_ADDRESS, data=most[: LIMIT - 131_072 + 1], gas=1_000_000)
        )
    execution.apply(
        sign(nonce=1, to=ATTRIBUTION_ADDRESS, data=most[: LIMIT - 131_072], gas=1_000_000)
    )
    execution.apply(sign(nonce=2, data=most[:1], gas=100_000))


def test_the_lane_starts_at_its_time() -> None:
    later = AttributionConfig(GENESIS.timestamp + 3, 4, LIMIT)
    config = replace(GENESIS.config, attribution=later)
    assert rules_at(config, later.time - 1).lane is None
    assert ATTRIBUTION_ADDRESS not in rules_at(config, later.time - 1).precompiles
    assert rules_at(config, later.time).lane is later
    assert ATTRIBUTION_ADDRESS in rules_at(config, later.time).precompiles


def test_estimates_know_the_lane() -> None:
    chain = MemoryChain(GENESIS)
    request = CallRequest(sender=SENDER, to=ATTRIBUTION_ADDRESS, data=_append(50))
    estimate = estimate_gas(GENESIS.config, chain.head, chain.view(), request, chain.block_hash)
    used = chain.extend(
        l1_attributes(), sign(to=ATTRIBUTION_ADDRESS, data=_append(50), gas=estimate)
    ).receipts[1]
    assert used.status == 1
    assert used.gas_used <= estimate < used.gas_used * 1.2
    assert estimate < 21_000 + 10 * 4 * len(request.data)

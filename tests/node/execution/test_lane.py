"""The attribution lane: its price, its bounds, and who is not in it."""

from dataclasses import replace

import pytest

from node.config import AttributionConfig
from node.errors import InvalidBlock, InvalidTransaction, LaneLimitReached
from node.evm.rules import rules_at
from node.execution.fees import gas_bounds, l1_fee, parse_l1_fee_parameters
from node.execution.simulate import CallRequest, estimate_gas
from node.genesis import GenesisAccount, l2_genesis
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.deposit import make_deposit
from node.types.primitives import ZERO_HASH, Address, keccak256
from tests.node.execution.memory_chain import MemoryChain, l1_attributes
from tests.node.execution.signing import SENDER, sign

LIMIT = 150_000
BASE = l2_genesis(chain_id=901, timestamp=1_700_000_000, attribution=AttributionConfig(0, 4, LIMIT))
GENESIS = replace(BASE, alloc={**BASE.alloc, SENDER: GenesisAccount(balance=10**21)})
RULES = rules_at(GENESIS.config, GENESIS.timestamp)
NO_LANE = rules_at(replace(GENESIS.config, attribution=None), GENESIS.timestamp)
DATA = b"\xff" * 1_000


def _append(count: int = 1, first: int = 0) -> bytes:
    """The call data of `append` to stream 1, `count` records from `first` on."""
    records = (b"\x01\x00" + keccak256(b"commitment")) * count
    head = keccak256(b"append(uint64,uint64,bytes)")[:4]
    words = (1, first, 96, len(records))
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


def test_activation_in_the_middle_of_a_chain() -> None:
    """Before its time the account is like any other: one byte of code that is no instruction."""
    active = replace(GENESIS.config, attribution=AttributionConfig(GENESIS.timestamp + 5, 4, LIMIT))
    chain = MemoryChain(GENESIS, config=active)
    floor = gas_bounds(sign(to=ATTRIBUTION_ADDRESS, data=_append(50)), NO_LANE).floor
    with pytest.raises(InvalidBlock, match="intrinsic gas too low: insufficient gas for floor"):
        chain.extend(l1_attributes(), sign(to=ATTRIBUTION_ADDRESS, data=_append(50), gas=floor - 1))
    gas = floor + 10_000
    for nonce in range(2):
        tx = sign(nonce=nonce, to=ATTRIBUTION_ADDRESS, data=_append(50), gas=gas)
        receipt = chain.extend(l1_attributes(), tx).receipts[1]
        assert (receipt.status, receipt.gas_used, receipt.logs) == (0, gas, ())
    assert chain.head.timestamp == active_time(chain) - 1
    before = chain.view().account(ATTRIBUTION_ADDRESS)
    lane = gas_bounds(sign(to=ATTRIBUTION_ADDRESS, data=_append(50)), RULES).intrinsic
    assert lane < floor / 2
    for number in range(2):
        data = _append(50, first=50 * number)
        tx = sign(nonce=2 + number, to=ATTRIBUTION_ADDRESS, data=data, gas=floor - 1)
        receipt = chain.extend(l1_attributes(), tx).receipts[1]
        assert (receipt.status, len(receipt.logs)) == (1, 1)
    after = chain.view().account(ATTRIBUTION_ADDRESS)
    assert before is not None and after is not None
    assert (after.nonce, after.code_hash) == (before.nonce, before.code_hash)
    assert after.storage_root != before.storage_root


def active_time(chain: MemoryChain) -> int:
    attribution = chain.config.attribution
    assert attribution is not None
    return attribution.time


def test_the_last_block_before_activation_and_the_first_one_after() -> None:
    tx = sign(to=ATTRIBUTION_ADDRESS, data=_append(), gas=60_000)
    for offset, status in ((0, 1), (1, 0)):
        time = GENESIS.timestamp + 2 + offset
        config = replace(GENESIS.config, attribution=AttributionConfig(time, 4, LIMIT))
        chain = MemoryChain(GENESIS, config=config)
        assert chain.extend(l1_attributes(), tx).receipts[1].status == status


def test_a_block_beyond_the_limit_is_refused() -> None:
    chain = MemoryChain(GENESIS)
    most = bytes(128 * 1024)
    fits = sign(to=ATTRIBUTION_ADDRESS, data=most, gas=1_000_000)
    second = sign(nonce=1, to=ATTRIBUTION_ADDRESS, data=most, gas=1_000_000)
    with pytest.raises(InvalidBlock, match="lane limit reached"):
        chain.extend(l1_attributes(), fits, second)
    with pytest.raises(InvalidBlock, match="oversized data"):
        chain.extend(l1_attributes(), sign(to=ATTRIBUTION_ADDRESS, data=most + b"\0", gas=10**6))


def test_lane_transactions_pay_the_whole_l1_fee() -> None:
    chain = MemoryChain(GENESIS)
    prices = {"base_fee_scalar": 1_000_000, "l1_base_fee": 10**9}
    tx = sign(to=ATTRIBUTION_ADDRESS, data=_append(50), gas=100_000)
    beside = Address(ATTRIBUTION_ADDRESS[:-1] + b"\x78")
    same = sign(to=beside, data=_append(50), gas=100_000)
    parameters = parse_l1_fee_parameters(l1_attributes(**prices).data)
    assert l1_fee(tx, parameters) == pytest.approx(l1_fee(same, parameters), rel=0.01)
    before = chain.view().account(SENDER)
    executed = chain.extend(l1_attributes(**prices), tx)
    after = chain.view().account(SENDER)
    assert before is not None and after is not None
    receipt = executed.receipts[1]
    gas_price = tx.effective_gas_price(executed.block.header.base_fee)
    paid = before.balance - after.balance
    assert paid == receipt.gas_used * gas_price + l1_fee(tx, parameters)

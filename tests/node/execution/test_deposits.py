"""Deposits: identities, mint, nonces, failures, and that they pay nothing."""

from dataclasses import replace

import pytest

from node.errors import BlockGasLimitReached, InvalidBlock, InvalidTransaction
from node.execution.transition import BlockExecution, ExecutedBlock
from node.genesis import GenesisAccount, l2_genesis
from node.types.deposit import (
    DepositTransaction,
    l1_attributes_source_hash,
    make_deposit,
    user_source_hash,
)
from node.types.primitives import (
    UINT256_MAX,
    ZERO_HASH,
    Address,
    Hash32,
    create_address,
    hex_address,
)
from tests.node.execution.memory_chain import MemoryChain, l1_attributes
from tests.node.execution.signing import SENDER, sign

ALICE = Address(b"\xa1" * 20)
BOB = Address(b"\xb0" * 20)
REVERTER = Address(b"\xc1" * 20)
STORER = Address(b"\xc2" * 20)
BASE = l2_genesis(chain_id=901, timestamp=1_700_000_000)
GENESIS = replace(
    BASE,
    alloc={
        **BASE.alloc,
        SENDER: GenesisAccount(balance=10**21),
        ALICE: GenesisAccount(balance=1_000, nonce=5),
        REVERTER: GenesisAccount(nonce=1, code=bytes.fromhex("5f5ffd")),
        STORER: GenesisAccount(nonce=1, code=bytes.fromhex("60015f5500")),
    },
)
VAULTS = [hex_address(f"42000000000000000000000000000000000000{n}") for n in ("11", "19", "1a")]


def _deposit(**fields: object) -> DepositTransaction:
    values: dict[str, object] = {
        "source_hash": ZERO_HASH,
        "sender": ALICE,
        "to": BOB,
        "mint": 0,
        "value": 0,
        "gas": 100_000,
        "data": b"",
    }
    return make_deposit(**{**values, **fields})


def _run(*deposits: DepositTransaction) -> tuple[MemoryChain, ExecutedBlock]:
    chain = MemoryChain(GENESIS)
    return chain, chain.extend(l1_attributes(), *deposits)


def test_source_hashes() -> None:
    l1_hash = Hash32(bytes(range(32)))
    assert user_source_hash(l1_hash, 7).hex() == (
        "4e75c1958a5bde3aaf6106853159df607b505d61eaaa117eba0f988d1db6dc7b"
    )
    assert l1_attributes_source_hash(l1_hash, 3).hex() == (
        "25cb7da2107a5689c80aca5e2184488cf5343b8fa9382449cf2d16fec47ecc15"
    )


def test_a_deposit_mints_transfers_and_counts_the_nonce() -> None:
    chain, executed = _run(_deposit(mint=50, value=1_030))
    receipt = executed.receipts[1]
    assert (receipt.type, receipt.status, receipt.gas_used) == (0x7E, 1, 21_000)
    assert receipt.deposit_nonce == 5
    assert (chain.balance(ALICE), chain.balance(BOB), chain.nonce(ALICE)) == (20, 1_030, 6)


def test_a_deposit_pays_no_fee() -> None:
    chain, _ = _run(_deposit())
    assert chain.balance(ALICE) == 1_000
    assert [chain.balance(vault) for vault in VAULTS] == [0, 0, 0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"gas": 20_999},
        {"gas": 21_000 + 39 * 100, "data": b"\x01" * 100},
        {"value": 1_051},
        {"to": None, "data": bytes(49_153), "gas": 1_000_000},
    ],
    ids=["intrinsic gas", "calldata floor", "funds", "init code"],
)
def test_an_impossible_deposit_keeps_its_mint_and_uses_all_its_gas(
    wrong: dict[str, object],
) -> None:
    deposit = _deposit(mint=50, **wrong)
    chain, executed = _run(deposit)
    receipt = executed.receipts[1]
    assert (receipt.status, receipt.gas_used, receipt.logs) == (0, deposit.gas, ())
    assert (receipt.deposit_nonce, chain.nonce(ALICE)) == (5, 6)
    assert (chain.balance(ALICE), chain.balance(BOB)) == (1_050, 0)


def test_a_reverting_deposit_keeps_its_mint_and_uses_what_it_ran() -> None:
    chain, executed = _run(_deposit(to=REVERTER, mint=50, value=10))
    receipt = executed.receipts[1]
    assert (receipt.status, receipt.gas_used) == (0, 21_000 + 4)
    assert (chain.balance(ALICE), chain.balance(REVERTER), chain.nonce(ALICE)) == (1_050, 0, 6)


def test_a_deposit_runs_like_a_transaction() -> None:
    chain, executed = _run(_deposit(to=STORER))
    assert executed.receipts[1].gas_used == 21_000 + 5 + 22_100
    assert chain.storage(STORER, 0) == 1


def test_a_creating_deposit_names_its_contract_by_the_deposit_nonce() -> None:
    chain, executed = _run(_deposit(to=None, data=bytes.fromhex("60015ff3")))
    receipt = executed.receipts[1]
    assert receipt.contract_address == create_address(ALICE, 5)
    created = chain.account(create_address(ALICE, 5))
    assert created is not None
    assert (created.nonce, receipt.status) == (1, 1)


def test_the_calldata_floor_holds_for_what_a_deposit_uses() -> None:
    _, executed = _run(_deposit(data=b"\x01" * 100))
    assert executed.receipts[1].gas_used == 21_000 + 4_000


def test_an_absurd_mint_wraps_as_in_other_implementations() -> None:
    chain, executed = _run(_deposit(mint=UINT256_MAX), _deposit(mint=7))
    assert [receipt.status for receipt in executed.receipts] == [1, 1, 1]
    assert chain.balance(ALICE) == 1_000 - 1 + 7


def _execution() -> BlockExecution:
    execution = MemoryChain(GENESIS).begin()
    execution.apply(l1_attributes())
    return execution


def test_a_deposit_that_the_block_has_no_room_for_leaves_no_trace() -> None:
    execution = _execution()
    with pytest.raises(BlockGasLimitReached, match=r"^gas limit reached: have"):
        execution.apply(_deposit(mint=50, gas=30_000_001))
    assert execution.seal() == _execution().seal()


def test_system_transactions_ended_with_regolith() -> None:
    execution = _execution()
    with pytest.raises(InvalidTransaction, match=r"^system tx not supported"):
        execution.apply(_deposit(mint=50, is_system_transaction=True))
    assert execution.seal() == _execution().seal()


def test_every_rollup_block_opens_with_the_l1_attributes() -> None:
    chain = MemoryChain(GENESIS)
    for first in (sign(), _deposit(), replace(l1_attributes(), sender=ALICE)):
        with pytest.raises(InvalidBlock, match=r"^transactions\[0\]: expected an L1-attributes"):
            chain.build(chain.attributes(first))
    with pytest.raises(InvalidBlock, match=r"^transactions: expected an L1-attributes deposit"):
        chain.build(chain.attributes())


def test_deposits_take_no_part_in_the_da_size() -> None:
    execution = _execution()
    execution.apply(_deposit(data=bytes(1_000)))
    assert execution.da_bytes == 0
    tx = sign()
    execution.apply(tx)
    assert execution.da_bytes == len(tx.raw)

"""Whole blocks: building and executing agree, headers are checked, fees go where they belong."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.config import ChainConfig
from node.errors import BlockGasLimitReached, InvalidBlock, OutOfTime
from node.execution.fees import (
    Eip1559Parameters,
    L1FeeParameters,
    da_size,
    encode_extra_data,
    l1_fee,
)
from node.execution.transition import ExecutedBlock
from node.genesis import Genesis, GenesisAccount, l1_dev_genesis, l2_genesis
from node.types.block import Withdrawal
from node.types.primitives import (
    EMPTY_REQUESTS_HASH,
    EMPTY_TRIE_ROOT,
    ZERO_HASH,
    Address,
    Hash32,
    create_address,
    hex_address,
    keccak256,
)
from node.types.receipt import Log, logs_bloom
from node.types.transaction import ACCESS_LIST, BLOB, LEGACY, Transaction
from tests.node.execution.memory_chain import SEQUENCER_VAULT, MemoryChain, l1_attributes
from tests.node.execution.signing import GWEI, RECIPIENT, SENDER, sign

BASE_FEE_VAULT = hex_address("4200000000000000000000000000000000000019")
L1_FEE_VAULT = hex_address("420000000000000000000000000000000000001a")
OPERATOR_FEE_VAULT = hex_address("420000000000000000000000000000000000001b")
MESSAGE_PASSER = hex_address("4200000000000000000000000000000000000016")
BEACON_ROOTS = hex_address("000f3df6d732807ef1319fb7b8bb8522d0beac02")
HISTORY = hex_address("0000f90827f1c53a10cb7a02335b175320002935")
# Logs its first word of input with one topic, and stores it in slot 0.
LOGGER = Address(b"\x10" * 20)
LOGGER_CODE = bytes.fromhex("5f358060005560005260aa60205fa1")
HASHER = Address(b"\x11" * 20)  # stores the hash of the block before this one
HASHER_CODE = bytes.fromhex("6001430340600055")


def _with_accounts(genesis: Genesis) -> Genesis:
    added = {
        SENDER: GenesisAccount(balance=10**21),
        LOGGER: GenesisAccount(nonce=1, code=LOGGER_CODE),
        HASHER: GenesisAccount(nonce=1, code=HASHER_CODE),
    }
    return replace(genesis, alloc={**genesis.alloc, **added})


ETHEREUM = _with_accounts(l1_dev_genesis(timestamp=1_700_000_000, chain_id=901))
ISTHMUS = _with_accounts(l2_genesis(chain_id=901, timestamp=1_700_000_000))
JOVIAN = _with_accounts(l2_genesis(chain_id=901, timestamp=1_700_000_000, min_base_fee=7))


def _holocene() -> ChainConfig:
    rollup = ISTHMUS.config.rollup
    assert rollup is not None
    return replace(ISTHMUS.config, prague_time=None, rollup=replace(rollup, isthmus_time=None))


def _ethereum_block() -> tuple[MemoryChain, ExecutedBlock]:
    chain = MemoryChain(ETHEREUM)
    transactions = (
        sign(nonce=0, value=5),
        sign(kind=LEGACY, nonce=1, to=LOGGER, data=bytes(31) + b"\x07"),
        sign(kind=ACCESS_LIST, nonce=2, to=LOGGER, data=bytes(31) + b"\x08"),
        sign(kind=BLOB, nonce=3),
        sign(nonce=4, to=None, data=bytes.fromhex("60015ff3")),
    )
    withdrawals = (Withdrawal(0, 9, RECIPIENT, 3), Withdrawal(1, 9, Address(b"\x99" * 20), 4))
    attributes = chain.attributes(
        *transactions, withdrawals=withdrawals, extra_data=b"ours", fee_recipient=RECIPIENT
    )
    return chain, chain.build(attributes)


def _rollup_block(
    genesis: Genesis = ISTHMUS, config: ChainConfig | None = None
) -> tuple[MemoryChain, ExecutedBlock]:
    chain = MemoryChain(genesis, config)
    scalar = 400 if genesis is JOVIAN else None
    attributes = chain.attributes(
        l1_attributes(is_isthmus=config is None, da_footprint_gas_scalar=scalar),
        sign(nonce=0, value=5),
        sign(nonce=1, to=LOGGER, data=bytes(31) + b"\x07"),
    )
    return chain, chain.build(attributes)


BLOCKS: list[Callable[[], tuple[MemoryChain, ExecutedBlock]]] = [
    _ethereum_block,
    _rollup_block,
    lambda: _rollup_block(JOVIAN),
    lambda: _rollup_block(config=_holocene()),
]
BLOCK_NAMES = ["ethereum", "isthmus", "jovian", "holocene"]


@pytest.mark.parametrize("make", BLOCKS, ids=BLOCK_NAMES)
def test_a_built_block_executes_to_itself(
    make: Callable[[], tuple[MemoryChain, ExecutedBlock]],
) -> None:
    chain, built = make()
    assert chain.execute(built.block) == built


@pytest.mark.parametrize("make", BLOCKS, ids=BLOCK_NAMES)
def test_receipts_add_up(make: Callable[[], tuple[MemoryChain, ExecutedBlock]]) -> None:
    _, built = make()
    total = 0
    for receipt, tx in zip(built.receipts, built.block.transactions, strict=True):
        total += receipt.gas_used
        assert (receipt.type, receipt.cumulative_gas_used) == (tx.type, total)
        assert receipt.bloom == logs_bloom(receipt.logs)
        assert (receipt.contract_address is None) == (tx.to is not None)
    assert built.block.header.gas_used == total
    logs = [log for receipt in built.receipts for log in receipt.logs]
    assert built.block.header.bloom == logs_bloom(logs)
    assert Log(LOGGER, (Hash32(bytes(31) + b"\xaa"),), bytes(31) + b"\x07") in logs


def test_a_contract_address_is_named_in_the_receipt() -> None:
    _, built = _ethereum_block()
    assert built.receipts[-1].contract_address == create_address(SENDER, 4)


TAMPERED = {
    "parentHash": {"parent_hash": ZERO_HASH},
    "number": {"number": 9},
    "timestamp": {"timestamp": 1_700_000_000},
    "transactionsRoot": {"transactions_root": ZERO_HASH},
    "gasUsed": {"gas_used": 1},
    "receiptsRoot": {"receipts_root": ZERO_HASH},
    "logsBloom": {"bloom": bytes(256)},
    "stateRoot": {"state_root": ZERO_HASH},
    "withdrawalsRoot": {"withdrawals_root": ZERO_HASH},
    "requestsHash": {"requests_hash": ZERO_HASH},
    "blobGasUsed": {"blob_gas_used": 1},
    "excessBlobGas": {"excess_blob_gas": 1},
    "baseFeePerGas": {"base_fee": 1},
    "difficulty": {"difficulty": 1},
    "nonce": {"nonce": b"\x01" * 8},
    "sha3Uncles": {"ommers_hash": ZERO_HASH},
}


@pytest.mark.parametrize("field", TAMPERED)
@pytest.mark.parametrize("make", BLOCKS, ids=BLOCK_NAMES)
def test_a_tampered_header_names_its_field(
    make: Callable[[], tuple[MemoryChain, ExecutedBlock]], field: str
) -> None:
    chain, built = make()
    header = replace(built.block.header, **TAMPERED[field])
    with pytest.raises(InvalidBlock) as caught:
        chain.execute(replace(built.block, header=header))
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: expected ")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"gas_limit": 30_000_000 + 30_000_000 // 1024}, "gasLimit"),
        ({"gas_limit": 30_000_000 - 30_000_000 // 1024}, "gasLimit"),
        ({"extra_data": bytes(33)}, "extraData"),
        ({"gas_used": 30_000_001}, "gasUsed"),
        # What the header may choose freely changes the state, because the block records it.
        ({"parent_beacon_block_root": ZERO_HASH}, "stateRoot"),
        ({"coinbase": ZERO_HASH[:20]}, "stateRoot"),
    ],
)
def test_ethereum_header_rules(fields: dict[str, object], named: str) -> None:
    chain, built = _ethereum_block()
    with pytest.raises(InvalidBlock) as caught:
        chain.execute(replace(built.block, header=replace(built.block.header, **fields)))
    assert caught.value.field == named


def test_a_rollups_gas_limit_is_free() -> None:
    chain = MemoryChain(ISTHMUS)
    built = chain.build(chain.attributes(l1_attributes(), gas_limit=5_000_000))
    assert chain.execute(built.block) == built


@pytest.mark.parametrize("extra", [b"", bytes(9), b"\x01" + b"\x01" * 16])
def test_a_rollups_extra_data_is_checked(extra: bytes) -> None:
    chain = MemoryChain(ISTHMUS)
    with pytest.raises(InvalidBlock) as caught:
        chain.build(chain.attributes(l1_attributes(), extra_data=extra))
    assert caught.value.field == "extraData"


def test_a_rollup_block_has_no_withdrawals() -> None:
    chain = MemoryChain(ISTHMUS)
    attributes = chain.attributes(l1_attributes(), withdrawals=(Withdrawal(0, 0, SENDER, 1),))
    with pytest.raises(InvalidBlock) as caught:
        chain.build(attributes)
    assert caught.value.field == "withdrawals"


def test_a_transaction_that_cannot_be_included_is_named() -> None:
    chain = MemoryChain(ETHEREUM)
    with pytest.raises(InvalidBlock) as caught:
        chain.build(chain.attributes(sign(nonce=0), sign(nonce=2)))
    assert caught.value.field == "transactions[1]"
    assert "nonce too high" in str(caught.value)
    block = replace(_ethereum_block()[1].block, transactions=(sign(nonce=1),))
    with pytest.raises(InvalidBlock, match=r"^transactions\[0\].*nonce too high"):
        chain.execute(block)


def test_an_interrupt_is_for_one_transaction_and_not_for_the_sealing() -> None:
    chain = MemoryChain(ETHEREUM)
    execution = chain.begin()
    asked = []

    def interrupt() -> None:
        asked.append(len(asked))
        if len(asked) == 2:
            raise OutOfTime("enough")

    execution.apply(sign(nonce=0, to=LOGGER), interrupt)
    with pytest.raises(OutOfTime):
        execution.apply(sign(nonce=1, to=LOGGER, value=1), interrupt)
    execution.apply(sign(nonce=1, to=LOGGER))
    execution.seal()  # runs the system contracts' code
    assert len(asked) == 2


def test_withdrawals_pay_gwei() -> None:
    chain, built = _ethereum_block()
    before = chain.balance(RECIPIENT)
    chain.add(built)
    tips = 0
    for receipt, tx in zip(built.receipts, built.block.transactions, strict=True):
        assert isinstance(tx, Transaction)
        base_fee = built.block.header.base_fee
        tips += receipt.gas_used * (tx.effective_gas_price(base_fee) - base_fee)
    assert chain.balance(RECIPIENT) == before + 5 + tips + 3 * GWEI
    assert chain.balance(Address(b"\x99" * 20)) == 4 * GWEI
    burnt = built.block.header.gas_used * built.block.header.base_fee + 131_072
    spent = 10**21 - chain.balance(SENDER)
    assert spent == tips + burnt + 5


def test_system_contracts_record_the_parent() -> None:
    chain, built = _ethereum_block()
    parent, timestamp = chain.head, built.block.header.timestamp
    chain.add(built)
    assert chain.storage(HISTORY, parent.number % 8191) == int.from_bytes(parent.hash, "big")
    assert chain.storage(BEACON_ROOTS, timestamp % 8191) == timestamp
    root = built.block.header.parent_beacon_block_root
    assert chain.storage(BEACON_ROOTS, timestamp % 8191 + 8191) == int.from_bytes(root, "big")


def test_cancun_has_no_history_contract_and_no_requests() -> None:
    chain = MemoryChain(ETHEREUM, replace(ETHEREUM.config, prague_time=None))
    parent = chain.head
    built = chain.extend(sign(nonce=0))
    assert built.block.header.requests_hash is None
    assert chain.storage(HISTORY, parent.number % 8191) == 0


def test_code_reads_the_hashes_of_earlier_blocks() -> None:
    chain = MemoryChain(ETHEREUM)
    parent = chain.head.hash
    chain.extend(sign(nonce=0, to=HASHER))
    assert chain.storage(HASHER, 0) == int.from_bytes(parent, "big")


# Rollup headers and fees


def test_holocene_headers() -> None:
    _, built = _rollup_block(config=_holocene())
    header = built.block.header
    assert (header.withdrawals_root, header.requests_hash) == (EMPTY_TRIE_ROOT, None)
    assert len(header.encode()) < 600


def test_isthmus_headers_commit_to_the_message_passer() -> None:
    chain, built = _rollup_block()
    account = chain.account(MESSAGE_PASSER)
    assert account is not None
    assert built.block.header.withdrawals_root == account.storage_root != EMPTY_TRIE_ROOT
    assert built.block.header.requests_hash == EMPTY_REQUESTS_HASH
    assert built.block.header.blob_gas_used == 0


def test_the_withdrawals_root_is_that_after_the_block() -> None:
    chain = MemoryChain(ISTHMUS)
    before = chain.account(MESSAGE_PASSER)
    # initiateWithdrawal(address,uint256,bytes) of nothing to nobody.
    data = bytes.fromhex("c2b3e5ac") + bytes(63) + b"\x01" + bytes(31) + b"\x60" + bytes(32)
    tx = sign(to=MESSAGE_PASSER, gas=300_000, data=data, value=3)
    built = chain.extend(l1_attributes(), tx)
    after = chain.account(MESSAGE_PASSER)
    assert built.receipts[1].status == 1
    assert before is not None
    assert after is not None
    assert built.block.header.withdrawals_root == after.storage_root != before.storage_root


def test_a_missing_message_passer_leaves_zeros() -> None:
    alloc = {a: account for a, account in ISTHMUS.alloc.items() if a != MESSAGE_PASSER}
    chain = MemoryChain(replace(ISTHMUS, alloc=alloc))
    assert chain.extend(l1_attributes()).block.header.withdrawals_root == ZERO_HASH


def _fees_of_one_transaction(
    genesis: Genesis, operator_scalar: int, operator_constant: int
) -> tuple[MemoryChain, ExecutedBlock, Transaction]:
    chain = MemoryChain(genesis)
    attributes = l1_attributes(
        operator_fee_scalar=operator_scalar,
        operator_fee_constant=operator_constant,
        da_footprint_gas_scalar=400 if genesis is JOVIAN else None,
    )
    tx = sign(to=LOGGER, data=bytes(31) + b"\x07", gas=200_000)
    return chain, chain.extend(attributes, tx), tx


@pytest.mark.parametrize(
    ("genesis", "fee_of"),
    [
        (ISTHMUS, lambda gas: gas * 5_000_000 // 10**6 + 77),
        (JOVIAN, lambda gas: gas * 5_000_000 * 100 + 77),
    ],
    ids=["isthmus", "jovian"],
)
def test_every_fee_reaches_its_vault(genesis: Genesis, fee_of: Callable[[int], int]) -> None:
    chain, executed, tx = _fees_of_one_transaction(genesis, 5_000_000, 77)
    gas, base_fee = executed.receipts[1].gas_used, executed.block.header.base_fee
    assert gas < tx.gas
    data_fee = l1_fee(tx, L1FeeParameters(10**9, 10**8, 1_368, 810_949))
    tip = gas * (tx.effective_gas_price(base_fee) - base_fee)
    assert chain.balance(SEQUENCER_VAULT) == tip
    assert chain.balance(BASE_FEE_VAULT) == gas * base_fee
    assert chain.balance(L1_FEE_VAULT) == data_fee > 0
    assert chain.balance(OPERATOR_FEE_VAULT) == fee_of(gas)
    assert chain.balance(SENDER) == 10**21 - tip - gas * base_fee - data_fee - fee_of(gas)


def test_holocene_has_no_operator_fee() -> None:
    chain, built = _rollup_block(config=_holocene())
    chain.add(built)
    assert chain.balance(OPERATOR_FEE_VAULT) == 0
    assert chain.balance(L1_FEE_VAULT) > 0


def test_the_attributes_of_the_very_block_price_it() -> None:
    chain = MemoryChain(ISTHMUS)
    chain.extend(l1_attributes(base_fee_scalar=0, blob_base_fee_scalar=0, l1_blob_base_fee=0))
    chain.extend(l1_attributes(l1_base_fee=5 * 10**9, blob_base_fee_scalar=0), sign(nonce=0))
    expected = l1_fee(sign(nonce=0), L1FeeParameters(5 * 10**9, 10**8, 1_368, 0))
    assert chain.balance(L1_FEE_VAULT) == expected


def test_the_jovian_da_footprint_is_in_the_header() -> None:
    _, built = _rollup_block(JOVIAN)
    signed = [tx for tx in built.block.transactions if isinstance(tx, Transaction)]
    footprint = sum(da_size(tx) for tx in signed) * 400
    assert built.block.header.blob_gas_used == footprint == 2 * 100 * 400


def test_the_da_footprint_is_bounded_by_the_gas_limit() -> None:
    chain = MemoryChain(JOVIAN)
    noise = b"".join(keccak256(bytes([i])) for i in range(100))
    attributes = chain.attributes(gas_limit=1_000_000)
    execution = chain.begin(attributes)
    execution.apply(l1_attributes(da_footprint_gas_scalar=400))
    heavy = sign(nonce=0, data=noise, gas=200_000)
    with pytest.raises(BlockGasLimitReached, match=r"DA footprint 0 \+ 1121600, limit 1000000"):
        execution.apply(heavy)
    execution.apply(sign(nonce=0))
    assert execution.seal().block.header.blob_gas_used == 40_000


def test_jovian_wants_its_own_attributes() -> None:
    chain = MemoryChain(JOVIAN)
    with pytest.raises(InvalidBlock, match=r"^transactions\[0\]: expected Jovian L1 attributes"):
        chain.build(chain.attributes(l1_attributes(), sign(nonce=0)))
    built = chain.build(chain.attributes(l1_attributes()))
    assert built.block.header.blob_gas_used == 0


def test_jovian_keeps_the_minimum_base_fee() -> None:
    chain = MemoryChain(JOVIAN)
    extra = encode_extra_data(JOVIAN.config, 0, Eip1559Parameters(250, 6, 10**10))
    attributes = chain.attributes(l1_attributes(da_footprint_gas_scalar=400), extra_data=extra)
    chain.add(chain.build(attributes))
    assert chain.extend(l1_attributes(da_footprint_gas_scalar=0)).block.header.base_fee == 10**10


# Properties

_ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(0, 10**18)),
        st.tuples(st.just("log"), st.integers(0, 2**256 - 1)),
        st.tuples(st.just("create"), st.binary(max_size=40)),
        st.tuples(st.just("wrong nonce"), st.integers(1, 5)),
    ),
    max_size=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_ACTIONS)
def test_refused_transactions_never_show_in_a_block(actions: list[tuple[str, object]]) -> None:
    chain = MemoryChain(ISTHMUS)
    execution = chain.begin()
    included: list[Transaction] = []
    execution.apply(l1_attributes())
    for kind, value in actions:
        tx = _transaction(kind, value, len(included))
        if kind == "wrong nonce":
            with pytest.raises(Exception, match="nonce too high"):
                execution.apply(tx)
        else:
            execution.apply(tx)
            included.append(tx)
    sealed = execution.seal()
    assert sealed == chain.build(chain.attributes(l1_attributes(), *included))
    assert chain.execute(sealed.block) == sealed


def _transaction(kind: str, value: object, nonce: int) -> Transaction:
    if kind == "pay":
        assert isinstance(value, int)
        return sign(nonce=nonce, value=value)
    if kind == "log":
        assert isinstance(value, int)
        return sign(nonce=nonce, to=LOGGER, data=value.to_bytes(32, "big"))
    if kind == "create":
        assert isinstance(value, bytes)
        return sign(nonce=nonce, to=None, data=value, gas=300_000)
    assert isinstance(value, int)
    return sign(nonce=nonce + value)

"""Every rule that keeps a signed transaction out of a block: its error, and an untouched state."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from node.errors import (
    BlockGasLimitReached,
    FeeCapTooLow,
    InitCodeTooLarge,
    InsufficientFunds,
    IntrinsicGasTooLow,
    InvalidTransaction,
    NonceTooHigh,
    NonceTooLow,
    SenderNotEoa,
    TipAboveFeeCap,
    TransactionTypeNotSupported,
)
from node.execution.transition import BlockExecution
from node.genesis import Genesis, GenesisAccount, l1_dev_genesis, l2_genesis
from node.types.primitives import Address, keccak256
from node.types.transaction import (
    ACCESS_LIST,
    BLOB,
    LEGACY,
    MAX_NONCE,
    SET_CODE,
    Transaction,
    address_of_key,
)
from tests.node.execution.memory_chain import MemoryChain, l1_attributes
from tests.node.execution.signing import GWEI, KEY, SENDER, authorize, sign

CONTRACT_KEY = keccak256(b"an account with code")
DELEGATED_KEY = keccak256(b"an account that delegated")
LAST_NONCE_KEY = keccak256(b"an account at the end of its nonces")
POOR_KEY = keccak256(b"an account with little")
ACCOUNTS = {
    SENDER: GenesisAccount(balance=10**21, nonce=3),
    address_of_key(CONTRACT_KEY): GenesisAccount(balance=10**21, code=b"\x00"),
    address_of_key(DELEGATED_KEY): GenesisAccount(
        balance=10**21, code=b"\xef\x01\x00" + b"\x33" * 20
    ),
    address_of_key(LAST_NONCE_KEY): GenesisAccount(balance=10**21, nonce=MAX_NONCE),
    address_of_key(POOR_KEY): GenesisAccount(balance=21_000 * GWEI),
}


def _with_accounts(genesis: Genesis) -> Genesis:
    alloc = {**genesis.alloc, **ACCOUNTS}
    return replace(genesis, alloc=alloc, gas_limit=2_000_000, base_fee=GWEI // 2)


ETHEREUM = _with_accounts(l1_dev_genesis(timestamp=1_700_000_000, chain_id=901))
ROLLUP = _with_accounts(l2_genesis(chain_id=901, timestamp=1_700_000_000))


def _begin(genesis: Genesis) -> BlockExecution:
    execution = MemoryChain(genesis).begin()
    if genesis is ROLLUP:
        execution.apply(l1_attributes())
    return execution


def _assert_refused(
    execution: BlockExecution, tx: Transaction, error: type[InvalidTransaction], text: str
) -> None:
    before = (execution.gas_used, execution.gas_left, execution.da_bytes)
    with pytest.raises(error, match=text) as caught:
        execution.apply(tx)
    assert type(caught.value) is error
    assert (execution.gas_used, execution.gas_left, execution.da_bytes) == before


WRONG_ANYWHERE: list[tuple[str, Callable[[], Transaction], type[InvalidTransaction], str]] = [
    (
        "chain id",
        lambda: sign(nonce=3, chain_id=902),
        InvalidTransaction,
        "^invalid chain id for signer: have 902 want 901",
    ),
    (
        "legacy chain id",
        lambda: sign(kind=LEGACY, nonce=3, chain_id=1),
        InvalidTransaction,
        "^invalid chain id for signer: have 1 want 901",
    ),
    ("low nonce", lambda: sign(nonce=2), NonceTooLow, "^nonce too low: address 0x.*tx: 2 state: 3"),
    (
        "high nonce",
        lambda: sign(nonce=4),
        NonceTooHigh,
        "^nonce too high: address 0x.*tx: 4 state: 3",
    ),
    (
        "last nonce",
        lambda: sign(key=LAST_NONCE_KEY, nonce=MAX_NONCE),
        InvalidTransaction,
        "^nonce has max value",
    ),
    (
        "high s",
        lambda: sign(nonce=3, high_s=True),
        InvalidTransaction,
        "^invalid sender",
    ),
    (
        "contract as sender",
        lambda: sign(key=CONTRACT_KEY),
        SenderNotEoa,
        "^sender not an eoa: address 0x",
    ),
    (
        "tip above cap",
        lambda: sign(nonce=3, tip=11, cap=10),
        TipAboveFeeCap,
        "^max priority fee per gas higher than max fee per gas.*: 11, maxFeePerGas: 10",
    ),
    (
        "cap below base fee",
        lambda: sign(nonce=3, tip=1, cap=10),
        FeeCapTooLow,
        "^max fee per gas less than block base fee: .*maxFeePerGas: 10, baseFee: ",
    ),
    (
        "price below base fee",
        lambda: sign(kind=ACCESS_LIST, nonce=3, cap=10),
        FeeCapTooLow,
        "^max fee per gas less than block base fee",
    ),
    (
        "transfer below 21000",
        lambda: sign(nonce=3, gas=20_999),
        IntrinsicGasTooLow,
        "^intrinsic gas too low: have 20999, want 21000",
    ),
    (
        "calldata below the floor",
        lambda: sign(nonce=3, gas=21_000 + 4_000 * 4, data=bytes(4_000)),
        IntrinsicGasTooLow,
        "^intrinsic gas too low: .*floor data gas cost: have 37000, want 61000",
    ),
    (
        "access list",
        lambda: sign(nonce=3, gas=25_299, access_list=((SENDER, (keccak256(b""),)),)),
        IntrinsicGasTooLow,
        "want 25300",
    ),
    (
        "init code",
        lambda: sign(nonce=3, gas=10**6, to=None, data=bytes(49_153)),
        InitCodeTooLarge,
        "^max initcode size exceeded: code size 49153 limit 49152",
    ),
    (
        "creation gas",
        lambda: sign(nonce=3, gas=53_000 + 33 * 4 + 3, to=None, data=bytes(33)),
        IntrinsicGasTooLow,
        "want 53136",
    ),
    (
        "block gas",
        lambda: sign(nonce=3, gas=2_000_001),
        BlockGasLimitReached,
        "^gas limit reached: have",
    ),
    (
        "no authorization",
        lambda: sign(kind=SET_CODE, nonce=3),
        InvalidTransaction,
        "^EIP-7702 transaction with empty auth list",
    ),
    (
        "authorization gas",
        lambda: sign(kind=SET_CODE, nonce=3, gas=45_999, authorizations=(authorize(KEY, SENDER),)),
        IntrinsicGasTooLow,
        "want 46000",
    ),
    (
        "funds at the fee cap",
        lambda: sign(key=POOR_KEY, gas=21_000, tip=1, cap=GWEI + 1),
        InsufficientFunds,
        "^insufficient funds for gas \\* price \\+ value: address 0x.*have 21000000000000 want ",
    ),
    (
        "funds for the value",
        lambda: sign(key=POOR_KEY, gas=21_000, tip=1, cap=GWEI, value=1),
        InsufficientFunds,
        "^insufficient funds for gas",
    ),
]


@pytest.mark.parametrize("genesis", [ETHEREUM, ROLLUP], ids=["ethereum", "rollup"])
@pytest.mark.parametrize(
    ("make", "error", "text"),
    [case[1:] for case in WRONG_ANYWHERE],
    ids=[case[0] for case in WRONG_ANYWHERE],
)
def test_what_neither_chain_includes(
    genesis: Genesis,
    make: Callable[[], Transaction],
    error: type[InvalidTransaction],
    text: str,
) -> None:
    execution = _begin(genesis)
    _assert_refused(execution, make(), error, text)
    untouched = _begin(genesis).seal()
    assert execution.seal() == untouched


WRONG_BLOBS = [
    (lambda: sign(kind=BLOB, nonce=3, blob_hashes=()), "^blob transaction missing blob hashes"),
    (
        lambda: sign(kind=BLOB, nonce=3, blob_hashes=(b"\x01" * 32, b"\x02" * 32)),
        "^blob 1 has invalid hash version: have 2 want 1",
    ),
    (
        lambda: sign(kind=BLOB, nonce=3, blob_cap=0),
        "^max fee per blob gas less than block blob gas fee.*blobGasFeeCap: 0, blobBaseFee: 1",
    ),
    (
        lambda: sign(kind=BLOB, nonce=3, blob_hashes=(b"\x01" * 32,) * 10),
        "^gas limit reached: blob",
    ),
]


@pytest.mark.parametrize(("make", "text"), WRONG_BLOBS)
def test_blob_rules(make: Callable[[], Transaction], text: str) -> None:
    execution = _begin(ETHEREUM)
    with pytest.raises(InvalidTransaction, match=text):
        execution.apply(make())
    assert execution.seal() == _begin(ETHEREUM).seal()


def test_the_blob_limit_is_the_blocks() -> None:
    execution = _begin(ETHEREUM)
    six = (b"\x01" * 32,) * 6
    execution.apply(sign(kind=BLOB, nonce=3, blob_hashes=six))
    with pytest.raises(BlockGasLimitReached, match=r"blob gas 786432 \+ 786432, limit 1179648"):
        execution.apply(sign(kind=BLOB, nonce=4, blob_hashes=six))
    execution.apply(sign(kind=BLOB, nonce=4, blob_hashes=six[:3]))
    assert execution.seal().block.header.blob_gas_used == 9 * 131_072


def test_a_rollup_takes_no_blobs() -> None:
    _assert_refused(
        _begin(ROLLUP),
        sign(kind=BLOB, nonce=3),
        TransactionTypeNotSupported,
        "^transaction type not supported: 3",
    )


def test_authorizations_begin_with_prague() -> None:
    chain = MemoryChain(ETHEREUM, replace(ETHEREUM.config, prague_time=None))
    tx = sign(kind=SET_CODE, nonce=3, authorizations=(authorize(KEY, SENDER),))
    with pytest.raises(TransactionTypeNotSupported, match=r"^transaction type not supported: 4"):
        chain.begin().apply(tx)


def test_cancun_has_no_calldata_floor() -> None:
    chain = MemoryChain(ETHEREUM, replace(ETHEREUM.config, prague_time=None))
    tx = sign(nonce=3, gas=21_000 + 4_000 * 4, data=bytes(4_000))
    assert chain.begin().apply(tx).gas_used == 37_000


def test_deposits_are_a_rollups_own() -> None:
    execution = _begin(ETHEREUM)
    with pytest.raises(TransactionTypeNotSupported, match=r"^transaction type not supported: 126"):
        execution.apply(l1_attributes())


def test_a_rollup_wants_the_l1_and_operator_fees_too() -> None:
    execution = MemoryChain(ROLLUP).begin()
    execution.apply(l1_attributes(operator_fee_constant=77))
    tx = sign(key=POOR_KEY, gas=21_000, tip=1, cap=GWEI)
    with pytest.raises(InsufficientFunds) as caught:
        execution.apply(tx)
    price = 16 * 1_368 * 10**9 + 810_949 * 10**8
    want = 21_000 * GWEI + 100_000_000 * price // 10**12 + 77
    assert str(caught.value).endswith(f"have {21_000 * GWEI} want {want}")


def test_an_account_that_delegated_still_sends() -> None:
    assert _begin(ETHEREUM).apply(sign(key=DELEGATED_KEY, tip=GWEI)).status == 1


def test_an_unprotected_legacy_transaction_is_valid() -> None:
    assert _begin(ETHEREUM).apply(sign(kind=LEGACY, nonce=3, chain_id=None)).status == 1


def test_types_without_replay_protection_need_the_chain_id() -> None:
    _assert_refused(
        _begin(ETHEREUM), sign(nonce=3, chain_id=0), InvalidTransaction, "^invalid chain id"
    )


def test_gas_left_counts_gas_used_not_limits() -> None:
    execution = _begin(ETHEREUM)
    execution.apply(sign(nonce=3, gas=1_999_999, to=Address(b"\x22" * 20)))
    assert execution.gas_left == 2_000_000 - 21_000

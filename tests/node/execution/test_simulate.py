"""eth_call and eth_estimateGas: prices, context, failures with their reasons, good estimates."""

from dataclasses import replace

import pytest

from node.errors import (
    ExecutionFailed,
    ExecutionReverted,
    FeeCapTooLow,
    InsufficientFunds,
    IntrinsicGasTooLow,
    TipAboveFeeCap,
)
from node.execution.revert_reason import revert_message
from node.execution.simulate import GAS_CAP, CallRequest, Outcome, call, estimate_gas
from node.genesis import GenesisAccount, l1_dev_genesis, l2_genesis
from node.types.primitives import Address, create_address, hex_address, keccak256
from tests.node.execution.memory_chain import MemoryChain, l1_attributes
from tests.node.execution.signing import SENDER, authorize, sign

POOR = Address(b"\x01" * 20)
STORER = Address(b"\x51" * 20)
NESTED = Address(b"\x52" * 20)
REVERTER = Address(b"\x53" * 20)
CONTEXT = Address(b"\x54" * 20)
CLEARER = Address(b"\x55" * 20)
SPENDER = Address(b"\x56" * 20)


def _store_and_return(*opcodes: int) -> bytes:
    """Code that returns what each opcode pushes."""
    code = b""
    for index, opcode in enumerate(opcodes):
        code += bytes([opcode, 0x61]) + (32 * index).to_bytes(2, "big") + b"\x52"
    return code + b"\x61" + (32 * len(opcodes)).to_bytes(2, "big") + b"\x5f\xf3"


BASE = l1_dev_genesis(timestamp=1_700_000_000, chain_id=901)
GENESIS = replace(
    BASE,
    alloc={
        **BASE.alloc,
        SENDER: GenesisAccount(balance=10**18),
        POOR: GenesisAccount(balance=5),
        STORER: GenesisAccount(nonce=1, code=bytes.fromhex("5f355f5500")),
        # Calls STORER with its own input and all gas, and fails if that failed.
        NESTED: GenesisAccount(
            nonce=1,
            code=bytes.fromhex("365f5f375f5f365f5f73" + STORER.hex() + "5af115602557005b")
            + bytes.fromhex("5f5ffd"),
        ),
        # Reverts with its own input.
        REVERTER: GenesisAccount(nonce=1, code=bytes.fromhex("365f5f37365ffd")),
        # ORIGIN, CALLER, COINBASE, TIMESTAMP, NUMBER, PREVRANDAO, GASLIMIT, BASEFEE, GASPRICE
        CONTEXT: GenesisAccount(
            nonce=1, code=_store_and_return(0x32, 0x33, 0x41, 0x42, 0x43, 0x44, 0x45, 0x48, 0x3A)
        ),
        CLEARER: GenesisAccount(
            nonce=1, code=bytes.fromhex("5f5f555f60015500"), storage={0: 1, 1: 1}
        ),
        SPENDER: GenesisAccount(nonce=1, code=b"\xfe"),
    },
)


@pytest.fixture
def chain() -> MemoryChain:
    return MemoryChain(GENESIS)


def _call(chain: MemoryChain, request: CallRequest) -> Outcome:
    return call(chain.config, chain.head, chain.view(), request, chain.block_hash)


def _estimate(chain: MemoryChain, request: CallRequest) -> int:
    return estimate_gas(chain.config, chain.head, chain.view(), request, chain.block_hash)


def _words(output: bytes) -> list[int]:
    return [int.from_bytes(output[at : at + 32], "big") for at in range(0, len(output), 32)]


def test_a_call_sees_the_block_and_costs_nothing(chain: MemoryChain) -> None:
    chain.extend()
    head = chain.head
    outcome = _call(chain, CallRequest(sender=POOR, to=CONTEXT))
    assert _words(outcome.output) == [
        int.from_bytes(POOR, "big"),
        int.from_bytes(POOR, "big"),
        int.from_bytes(head.coinbase, "big"),
        head.timestamp,
        head.number,
        int.from_bytes(head.prev_randao, "big"),
        head.gas_limit,
        0,
        0,
    ]


def test_a_priced_call_pays_and_sees_its_price(chain: MemoryChain) -> None:
    base_fee = chain.head.base_fee
    request = CallRequest(sender=SENDER, to=CONTEXT, gas=100_000, gas_price=base_fee + 5)
    assert _words(_call(chain, request).output)[-2:] == [base_fee, base_fee + 5]
    tipped = CallRequest(
        sender=SENDER,
        to=CONTEXT,
        gas=100_000,
        max_fee_per_gas=2 * base_fee,
        max_priority_fee_per_gas=3,
    )
    assert _words(_call(chain, tipped).output)[-1] == base_fee + 3
    with pytest.raises(InsufficientFunds, match=r"^insufficient funds for gas \* price \+ value"):
        _call(chain, replace(request, sender=POOR))
    with pytest.raises(FeeCapTooLow, match=r"^max fee per gas less than block base fee"):
        _call(chain, replace(request, gas_price=base_fee - 1))
    with pytest.raises(TipAboveFeeCap, match=r"^max priority fee per gas higher"):
        _call(chain, CallRequest(to=CONTEXT, max_priority_fee_per_gas=1))


def test_the_gas_of_a_call_is_capped(chain: MemoryChain) -> None:
    gas_at_start = bytes.fromhex("5a5f5260205ff3")
    code_address = create_address(SENDER, 0)
    creation = bytes.fromhex("66") + gas_at_start + bytes.fromhex("5f5260076019f3")
    chain.extend(sign(to=None, data=creation, gas=200_000))
    free = _call(chain, CallRequest(to=code_address))
    assert _words(free.output) == [GAS_CAP - 21_000 - 2]
    huge = _call(chain, CallRequest(to=code_address, gas=2**63))
    assert _words(huge.output) == [GAS_CAP - 21_000 - 2]
    exact = _call(chain, CallRequest(to=code_address, gas=60_000))
    assert _words(exact.output) == [60_000 - 21_000 - 2]


def test_a_call_leaves_no_trace(chain: MemoryChain) -> None:
    _call(chain, CallRequest(sender=SENDER, to=STORER, data=b"\x01" * 32, value=5))
    assert chain.storage(STORER, 0) == 0
    assert chain.balance(STORER) == 0


def test_value_must_be_owned(chain: MemoryChain) -> None:
    with pytest.raises(InsufficientFunds, match="have 5 want 6"):
        _call(chain, CallRequest(sender=POOR, to=STORER, value=6))


def test_reverts_carry_their_data_and_reason(chain: MemoryChain) -> None:
    reason = b"not today"
    data = keccak256(b"Error(string)")[:4] + (32).to_bytes(32, "big")
    data += len(reason).to_bytes(32, "big") + reason.ljust(32, b"\x00")
    with pytest.raises(ExecutionReverted) as caught:
        _call(chain, CallRequest(to=REVERTER, data=data))
    assert str(caught.value) == "execution reverted: not today"
    assert caught.value.data == data
    with pytest.raises(ExecutionReverted, match=r"^execution reverted$") as caught:
        _estimate(chain, CallRequest(to=REVERTER, data=b"\x01\x02\x03\x04"))
    assert caught.value.data == b"\x01\x02\x03\x04"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "execution reverted"),
        ("08c379a0", "execution reverted"),
        ("08c379a0" + "ff" * 64, "execution reverted"),
        ("08c379a0" + "00" * 31 + "20" + "00" * 31 + "05" + "6869", "execution reverted"),
        ("4e487b71" + "00" * 31 + "11", "execution reverted: arithmetic underflow or overflow"),
        ("4e487b71" + "00" * 31 + "99", "execution reverted: unknown panic code: 0x99"),
        ("4e487b71" + "00" * 30, "execution reverted"),
    ],
)
def test_reasons_are_read_with_care(data: str, message: str) -> None:
    assert revert_message(bytes.fromhex(data)) == message


def test_other_failures_have_go_ethereums_words(chain: MemoryChain) -> None:
    with pytest.raises(ExecutionFailed, match=r"^invalid opcode"):
        _call(chain, CallRequest(to=SPENDER))
    with pytest.raises(ExecutionFailed, match=r"^out of gas$"):
        _call(chain, CallRequest(to=STORER, data=b"\x01" * 32, gas=30_000))
    with pytest.raises(IntrinsicGasTooLow, match=r"^intrinsic gas too low"):
        _call(chain, CallRequest(to=STORER, gas=20_000))


def test_creations_return_the_code(chain: MemoryChain) -> None:
    outcome = _call(chain, CallRequest(data=bytes.fromhex("60fe5f5360015ff3")))
    assert outcome.output == b"\xfe"


def test_authorizations_are_simulated(chain: MemoryChain) -> None:
    item = authorize(keccak256(b"nobody yet"), CONTEXT)
    authority = item.authority()
    outcome = _call(chain, CallRequest(to=authority, authorization_list=(item,)))
    assert len(outcome.output) == 9 * 32


def test_a_transfer_is_estimated_at_its_cost(chain: MemoryChain) -> None:
    assert _estimate(chain, CallRequest(sender=SENDER, to=POOR, value=1)) == 21_000
    listed = CallRequest(sender=SENDER, to=POOR, access_list=((POOR, ()),))
    assert 23_400 <= _estimate(chain, listed) < 23_400 * 1.02


@pytest.mark.parametrize("target", [STORER, NESTED, CLEARER], ids=["store", "nested", "refund"])
def test_estimates_suffice_and_are_close(chain: MemoryChain, target: Address) -> None:
    data = bytes(31) + b"\x01"
    request = CallRequest(sender=SENDER, to=target, data=data)
    estimate = _estimate(chain, request)
    assert (
        chain.build(chain.attributes(sign(to=target, data=data, gas=estimate))).receipts[0].status
    )
    least = int(estimate * 0.985) - 1
    assert (
        not chain.build(chain.attributes(sign(to=target, data=data, gas=least))).receipts[0].status
    )


def test_estimates_are_bounded_by_what_the_sender_can_pay(chain: MemoryChain) -> None:
    base_fee = chain.head.base_fee
    request = CallRequest(sender=SENDER, to=STORER, data=b"\x01" * 32)
    affordable = 10**18 // 30_000
    with pytest.raises(ExecutionFailed, match=r"^gas required exceeds allowance \(30000\)"):
        _estimate(chain, replace(request, gas_price=affordable))
    with pytest.raises(InsufficientFunds):
        _estimate(chain, replace(request, sender=POOR, gas_price=base_fee, value=6))
    with pytest.raises(ExecutionFailed, match=r"^gas required exceeds allowance \(25000\)"):
        _estimate(chain, replace(request, gas=25_000))


def test_the_calldata_floor_bounds_an_estimate(chain: MemoryChain) -> None:
    estimate = _estimate(chain, CallRequest(sender=SENDER, to=POOR, data=b"\x01" * 100))
    assert 25_000 <= estimate <= 25_000 * 1.02


def test_the_l1_fee_is_no_gas() -> None:
    genesis = l2_genesis(chain_id=901, timestamp=1_700_000_000)
    genesis = replace(genesis, alloc={**genesis.alloc, SENDER: GenesisAccount(balance=1)})
    rollup = MemoryChain(genesis)
    rollup.extend(l1_attributes())
    zero = hex_address("00" * 20)
    assert _estimate(rollup, CallRequest(sender=SENDER, to=zero, value=1)) == 21_000

"""Gas of messages: a target gets what it was promised, or the message waits for its replay."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from node.types.deposit import DepositTransaction
from node.types.receipt import Receipt
from tests.contracts.conftest import ALICE
from tests.contracts.local_chain import OutOfGas, Reverted, address_text, encode_call
from tests.contracts.rollup import Rollup
from tests.contracts.test_messengers import alias
from tests.contracts.two_chains import TwoChains

# Logs the gas that it has when it is called, less the 2 of GAS itself: GAS PUSH0 MSTORE
# PUSH1 32 PUSH0 LOG0.
METER = bytes.fromhex("5a5f5260205fa0")
METER_CREATION = bytes.fromhex("6007600c60003960076000f3") + METER
METER_GAS = 1_000
BOB = b"\xb0\xb0" * 10
NONCE = 1 << 240
# What the portal sells in a block.
MAX_DEPOSIT_GAS = 20_000_000

promised = st.integers(METER_GAS, 21_000_000)
sizes = st.one_of(st.integers(0, 300), st.integers(0, 119_000))
same_chains = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def chains() -> Iterator[TwoChains]:
    with TwoChains.opened() as chains:
        yield chains


@pytest.fixture
def meter(chains: TwoChains) -> bytes:
    """The meter's address on L2."""
    return chains.l2.create(METER_CREATION, sender=ALICE)


def relaying(meter: bytes, min_gas: int, message: bytes) -> bytes:
    fields = NONCE, address_text(ALICE), address_text(meter), 0, min_gas, message
    return encode_call("L2CrossDomainMessenger", "relayMessage", *fields)


def delivery(chains: TwoChains, data: bytes, gas: int) -> DepositTransaction:
    """The deposit by which L1's messenger delivers."""
    sender = alias(chains.l1_messenger.address)
    return chains.l2.deposit(sender, chains.l2_messenger.address, data, gas=gas)


def run(l2: Rollup, deposit: DepositTransaction) -> Receipt:
    """Execute without keeping anything."""
    return l2.chain.build(deposit).receipts[1]


def measured(receipt: Receipt, meter: bytes) -> int | None:
    """Gas that the meter had, None if it was not called or has had too little to say so."""
    gas = [int.from_bytes(log.data, "big") + 2 for log in receipt.logs if log.address == meter]
    return gas[0] if gas else None


@given(min_gas=promised, size=sizes)
@example(min_gas=METER_GAS, size=0)
@example(min_gas=METER_GAS, size=119_000)
@example(min_gas=16_000_000, size=119_000)
@example(min_gas=19_000_000, size=0)
@same_chains
def test_base_gas_is_enough_on_l2(chains: TwoChains, meter: bytes, min_gas: int, size: int) -> None:
    """Also behind the proxy, for messages of whatever length, and bytes at their dearest."""
    message = b"\xff" * size
    gas = chains.l1_messenger.read("baseGas", message, min_gas)
    assert gas == chains.l2_messenger.read("baseGas", message, min_gas)
    assert gas >= chains.contracts.portal.read("minimumGasLimit", size + 260)
    if gas > MAX_DEPOSIT_GAS:
        return
    receipt = run(chains.l2, delivery(chains, relaying(meter, min_gas, message), gas))
    assert receipt.status == 1
    entry = measured(receipt, meter)
    assert entry is not None
    assert entry >= min_gas


@given(min_gas=st.integers(METER_GAS, 2_000_000), size=st.integers(0, 2_000), data=st.data())
@same_chains
def test_less_than_base_gas_breaks_no_promise_on_l2(
    chains: TwoChains, meter: bytes, min_gas: int, size: int, data: st.DataObject
) -> None:
    message = b"\xff" * size
    enough = chains.l1_messenger.read("baseGas", message, min_gas)
    gas = data.draw(st.integers(21_000, enough))
    receipt = run(chains.l2, delivery(chains, relaying(meter, min_gas, message), gas))
    entry = measured(receipt, meter)
    if entry is None:
        assert receipt.status == 0 or is_failure(chains, receipt)
    else:
        assert entry >= min_gas


@pytest.mark.parametrize(("min_gas", "size"), [(METER_GAS, 0), (200_000, 500), (3_000_000, 20_000)])
def test_a_replay_brings_enough_gas_or_fails(
    chains: TwoChains, meter: bytes, min_gas: int, size: int
) -> None:
    data = relaying(meter, min_gas, b"\xff" * size)
    enough = chains.l1_messenger.read("baseGas", b"\xff" * size, min_gas)
    # Delivered with too little for the target: it waits.
    (receipt,) = chains.l2.include(delivery(chains, data, enough - 30_000))
    assert is_failure(chains, receipt)
    delivered = 0
    for gas in range(max(enough - 120_000, 0), enough + 80_000, 7_919):
        receipt = run(
            chains.l2, chains.l2.deposit(ALICE, chains.l2_messenger.address, data, gas=gas)
        )
        entry = measured(receipt, meter)
        assert (entry is not None) == (receipt.status == 1)
        assert entry is None or entry >= min_gas
        delivered += receipt.status
    assert delivered > 0


def is_failure(chains: TwoChains, receipt: Receipt) -> bool:
    return len(chains.l2_messenger.events(receipt, "FailedRelayedMessage")) == 1


@pytest.mark.parametrize(
    ("min_gas", "size"), [(METER_GAS, 0), (50_000, 31), (1_000_000, 5_000), (7_000_000, 60_000)]
)
@pytest.mark.parametrize("is_delegated", [False, True])
def test_finalizing_brings_enough_gas_or_fails_on_l1(
    chains: TwoChains, min_gas: int, size: int, is_delegated: bool
) -> None:
    """The portal insists on baseGas, with which L1's messenger keeps its promise."""
    meter = chains.l1.create(METER_CREATION, sender=ALICE)
    if is_delegated:
        # The dearest target: its code is another account's (EIP-7702).
        chains.l1.state.set_code(BOB, b"\xef\x01\x00" + meter)
        chains.l1.state.lock_changes()
        meter = BOB
    arguments = address_text(meter), b"\xff" * size, min_gas
    receipt = chains.l2_messenger.send("sendMessage", *arguments, sender=ALICE, gas=10_000_000)
    withdrawal = chains.prove(receipt)
    chains.l1.timestamp += 10**6
    gas = withdrawal.gas_limit
    outcome = None
    while outcome is None:
        try:
            outcome = chains.finalize(withdrawal, gas)
        except (Reverted, OutOfGas):
            gas += 5_003
    (entry,) = [int.from_bytes(log.data, "big") + 2 for log in outcome.logs if log.address == meter]
    assert entry >= min_gas

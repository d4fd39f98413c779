"""L2ToL1MessagePasser: the withdrawal's hash, its storage slot, and burning."""

import pytest
from eth_abi import decode, encode
from eth_utils import keccak

from tests.contracts.conftest import ALICE
from tests.contracts.local_chain import Contract, LocalChain, address_text, word

MESSAGE_PASSER = bytes.fromhex("4200000000000000000000000000000000000016")
TARGET = b"\x70" * 20
WITHDRAWAL = ["uint256", "address", "address", "uint256", "uint256", "bytes"]


@pytest.fixture
def passer(chain: LocalChain) -> Contract:
    return Contract.place(chain, "L2ToL1MessagePasser", MESSAGE_PASSER)


def nonce(count: int) -> int:
    return 1 << 240 | count


def withdrawal_hash(count: int, target: bytes, value: int, gas_limit: int, data: bytes) -> bytes:
    fields = (nonce(count), address_text(ALICE), address_text(target), value, gas_limit, data)
    return keccak(encode(WITHDRAWAL, fields))


def sent_slot(message_hash: bytes) -> int:
    return int.from_bytes(keccak(message_hash + word(0)), "big")


@pytest.mark.parametrize(("value", "data"), [(0, b""), (5, b"\x01"), (10**18, bytes(range(100)))])
def test_withdrawal_is_recorded(passer: Contract, value: int, data: bytes) -> None:
    arguments = (address_text(TARGET), 200_000, data)
    outcome = passer.send("initiateWithdrawal", *arguments, sender=ALICE, value=value)
    expected = withdrawal_hash(0, TARGET, value, 200_000, data)
    (log,) = passer.events(outcome, "MessagePassed")
    assert log.topics[1:] == (word(nonce(0)), bytes(12) + ALICE, bytes(12) + TARGET)
    event = decode(["uint256", "uint256", "bytes", "bytes32"], log.data)
    assert event == (value, 200_000, data, expected)
    assert passer.read("sentMessages", expected) is True
    assert passer.chain.storage(passer.address, sent_slot(expected)) == 1
    assert passer.chain.storage(passer.address, 1) == 1
    assert passer.chain.balance(passer.address) == value


def test_equal_withdrawals_differ_by_nonce(passer: Contract) -> None:
    arguments = (address_text(TARGET), 1, b"")
    for _ in range(2):
        passer.send("initiateWithdrawal", *arguments, sender=ALICE)
    assert passer.read("messageNonce") == nonce(2)
    hashes = [withdrawal_hash(count, TARGET, 0, 1, b"") for count in range(3)]
    assert [passer.read("sentMessages", item) for item in hashes] == [True, True, False]


def test_a_plain_transfer_withdraws_to_its_sender(passer: Contract) -> None:
    outcome = passer.send_raw(b"", sender=ALICE, value=9)
    (log,) = passer.events(outcome, "MessagePassed")
    assert log.topics[2:] == (bytes(12) + ALICE, bytes(12) + ALICE)
    assert passer.read("sentMessages", withdrawal_hash(0, ALICE, 9, 100_000, b"")) is True


@pytest.mark.filterwarnings("ignore:SELFDESTRUCT:DeprecationWarning")
def test_burning_removes_what_is_held(passer: Contract) -> None:
    before = passer.chain.balance(ALICE)
    passer.send_raw(b"", sender=ALICE, value=9)
    burner = passer.chain.next_address(passer.address)
    outcome = passer.send("burn", sender=TARGET)
    (log,) = passer.events(outcome, "WithdrawerBalanceBurnt")
    assert log.topics[1:] == (word(9),)
    assert passer.chain.balance(passer.address) == 0
    assert passer.chain.balance(burner) == 0
    assert not passer.chain.state.account_exists(burner)
    assert passer.chain.balance(ALICE) == before - 9


def test_versions(passer: Contract) -> None:
    assert passer.read("MESSAGE_VERSION") == 1
    assert passer.read("version") == "1.0.0"
    assert passer.read("messageNonce") == nonce(0)

"""The contracts that other suites use, so that those suites may trust them."""

import pytest
from eth_abi import decode, encode
from eth_utils import keccak

from tests.contracts.conftest import ALICE, OWNER
from tests.contracts.local_chain import Contract, LocalChain, Reverted, address_text


@pytest.fixture
def greeter(chain: LocalChain) -> Contract:
    return Contract.deploy(chain, "Greeter", "hello", sender=OWNER)


@pytest.fixture
def caller(chain: LocalChain) -> Contract:
    return Contract.deploy(chain, "Caller", sender=OWNER)


def outcome_of(output: bytes) -> tuple[bool, bytes]:
    success, result = decode(["bool", "bytes"], output)
    return success, result


def test_greeter(greeter: Contract) -> None:
    outcome = greeter.send("setGreeting", "good day", sender=ALICE)
    (log,) = greeter.events(outcome, "GreetingChanged")
    assert log.topics[1] == bytes(12) + ALICE
    assert decode(["string"], log.data) == ("good day",)
    assert greeter.read("greet") == "good day"


def test_greeter_fails_both_ways(greeter: Contract) -> None:
    with pytest.raises(Reverted) as refusal:
        greeter.send("fail", "because", sender=ALICE)
    assert (refusal.value.name, refusal.value.arguments) == ("Error", ("because",))
    with pytest.raises(Reverted) as refusal:
        greeter.send("failCustom", 42, sender=ALICE)
    assert refusal.value.name == "GreetingRefused"
    assert refusal.value.arguments == (address_text(ALICE), 42)


@pytest.mark.parametrize(
    ("kind", "writes_own", "writes_target"),
    [
        ("call", False, True),
        ("staticCall", False, False),
        ("delegateCall", True, False),
        ("callCode", True, False),
    ],
)
def test_caller_calls_each_way(
    chain: LocalChain,
    greeter: Contract,
    caller: Contract,
    kind: str,
    writes_own: bool,
    writes_target: bool,
) -> None:
    own, target = (chain.storage(each.address, 0) for each in (caller, greeter))
    data = greeter.calldata("setGreeting", "new")
    outcome = caller.send(kind, address_text(greeter.address), data, sender=ALICE)
    assert outcome_of(outcome.output) == (writes_own or writes_target, b"")
    assert (chain.storage(caller.address, 0) != own) == writes_own
    assert (chain.storage(greeter.address, 0) != target) == writes_target


@pytest.mark.parametrize("kind", ["call", "staticCall"])
def test_caller_returns_what_it_got(greeter: Contract, caller: Contract, kind: str) -> None:
    arguments = (address_text(greeter.address), greeter.calldata("greet"))
    outcome = caller.send(kind, *arguments, sender=ALICE)
    assert outcome_of(outcome.output) == (True, encode(["string"], ["hello"]))


@pytest.mark.parametrize("kind", ["call", "staticCall", "delegateCall", "callCode"])
def test_caller_reports_a_revert(greeter: Contract, caller: Contract, kind: str) -> None:
    arguments = (address_text(greeter.address), greeter.calldata("fail", "no"))
    success, result = outcome_of(caller.send(kind, *arguments, sender=ALICE).output)
    assert not success
    assert result == keccak(text="Error(string)")[:4] + encode(["string"], ["no"])


def test_caller_undoes_a_call(greeter: Contract, caller: Contract) -> None:
    arguments = (address_text(greeter.address), greeter.calldata("setGreeting", "new"))
    with pytest.raises(Reverted, match="Undone") as refusal:
        caller.send("callThenRevert", *arguments, sender=ALICE)
    assert refusal.value.arguments == (True, b"")
    assert greeter.read("greet") == "hello"


def test_caller_passes_value_on(chain: LocalChain, caller: Contract) -> None:
    target = b"\x70" * 20
    caller.send("call", address_text(target), b"", sender=ALICE, value=4)
    assert chain.balance(target) == 4


def test_test_token(chain: LocalChain) -> None:
    token = Contract.deploy(chain, "TestToken", "Test", "TST", 1000, sender=ALICE)
    token.send("transfer", address_text(OWNER), 1, sender=ALICE)
    balances = [token.read("balanceOf", address_text(holder)) for holder in (ALICE, OWNER)]
    assert balances == [999, 1]


def test_work_does_what_it_says(chain: LocalChain) -> None:
    work = Contract.deploy(chain, "Work", sender=OWNER)
    hashed = 0
    for _ in range(5):
        hashed = int.from_bytes(keccak(hashed.to_bytes(32, "big")), "big")
    x = 1
    for _ in range(5):
        x = (x * 6364136223846793005 + 1442695040888963407) % 2**256
    assert work.read("hashes", 5) == hashed
    assert work.read("arithmetic", 5) == x
    assert work.read("memoryWords", 5) == sum(i * i for i in range(5))
    assert work.read("storageCells", 5) == 5
    assert work.read("result") == 5


@pytest.mark.parametrize(
    "function", ["arithmetic", "memoryWords", "hashes", "storageCells", "mixed"]
)
def test_work_grows_with_its_parameter(chain: LocalChain, function: str) -> None:
    work = Contract.deploy(chain, "Work", sender=OWNER)
    work.send(function, 400, sender=ALICE)  # fills the storage that later runs only change
    small, large = (work.send(function, n, sender=ALICE).gas_used for n in (200, 400))
    assert large > small * 1.2

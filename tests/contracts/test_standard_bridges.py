"""Tokens between L1 and L2: both ways, their backing, pairs, and what does not cross."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from eth_utils import keccak
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.types.receipt import Receipt
from tests.contracts.conftest import ALICE, OWNER
from tests.contracts.local_chain import Contract, Outcome, Reverted, address_text
from tests.contracts.rollup import L2Contract, event_data, message_hash
from tests.contracts.two_chains import TwoChains

BOB = b"\xb0\xb0" * 10
MALLORY = b"\x66" * 20
ALICE_TEXT = address_text(ALICE)
BOB_TEXT = address_text(BOB)
SUPPLY = 10**24
GAS = 300_000
EXTRA = b"for the events"
MESSAGE_PASSER = "0x4200000000000000000000000000000000000016"
WETH = "0x4200000000000000000000000000000000000006"
LEGACY_ETHER = "0xdeaddeaddeaddeaddeaddeaddeaddeaddead0000"
VERSION_1 = 1 << 240


@pytest.fixture
def chains() -> Iterator[TwoChains]:
    with TwoChains.opened() as chains:
        yield chains


@dataclass(frozen=True, slots=True)
class Pair:
    """A token of L1 and what stands for it on L2."""

    chains: TwoChains
    local: Contract
    remote: L2Contract

    @property
    def texts(self) -> tuple[str, str]:
        return address_text(self.local.address), address_text(self.remote.address)

    def locked(self) -> int:
        held = self.local.read("balanceOf", address_text(self.chains.l1_bridge.address))
        assert held == self.chains.l1_bridge.read("deposits", *self.texts)
        assert isinstance(held, int)
        return held

    def down(self, amount: int, to: bytes = ALICE) -> Receipt:
        self.local.send(
            "approve", address_text(self.chains.l1_bridge.address), amount, sender=ALICE
        )
        arguments = (*self.texts, address_text(to), amount, GAS, EXTRA)
        outcome = self.chains.l1_bridge.send("depositERC20To", *arguments, sender=ALICE)
        return self.chains.carry_down(outcome)

    def up(self, amount: int, sender: bytes = ALICE, to: bytes = ALICE) -> Outcome:
        arguments = self.texts[1], address_text(to), amount, GAS, EXTRA
        receipt = self.chains.l2_bridge.send("withdrawTo", *arguments, sender=sender)
        return self.chains.carry_up(receipt)


def created(factory: L2Contract, remote: bytes, name: str = "Away") -> L2Contract:
    arguments = address_text(remote), name, "AWAY"
    receipt = factory.send("createOptimismMintableERC20", *arguments, sender=BOB)
    assert receipt.status == 1
    (log,) = factory.events(receipt, "OptimismMintableERC20Created")
    return L2Contract(factory.rollup, "OptimismMintableERC20", log.topics[1][12:])


@pytest.fixture
def pair(chains: TwoChains) -> Pair:
    token = Contract.deploy(chains.l1, "TestToken", "Home", "HOME", SUPPLY, sender=ALICE)
    return Pair(chains, token, created(chains.factory, token.address))


def test_a_token_crosses_and_comes_back(pair: Pair) -> None:
    assert pair.down(700).status == 1
    assert pair.locked() == pair.remote.read("totalSupply") == 700
    assert pair.remote.read("balanceOf", ALICE_TEXT) == 700
    pair.remote.send("transfer", BOB_TEXT, 300, sender=ALICE)
    pair.up(300, sender=BOB, to=BOB)
    assert pair.locked() == pair.remote.read("totalSupply") == 400
    assert pair.local.read("balanceOf", BOB_TEXT) == 300
    pair.up(400)
    assert pair.locked() == pair.remote.read("totalSupply") == 0
    assert pair.local.read("balanceOf", ALICE_TEXT) == SUPPLY - 300


@given(crossings=st.lists(st.tuples(st.booleans(), st.integers(0, 2000)), min_size=1, max_size=6))
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_on_l2_is_locked_on_l1(pair: Pair, crossings: list[tuple[bool, int]]) -> None:
    """Whatever crosses, and even what fails: a withdrawal of more than one has."""
    there = pair.remote.read("balanceOf", ALICE_TEXT)
    locked = pair.locked()
    for is_down, amount in crossings:
        if is_down:
            assert pair.down(amount).status == 1
            there, locked = there + amount, locked + amount
        elif amount <= there:
            pair.up(amount)
            there, locked = there - amount, locked - amount
        else:
            arguments = pair.texts[1], amount, GAS, b""
            receipt = pair.chains.l2_bridge.send("withdraw", *arguments, sender=ALICE)
            assert receipt.status == 0
        assert pair.locked() == locked == pair.remote.read("totalSupply")
        assert pair.remote.read("balanceOf", ALICE_TEXT) == there
        assert pair.local.read("balanceOf", ALICE_TEXT) == SUPPLY - locked


def test_events_of_both_ways(pair: Pair) -> None:
    chains, (local, remote) = pair.chains, pair.texts
    addresses = (pair.local.address, pair.remote.address, ALICE)
    pair.local.send("approve", address_text(chains.l1_bridge.address), 9, sender=ALICE)
    arguments = local, remote, BOB_TEXT, 9, GAS, EXTRA
    sent = chains.l1_bridge.send("bridgeERC20To", *arguments, sender=ALICE)
    came = chains.carry_down(sent)
    chains.l2_bridge.send("withdraw", remote, 0, GAS, b"", sender=BOB)
    back = chains.l2_bridge.send("withdrawTo", remote, ALICE_TEXT, 4, GAS, EXTRA, sender=BOB)
    home = chains.carry_up(back)
    l1, l2 = chains.l1_bridge, chains.l2_bridge
    expected = [
        ("ERC20DepositInitiated", l1.events(sent, "ERC20DepositInitiated"), (BOB_TEXT, 9)),
        ("ERC20BridgeInitiated", l1.events(sent, "ERC20BridgeInitiated"), (BOB_TEXT, 9)),
        ("DepositFinalized", l2.events(came, "DepositFinalized"), (BOB_TEXT, 9)),
        ("WithdrawalInitiated", l2.events(back, "WithdrawalInitiated"), (ALICE_TEXT, 4)),
        ("ERC20WithdrawalFinalized", l1.events(home, "ERC20WithdrawalFinalized"), (ALICE_TEXT, 4)),
        ("ERC20BridgeFinalized", l1.events(home, "ERC20BridgeFinalized"), (ALICE_TEXT, 4)),
    ]
    for name, logs, (to, amount) in expected:
        (log,) = logs
        who = ALICE if amount == 9 else BOB
        assert tuple(topic[12:] for topic in log.topics[1:]) == (*addresses[:2], who)
        contract = "L2StandardBridge" if name in ("DepositFinalized", "WithdrawalInitiated") else ""
        data = event_data(contract or "L1StandardBridge", name, log)
        assert data == (to, amount, EXTRA)
    # The generic events name the local token first.
    for event, outcome in (("ERC20BridgeFinalized", came), ("ERC20BridgeInitiated", back)):
        (log,) = l2.events(outcome, event)
        assert tuple(topic[12:] for topic in log.topics[1:3]) == addresses[1::-1]


def test_a_token_of_l2_crosses_and_comes_back(chains: TwoChains) -> None:
    token = L2Contract.deploy(chains.l2, "TestToken", "Home", "HOME", SUPPLY, sender=ALICE)
    away = Contract.deploy(
        chains.l1,
        "OptimismMintableERC20",
        address_text(chains.l1_bridge.address),
        address_text(token.address),
        "Away",
        "AWAY",
        18,
        sender=BOB,
    )
    texts = address_text(token.address), address_text(away.address)
    token.send("approve", address_text(chains.l2_bridge.address), 500, sender=ALICE)
    arguments = (*texts, 500, GAS, b"")
    chains.carry_up(chains.l2_bridge.send("bridgeERC20", *arguments, sender=ALICE))
    assert chains.l2_bridge.read("deposits", *texts) == away.read("totalSupply") == 500
    assert away.read("balanceOf", ALICE_TEXT) == 500
    arguments = (*texts[::-1], BOB_TEXT, 200, GAS, b"")
    assert chains.carry_down(chains.l1_bridge.send("bridgeERC20To", *arguments, sender=ALICE)).logs
    assert chains.l2_bridge.read("deposits", *texts) == away.read("totalSupply") == 300
    assert token.read("balanceOf", BOB_TEXT) == 200
    # A token without a remote one of its own cannot be withdrawn by its name alone.
    with pytest.raises(Reverted):
        chains.l2_bridge.read("withdraw", texts[0], 1, GAS, b"", sender=ALICE)


def test_both_sides_know_each_other(chains: TwoChains) -> None:
    l1, l2 = chains.l1_bridge, chains.l2_bridge
    for name in ("otherBridge", "OTHER_BRIDGE"):
        assert l1.read(name) == address_text(l2.address)
        assert l2.read(name) == address_text(l1.address)
    assert l1.read("l2TokenBridge") == address_text(l2.address)
    assert l2.read("l1TokenBridge") == address_text(l1.address)
    for name in ("messenger", "MESSENGER"):
        assert l1.read(name) == address_text(chains.l1_messenger.address)
        assert l2.read(name) == address_text(chains.l2_messenger.address)
    assert l1.read("portal") == address_text(chains.contracts.portal.address)


@pytest.mark.parametrize("function", ["bridgeETH", "depositETH", "bridgeETHTo", "depositETHTo"])
@pytest.mark.parametrize("value", [0, 1])
def test_ether_does_not_cross_from_l1(chains: TwoChains, function: str, value: int) -> None:
    to = (BOB_TEXT,) if function.endswith("To") else ()
    with pytest.raises(Reverted, match="EtherNotBridged") as refusal:
        chains.l1_bridge.send(function, *to, GAS, b"", sender=ALICE, value=value)
    assert refusal.value.arguments == (address_text(chains.contracts.portal.address),)


def test_ether_is_not_taken(chains: TwoChains) -> None:
    with pytest.raises(Reverted, match="EtherNotBridged"):
        chains.l1_bridge.send_raw(b"", sender=ALICE, value=1)
    chains.l2.transact(ALICE, ALICE, b"", value=10)
    refused = [
        ("bridgeETH", (GAS, b""), 1),
        ("bridgeETHTo", (BOB_TEXT, GAS, b""), 1),
        ("withdraw", (LEGACY_ETHER, 1, GAS, b""), 1),
        ("withdraw", (LEGACY_ETHER, 1, GAS, b""), 0),
        ("withdrawTo", (BOB_TEXT, BOB_TEXT, 1, GAS, b""), 1),
        ("finalizeBridgeETH", (BOB_TEXT, BOB_TEXT, 1, b""), 1),
    ]
    for function, arguments, value in refused:
        with pytest.raises(Reverted, match="EtherNotBridged") as refusal:
            chains.l2_bridge.read(function, *arguments, sender=ALICE, value=value)
        assert refusal.value.arguments == (MESSAGE_PASSER,)
    assert chains.l2.transact(ALICE, chains.l2_bridge.address, b"", value=1).status == 0


def test_open_does_not_cross_as_a_token(chains: TwoChains) -> None:
    token, portal = chains.contracts.token, address_text(chains.contracts.portal.address)
    token.send("approve", address_text(chains.l1_bridge.address), 10, sender=ALICE)
    remote = created(chains.factory, token.address)
    texts = address_text(token.address), address_text(remote.address)
    for function in ("bridgeERC20", "depositERC20"):
        with pytest.raises(Reverted, match="OpenNotBridged") as refusal:
            chains.l1_bridge.send(function, *texts, 10, GAS, b"", sender=ALICE)
        assert refusal.value.arguments == (portal,)
    for function in ("bridgeERC20To", "depositERC20To"):
        with pytest.raises(Reverted, match="OpenNotBridged"):
            chains.l1_bridge.send(function, *texts, BOB_TEXT, 10, GAS, b"", sender=ALICE)
    assert token.read("balanceOf", address_text(chains.l1_bridge.address)) == 0
    for function, arguments in (
        ("bridgeERC20", (WETH, texts[0], 0, GAS, b"")),
        ("withdraw", (WETH, 0, GAS, b"")),
    ):
        with pytest.raises(Reverted, match="OpenNotBridged") as refusal:
            chains.l2_bridge.read(function, *arguments, sender=ALICE)
        assert refusal.value.arguments == (MESSAGE_PASSER,)


def test_a_wrong_pair_is_refused_where_it_is_known(pair: Pair) -> None:
    pair.down(100)
    arguments = pair.texts[1], BOB_TEXT, 50, GAS, b""
    with pytest.raises(Reverted, match="WrongTokenPair") as refusal:
        pair.chains.l2_bridge.read("bridgeERC20", *arguments, sender=ALICE)
    assert refusal.value.arguments == (pair.texts[1], pair.texts[0], BOB_TEXT)


def test_a_wrong_pair_mints_nothing(chains: TwoChains, pair: Pair) -> None:
    """A worthless token of L1 that names the good token of L2 as its own."""
    worthless = Contract.deploy(chains.l1, "TestToken", "Bad", "BAD", SUPPLY, sender=MALLORY)
    worthless.send("approve", address_text(chains.l1_bridge.address), 77, sender=MALLORY)
    arguments = address_text(worthless.address), pair.texts[1], 77, GAS, b""
    receipt = chains.carry_down(chains.l1_bridge.send("depositERC20", *arguments, sender=MALLORY))
    assert receipt.status == 1
    assert len(chains.l2_messenger.events(receipt, "FailedRelayedMessage")) == 1
    assert pair.remote.read("totalSupply") == 0


def test_a_made_up_token_of_l2_releases_nothing(chains: TwoChains, pair: Pair) -> None:
    """A mintable token of one's own names the good token of L1, which is locked for another."""
    pair.down(100)
    fake = L2Contract.deploy(
        chains.l2,
        "OptimismMintableERC20",
        address_text(MALLORY),
        pair.texts[0],
        "Fake",
        "FAKE",
        18,
        sender=MALLORY,
    )
    fake.send("mint", address_text(MALLORY), 100, sender=MALLORY)
    # Its bridge is not the bridge, so that this one cannot burn it.
    receipt = chains.l2_bridge.send(
        "withdraw", address_text(fake.address), 100, GAS, b"", sender=MALLORY
    )
    assert receipt.status == 0
    # A plain token can be locked under that name; L1 holds nothing for this pair.
    plain = L2Contract.deploy(chains.l2, "TestToken", "Fake", "FAKE", SUPPLY, sender=MALLORY)
    plain.send("approve", address_text(chains.l2_bridge.address), 100, sender=MALLORY)
    arguments = address_text(plain.address), pair.texts[0], 100, GAS, b""
    receipt = chains.l2_bridge.send("bridgeERC20", *arguments, sender=MALLORY)
    outcome = chains.carry_up(receipt)
    assert len(chains.l1_messenger.events(outcome, "FailedRelayedMessage")) == 1
    assert pair.locked() == 100


def test_only_the_other_bridge_finalizes(chains: TwoChains, pair: Pair) -> None:
    pair.down(100)
    arguments = (*pair.texts, ALICE_TEXT, address_text(MALLORY), 100, b"")
    for sender in (MALLORY, chains.l1_messenger.address, chains.l1_bridge.address):
        with pytest.raises(Reverted):
            chains.l1_bridge.send("finalizeBridgeERC20", *arguments, sender=sender)
    with pytest.raises(Reverted, match="NotTheOtherBridge"):
        chains.l1_bridge.send("finalizeBridgeERC20", *arguments, sender=MALLORY)
    # By a message of Mallory's, through the messenger.
    call = chains.l1_bridge.calldata("finalizeBridgeERC20", *arguments)
    to = address_text(chains.l1_bridge.address)
    receipt = chains.l2_messenger.send("sendMessage", to, call, GAS, sender=MALLORY)
    outcome = chains.carry_up(receipt)
    assert len(chains.l1_messenger.events(outcome, "FailedRelayedMessage")) == 1
    assert pair.locked() == 100


def test_a_token_that_is_created_later_comes_with_a_replay(chains: TwoChains) -> None:
    token = Contract.deploy(chains.l1, "TestToken", "Home", "HOME", SUPPLY, sender=ALICE)
    create = (address_text(token.address), "Away", "AWAY")
    remote = chains.factory.read("createOptimismMintableERC20", *create, sender=BOB)
    token.send("approve", address_text(chains.l1_bridge.address), 5, sender=ALICE)
    texts = address_text(token.address), remote
    sent = chains.l1_bridge.send("depositERC20", *texts, 5, GAS, b"", sender=ALICE)
    receipt = chains.carry_down(sent)
    (failed,) = chains.l2_messenger.events(receipt, "FailedRelayedMessage")
    chains.factory.send("createOptimismMintableERC20", *create, sender=BOB)
    (log,) = chains.l1_messenger.events(sent, "SentMessage")
    _, message, nonce, gas = event_data("L1CrossDomainMessenger", "SentMessage", log)
    bridges = address_text(chains.l1_bridge.address), address_text(chains.l2_bridge.address)
    fields = (nonce, *bridges, 0, gas, message)
    assert failed.topics[1] == message_hash(*fields)
    assert chains.l2_messenger.send("relayMessage", *fields, sender=MALLORY).status == 1
    token_there = L2Contract(chains.l2, "OptimismMintableERC20", bytes.fromhex(remote[2:]))
    assert token_there.read("balanceOf", ALICE_TEXT) == 5


def test_a_contract_has_to_name_the_receiver(chains: TwoChains, pair: Pair) -> None:
    caller = Contract.deploy(chains.l1, "Caller", sender=ALICE)
    arguments = (*pair.texts, 0, GAS, b"")
    for function in ("bridgeERC20", "depositERC20"):
        data = chains.l1_bridge.calldata(function, *arguments)
        to = address_text(chains.l1_bridge.address)
        success, reason = caller.read("call", to, data, sender=ALICE)
        assert (success, reason[16:]) == (False, caller.address)
    # An account that delegates (EIP-7702) has a key, and the same address on both sides.
    chains.l1.state.set_code(BOB, b"\xef\x01\x00" + MALLORY)
    chains.l1.state.lock_changes()
    chains.l1_bridge.send("bridgeERC20", *arguments, sender=BOB, origin=ALICE)


def test_a_fee_on_transfers_is_the_senders(chains: TwoChains) -> None:
    """FeeToken takes one unit of each transfer: as many cross as have come."""
    token = Contract.deploy(chains.l1, "FeeToken", 18, SUPPLY, sender=ALICE)
    pair = Pair(chains, token, created(chains.factory, token.address))
    pair.down(100)
    assert pair.locked() == pair.remote.read("totalSupply") == 99
    pair.up(99)
    assert pair.locked() == pair.remote.read("totalSupply") == 0


def test_a_token_that_calls_its_holder_counts_once(chains: TwoChains) -> None:
    token = Contract.deploy(chains.l1, "HookToken", SUPPLY, sender=MALLORY)
    addresses = address_text(chains.l1_bridge.address), address_text(token.address)
    holder = Contract.deploy(chains.l1, "GreedyHolder", *addresses, sender=MALLORY)
    token.send("transfer", address_text(holder.address), 100, sender=MALLORY)
    remote = address_text(created(chains.factory, token.address).address)
    with pytest.raises(Reverted, match=selector_of("Reentered()")):
        holder.send("bridge", remote, 50, 50, sender=MALLORY)
    holder.send("bridge", remote, 50, 0, sender=MALLORY)
    holder.send("bridge", remote, 50, 0, sender=MALLORY)
    assert chains.l1_bridge.read("deposits", addresses[1], remote) == 100


def selector_of(signature: str) -> str:
    """How an error that the caller's ABI does not know is shown."""
    return keccak(text=signature)[:4].hex()


def test_nothing_is_finalized_while_l1_is_paused(chains: TwoChains, pair: Pair) -> None:
    pair.down(10)
    portal = chains.contracts.portal
    portal.send("pause", sender=OWNER)
    arguments = (*pair.texts, ALICE_TEXT, ALICE_TEXT, 10, b"")
    with pytest.raises(Reverted, match="BridgePaused"):
        chains.l1_bridge.send("finalizeBridgeERC20", *arguments, sender=ALICE)
    # Deposits go on.
    assert pair.down(10).status == 1
    portal.send("unpause", sender=OWNER)
    pair.up(20)
    assert pair.locked() == 0

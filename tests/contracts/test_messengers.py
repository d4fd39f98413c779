"""Messages between L1 and L2: what is said, who may deliver, failing and replaying."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.types.receipt import Receipt
from tests.contracts.conftest import ALICE, OWNER
from tests.contracts.local_chain import Contract, Outcome, Reverted, address_text, encode_call
from tests.contracts.rollup import L2Contract, event_data, message_hash
from tests.contracts.two_chains import TwoChains

MALLORY = b"\x66" * 20
ALICE_TEXT = address_text(ALICE)
ALIAS_OFFSET = 0x1111000000000000000000000000000000001111
VERSION_1 = 1 << 240
MIN_GAS = 300_000


@pytest.fixture
def chains() -> Iterator[TwoChains]:
    with TwoChains.opened() as chains:
        yield chains


@pytest.fixture
def l2_target(chains: TwoChains) -> L2Contract:
    return L2Contract.deploy(chains.l2, "MessageTarget", sender=OWNER)


@pytest.fixture
def l1_target(chains: TwoChains) -> Contract:
    return Contract.deploy(chains.l1, "MessageTarget", sender=OWNER)


def alias(address: bytes) -> bytes:
    return ((int.from_bytes(address, "big") + ALIAS_OFFSET) % 2**160).to_bytes(20, "big")


def note(text: bytes = b"hello") -> bytes:
    return encode_call("MessageTarget", "receiveMessage", text)


def fields_of(
    target: bytes, message: bytes, *, nonce: int = VERSION_1, sender: bytes = ALICE
) -> tuple[object, ...]:
    return nonce, address_text(sender), address_text(target), 0, MIN_GAS, message


def to_l2(chains: TwoChains, target: bytes, message: bytes, **options: int) -> Receipt:
    """Alice's message, sent and delivered."""
    arguments = address_text(target), message, MIN_GAS
    outcome = chains.l1_messenger.send("sendMessage", *arguments, sender=ALICE, **options)
    return chains.carry_down(outcome)


def to_l1(chains: TwoChains, target: bytes, message: bytes) -> Outcome:
    """Alice's message, sent and delivered."""
    arguments = address_text(target), message, MIN_GAS
    return chains.carry_up(chains.l2_messenger.send("sendMessage", *arguments, sender=ALICE))


def l1_success(chains: TwoChains, outcome: Outcome) -> bool:
    """Whether the portal says that the messenger has not reverted."""
    (log,) = chains.contracts.portal.events(outcome, "WithdrawalFinalized")
    (success,) = event_data("OptimismPortal", "WithdrawalFinalized", log)
    assert isinstance(success, bool)
    return success


def test_a_message_reaches_l2(chains: TwoChains, l2_target: L2Contract) -> None:
    receipt = to_l2(chains, l2_target.address, note())
    assert receipt.status == 1
    (log,) = l2_target.events(receipt, "Received")
    assert log.topics[1][12:] == chains.l2_messenger.address
    assert log.topics[2][12:] == ALICE
    assert event_data("MessageTarget", "Received", log) == (b"hello",)
    name = message_hash(*fields_of(l2_target.address, note()))
    (relayed,) = chains.l2_messenger.events(receipt, "RelayedMessage")
    assert relayed.topics[1] == name
    assert chains.l2_messenger.read("successfulMessages", name) is True
    assert chains.l2_messenger.read("failedMessages", name) is False


def test_a_message_reaches_l1(chains: TwoChains, l1_target: Contract) -> None:
    outcome = to_l1(chains, l1_target.address, note())
    assert l1_success(chains, outcome)
    (log,) = l1_target.events(outcome, "Received")
    assert log.topics[1][12:] == chains.l1_messenger.address
    assert log.topics[2][12:] == ALICE
    name = message_hash(*fields_of(l1_target.address, note()))
    (relayed,) = chains.l1_messenger.events(outcome, "RelayedMessage")
    assert relayed.topics[1] == name
    assert chains.l1_messenger.read("successfulMessages", name) is True


def test_what_is_announced(chains: TwoChains) -> None:
    target = b"\x77" * 20
    arguments = address_text(target), b"\x01\x02", 1000
    on_l1 = chains.l1_messenger.send("sendMessage", *arguments, sender=ALICE)
    on_l2 = chains.l2_messenger.send("sendMessage", *arguments, sender=ALICE)
    (sent_on_l1,) = chains.l1_messenger.events(on_l1, "SentMessage")
    (sent_on_l2,) = chains.l2_messenger.events(on_l2, "SentMessage")
    for log in (sent_on_l1, sent_on_l2):
        assert log.topics[1][12:] == target
        assert event_data("L1CrossDomainMessenger", "SentMessage", log) == (
            ALICE_TEXT,
            b"\x01\x02",
            VERSION_1,
            1000,
        )
    (more_on_l1,) = chains.l1_messenger.events(on_l1, "SentMessageExtension1")
    (more_on_l2,) = chains.l2_messenger.events(on_l2, "SentMessageExtension1")
    for log in (more_on_l1, more_on_l2):
        assert (log.topics[1][12:], log.data) == (ALICE, bytes(32))
    assert chains.l1_messenger.read("messageNonce") == VERSION_1 + 1
    assert chains.l2_messenger.read("messageNonce") == VERSION_1 + 1


def test_both_sides_know_each_other(chains: TwoChains) -> None:
    l1, l2 = chains.l1_messenger, chains.l2_messenger
    portal = address_text(chains.contracts.portal.address)
    for name in ("otherMessenger", "OTHER_MESSENGER"):
        assert l1.read(name) == address_text(l2.address)
        assert l2.read(name) == address_text(l1.address)
    assert l2.read("l1CrossDomainMessenger") == address_text(l1.address)
    assert l1.read("portal") == l1.read("PORTAL") == portal
    assert l1.read("MESSAGE_VERSION") == l2.read("MESSAGE_VERSION") == 1
    assert l1.read("paused") is l2.read("paused") is False


def test_value_is_refused_on_both_sides(chains: TwoChains) -> None:
    arguments = address_text(MALLORY), b"", 0
    with pytest.raises(Reverted, match="ValueNotSupported") as refusal:
        chains.l1_messenger.send("sendMessage", *arguments, sender=ALICE, value=1)
    assert refusal.value.arguments == (address_text(chains.contracts.portal.address),)
    chains.l2.transact(ALICE, ALICE, b"", value=10)
    with pytest.raises(Reverted, match="ValueNotSupported") as refusal:
        chains.l2_messenger.read("sendMessage", *arguments, sender=ALICE, value=1)
    assert refusal.value.arguments == ("0x4200000000000000000000000000000000000016",)
    fields = list(fields_of(MALLORY, b""))
    with pytest.raises(Reverted, match="ValueNotSupported"):
        chains.l2_messenger.read("relayMessage", *fields, sender=ALICE, value=1)
    fields[3] = 1
    with pytest.raises(Reverted, match="ValueNotSupported"):
        chains.l2_messenger.read("relayMessage", *fields, sender=ALICE)


def test_nobody_else_delivers_on_l2(chains: TwoChains, l2_target: L2Contract) -> None:
    """Not a user, not the messenger's own address without its alias, not another contract's."""
    fields = fields_of(l2_target.address, note())
    forgers = [MALLORY, chains.l1_messenger.address, alias(chains.l1_bridge.address)]
    for forger in [*forgers, alias(bytes(20)), chains.l2_messenger.address]:
        with pytest.raises(Reverted, match="NotReplayable"):
            chains.l2_messenger.read("relayMessage", *fields, sender=forger)
        receipt = chains.l2_messenger.send("relayMessage", *fields, sender=forger)
        assert (receipt.status, receipt.logs) == (0, ())
    # The true one only.
    sender = alias(chains.l1_messenger.address)
    assert chains.l2_messenger.send("relayMessage", *fields, sender=sender).status == 1
    assert l2_target.read("count") == 1


def test_a_deposit_of_ones_own_delivers_nothing(chains: TwoChains, l2_target: L2Contract) -> None:
    """By a user, and by a contract: neither has the messenger's alias."""
    call = encode_call(
        "L2CrossDomainMessenger", "relayMessage", *fields_of(l2_target.address, note())
    )
    arguments = (address_text(chains.l2_messenger.address), 0, 1_000_000, False, call)
    portal = chains.contracts.portal
    outcome = portal.send("depositTransaction", *arguments, sender=MALLORY)
    assert chains.carry_down(outcome).status == 0
    depositor = Contract.deploy(chains.l1, "Depositor", sender=MALLORY)
    outcome = depositor.send("deposit", address_text(portal.address), *arguments, sender=MALLORY)
    assert chains.carry_down(outcome).status == 0
    assert l2_target.read("count") == 0


def test_nobody_else_delivers_on_l1(chains: TwoChains, l1_target: Contract) -> None:
    fields = fields_of(l1_target.address, note())
    for forger in (MALLORY, chains.l2_messenger.address, chains.contracts.portal.address):
        with pytest.raises(Reverted, match="NotReplayable"):
            chains.l1_messenger.send("relayMessage", *fields, sender=forger)
    # A withdrawal of one's own that calls the messenger: the portal calls, but not for L2's one.
    call = encode_call("L1CrossDomainMessenger", "relayMessage", *fields)
    passer = L2Contract(
        chains.l2,
        "L2ToL1MessagePasser",
        bytes.fromhex("4200000000000000000000000000000000000016"),
    )
    arguments = address_text(chains.l1_messenger.address), 500_000, call
    receipt = passer.send("initiateWithdrawal", *arguments, sender=MALLORY)
    assert not l1_success(chains, chains.carry_up(receipt))
    assert l1_target.read("count") == 0


def test_a_message_that_failed_on_l2_is_replayed(chains: TwoChains, l2_target: L2Contract) -> None:
    l2_target.send("setRefusing", True, sender=ALICE)
    receipt = to_l2(chains, l2_target.address, note())
    fields = fields_of(l2_target.address, note())
    name = message_hash(*fields)
    assert receipt.status == 1
    (failed,) = chains.l2_messenger.events(receipt, "FailedRelayedMessage")
    assert failed.topics[1] == name
    assert chains.l2_messenger.read("failedMessages", name) is True

    with pytest.raises(Reverted, match="ReplayFailed") as refusal:
        chains.l2_messenger.read("relayMessage", *fields, sender=MALLORY)
    assert refusal.value.arguments == (name,)
    l2_target.send("setRefusing", False, sender=ALICE)
    receipt = chains.l2_messenger.send("relayMessage", *fields, sender=MALLORY)
    (log,) = l2_target.events(receipt, "Received")
    assert log.topics[2][12:] == ALICE
    assert chains.l2_messenger.read("successfulMessages", name) is True
    with pytest.raises(Reverted, match="AlreadyRelayed"):
        chains.l2_messenger.read("relayMessage", *fields, sender=MALLORY)


def test_a_message_that_failed_on_l1_is_replayed(chains: TwoChains, l1_target: Contract) -> None:
    l1_target.send("setRefusing", True, sender=ALICE)
    outcome = to_l1(chains, l1_target.address, note())
    fields = fields_of(l1_target.address, note())
    name = message_hash(*fields)
    assert l1_success(chains, outcome)
    assert chains.l1_messenger.events(outcome, "FailedRelayedMessage")[0].topics[1] == name
    assert chains.l1_messenger.read("failedMessages", name) is True

    with pytest.raises(Reverted, match="ReplayFailed"):
        chains.l1_messenger.send("relayMessage", *fields, sender=MALLORY)
    l1_target.send("setRefusing", False, sender=ALICE)
    outcome = chains.l1_messenger.send("relayMessage", *fields, sender=MALLORY)
    assert l1_target.events(outcome, "Received")[0].topics[2][12:] == ALICE
    with pytest.raises(Reverted, match="AlreadyRelayed"):
        chains.l1_messenger.send("relayMessage", *fields, sender=MALLORY)
    assert l1_target.read("count") == 1


def test_a_delivered_message_is_not_replayed(chains: TwoChains, l2_target: L2Contract) -> None:
    assert to_l2(chains, l2_target.address, note()).status == 1
    fields = fields_of(l2_target.address, note())
    for sender in (ALICE, alias(chains.l1_messenger.address)):
        with pytest.raises(Reverted, match="AlreadyRelayed"):
            chains.l2_messenger.read("relayMessage", *fields, sender=sender)


@given(steps=st.lists(st.tuples(st.sampled_from(["send", "replay", "turn"]), st.integers(0, 9))))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_each_message_is_delivered_once(
    chains: TwoChains, l2_target: L2Contract, steps: list[tuple[str, int]]
) -> None:
    """Whatever is sent and replayed, by whomever, while the target takes messages or refuses."""
    messenger = chains.l2_messenger
    nonce = first = chains.l1_messenger.read("messageNonce")
    received = l2_target.read("count")
    delivered: set[int] = set()
    for step, number in steps:
        is_refusing = l2_target.read("isRefusing")
        if step == "turn":
            l2_target.send("setRefusing", not is_refusing, sender=ALICE)
        elif step == "send":
            to_l2(chains, l2_target.address, note())
            delivered |= set() if is_refusing else {nonce}
            nonce += 1
        elif nonce > first:
            chosen = first + number % (nonce - first)
            fields = fields_of(l2_target.address, note(), nonce=chosen)
            receipt = messenger.send("relayMessage", *fields, sender=MALLORY)
            assert receipt.status == (chosen not in delivered and not is_refusing)
            delivered |= {chosen} if receipt.status else set()
    assert l2_target.read("count") == received + len(delivered)
    for number in range(first, nonce):
        name = message_hash(*fields_of(l2_target.address, note(), nonce=number))
        assert messenger.read("successfulMessages", name) is (number in delivered)


def test_a_replay_has_to_be_the_same_message(chains: TwoChains, l2_target: L2Contract) -> None:
    l2_target.send("setRefusing", True, sender=ALICE)
    to_l2(chains, l2_target.address, note())
    l2_target.send("setRefusing", False, sender=ALICE)
    right = fields_of(l2_target.address, note())
    wrong = [VERSION_1 + 1, address_text(MALLORY), address_text(MALLORY), None, MIN_GAS - 1, b""]
    for index, value in enumerate(wrong):
        if value is not None:
            fields = (*right[:index], value, *right[index + 1 :])
            with pytest.raises(Reverted, match="NotReplayable"):
                chains.l2_messenger.read("relayMessage", *fields, sender=MALLORY)


@pytest.mark.parametrize("version", [0, 2, 0xFFFF])
def test_other_versions_are_refused(chains: TwoChains, version: int) -> None:
    fields = fields_of(MALLORY, b"", nonce=version << 240 | 5)
    with pytest.raises(Reverted, match="UnsupportedMessageVersion") as refusal:
        chains.l2_messenger.read("relayMessage", *fields, sender=alias(chains.l1_messenger.address))
    assert refusal.value.arguments == (version, 1)


def test_no_message_speaks_as_the_messenger_on_l2(chains: TwoChains) -> None:
    passer = bytes.fromhex("4200000000000000000000000000000000000016")
    call = encode_call("L2ToL1MessagePasser", "initiateWithdrawal", ALICE_TEXT, 0, b"forged")
    for target in (passer, chains.l2_messenger.address):
        receipt = to_l2(chains, target, call)
        assert (receipt.status, receipt.logs) == (0, ())


def test_no_message_speaks_as_the_messenger_on_l1(chains: TwoChains) -> None:
    portal = chains.contracts.portal
    arguments = address_text(chains.l2_messenger.address), 0, 100_000, False, b"forged"
    call = encode_call("OptimismPortal", "depositTransaction", *arguments)
    for target in (portal.address, chains.l1_messenger.address):
        outcome = to_l1(chains, target, call)
        assert not l1_success(chains, outcome)
        assert portal.events(outcome, "TransactionDeposited") == []


def test_a_message_inside_a_message_waits_for_its_replay(
    chains: TwoChains, l2_target: L2Contract
) -> None:
    """A replay within a delivery fails, and leaves the inner message as it was."""
    l2_target.send("setRefusing", True, sender=ALICE)
    to_l2(chains, l2_target.address, note())
    l2_target.send("setRefusing", False, sender=ALICE)
    inner = encode_call(
        "L2CrossDomainMessenger", "relayMessage", *fields_of(l2_target.address, note())
    )
    arguments = address_text(chains.l2_messenger.address), inner
    outer = encode_call("MessageTarget", "callBack", *arguments)
    assert to_l2(chains, l2_target.address, outer).status == 1
    assert l2_target.read("count") == 1
    assert l2_target.read("hasCalledBack") is False
    name = message_hash(*fields_of(l2_target.address, note()))
    assert l2_target.read("answer")[4:] == name
    assert chains.l2_messenger.read("successfulMessages", name) is False
    fields = fields_of(l2_target.address, note())
    assert chains.l2_messenger.send("relayMessage", *fields, sender=MALLORY).status == 1
    assert l2_target.read("count") == 2


def test_a_message_that_replays_itself_is_delivered_once(
    chains: TwoChains, l2_target: L2Contract
) -> None:
    """The inner call's data cannot hold itself: the target is told by a second message."""
    l2_target.send("setRefusing", True, sender=ALICE)
    to_l2(chains, l2_target.address, note())
    own = encode_call(
        "MessageTarget",
        "callBack",
        address_text(chains.l2_messenger.address),
        encode_call(
            "L2CrossDomainMessenger", "relayMessage", *fields_of(l2_target.address, note())
        ),
    )
    to_l2(chains, l2_target.address, own)
    l2_target.send("setRefusing", False, sender=ALICE)
    outer = fields_of(l2_target.address, own, nonce=VERSION_1 + 1)
    receipt = chains.l2_messenger.send("relayMessage", *outer, sender=MALLORY)
    assert receipt.status == 1
    assert len(chains.l2_messenger.events(receipt, "RelayedMessage")) == 1
    assert l2_target.read("count") == 1


def test_a_withdrawal_finalized_inside_a_message_is_not_lost(
    chains: TwoChains, l1_target: Contract
) -> None:
    """A replayed message finalizes another one's withdrawal: that one is kept for its replay."""
    l1_target.send("setRefusing", True, sender=ALICE)
    arguments = address_text(l1_target.address), note(), MIN_GAS
    receipt = chains.l2_messenger.send("sendMessage", *arguments, sender=ALICE)
    inner = chains.prove(receipt)
    fields = inner.nonce, address_text(inner.sender), address_text(inner.target)
    finalize = encode_call(
        "OptimismPortal",
        "finalizeWithdrawalTransaction",
        (*fields, inner.value, inner.gas_limit, inner.data),
    )
    portal = address_text(chains.contracts.portal.address)
    outer = encode_call("MessageTarget", "callBack", portal, finalize)
    to_l1(chains, l1_target.address, outer)
    l1_target.send("setRefusing", False, sender=ALICE)
    replay = fields_of(l1_target.address, outer, nonce=VERSION_1 + 1)
    outcome = chains.l1_messenger.send("relayMessage", *replay, sender=MALLORY)
    assert l1_target.read("hasCalledBack") is True
    name = message_hash(*fields_of(l1_target.address, note()))
    assert chains.l1_messenger.events(outcome, "FailedRelayedMessage")[0].topics[1] == name
    assert chains.l1_messenger.read("failedMessages", name) is True
    again = fields_of(l1_target.address, note())
    chains.l1_messenger.send("relayMessage", *again, sender=MALLORY)
    assert l1_target.read("count") == 2


@pytest.mark.parametrize("function", ["exhaust", "bomb"])
def test_a_wasteful_target_harms_only_itself(
    chains: TwoChains, l2_target: L2Contract, function: str
) -> None:
    arguments = (20_000,) if function == "bomb" else ()
    call = encode_call("MessageTarget", function, *arguments)
    receipt = to_l2(chains, l2_target.address, call)
    assert receipt.status == 1
    assert len(chains.l2_messenger.events(receipt, "FailedRelayedMessage")) == 1


def test_a_target_without_code_takes_any_message(chains: TwoChains) -> None:
    receipt = to_l2(chains, MALLORY, b"whatever")
    assert len(chains.l2_messenger.events(receipt, "RelayedMessage")) == 1


def test_no_sender_outside_of_a_message(chains: TwoChains) -> None:
    for messenger in (chains.l1_messenger, chains.l2_messenger):
        with pytest.raises(Reverted, match="NoMessageInDelivery"):
            messenger.read("xDomainMessageSender")


def test_nothing_is_replayed_while_l1_is_paused(chains: TwoChains, l1_target: Contract) -> None:
    l1_target.send("setRefusing", True, sender=ALICE)
    to_l1(chains, l1_target.address, note())
    l1_target.send("setRefusing", False, sender=ALICE)
    fields = fields_of(l1_target.address, note())
    chains.contracts.portal.send("pause", sender=OWNER)
    assert chains.l1_messenger.read("paused") is True
    with pytest.raises(Reverted, match="MessengerPaused"):
        chains.l1_messenger.send("relayMessage", *fields, sender=MALLORY)
    chains.contracts.portal.send("unpause", sender=OWNER)
    chains.l1_messenger.send("relayMessage", *fields, sender=MALLORY)
    assert l1_target.read("count") == 1


def test_a_rollup_without_a_messenger_on_l1_sends_nothing(chains: TwoChains) -> None:
    chains.l2.transact(ALICE, ALICE, b"", value=1)
    implementation = L2Contract(
        chains.l2,
        "L2CrossDomainMessenger",
        bytes.fromhex("c0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d30007"),
    )
    with pytest.raises(Reverted, match="NoMessengerOnL1"):
        implementation.read("sendMessage", ALICE_TEXT, b"", 0, sender=ALICE)

"""Proving withdrawals: real storage proofs pass, whatever else is refused."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from node.output_root import Output
from node.types.primitives import Address, Hash32, keccak256
from tests.contracts.conftest import ALICE, CHALLENGER, OWNER, L1Contracts
from tests.contracts.local_chain import Reverted, address_text
from tests.contracts.way_out import WayOut
from tests.contracts.withdrawing import (
    STAGES,
    TARGET,
    USER,
    Order,
    WithdrawingChain,
    open_withdrawing,
)

# TrieProof's reasons, by number.
INVALID_ROOT, INVALID_LARGE_NODE, INVALID_PATH_REMAINDER = 2, 3, 6
INVALID_EXTRA_PROOF_ELEMENT, INVALID_PROOF = 8, 13


@pytest.fixture(scope="module")
def l2() -> Iterator[WithdrawingChain]:
    with open_withdrawing() as l2:
        yield l2


@pytest.fixture
def way_out(l1: L1Contracts, l2: WithdrawingChain) -> WayOut:
    return WayOut(l1, l2)


@pytest.mark.parametrize("count", STAGES)
def test_proofs_of_tries_of_all_sizes(way_out: WayOut, count: int) -> None:
    header = way_out.l2.stages[count]
    index = way_out.propose(way_out.l2.proof(way_out.l2.sent[0], header).output.root)
    # The first and the last ones, and some in between.
    for number in sorted({0, 1, *range(2, count, 71), count - 2, count - 1}):
        if not 0 <= number < count:
            continue
        withdrawal = way_out.l2.sent[number]
        way_out.prove(withdrawal, index, way_out.l2.proof(withdrawal, header))
        root, timestamp, at = way_out.portal.read("provenWithdrawals", withdrawal.hash)
        assert (timestamp, at) == (way_out.chain.timestamp, index)
        assert root == way_out.oracle.read("getL2Output", index)[0]


def test_a_leaf_inside_its_parent(way_out: WayOut) -> None:
    """Clients may list such a leaf as a node of its own (viem does) or leave it where it is."""
    one, other = way_out.l2.sent[-2:]
    proof = way_out.l2.proof(one)
    inline = _leaf(one.slot, proof.nodes)
    assert len(inline) < 32
    assert inline in proof.nodes[-1]
    index = way_out.propose(proof.output.root)
    way_out.prove(one, index, proof)
    nodes = way_out.l2.proof(other).nodes
    way_out.prove(other, index, proof, nodes=(*nodes, _leaf(other.slot, nodes)))
    assert way_out.portal.read("provenWithdrawals", other.hash)[1] != 0


def test_an_inline_leaf_that_is_listed_has_to_be_the_right_one(way_out: WayOut) -> None:
    one, other = way_out.l2.sent[-2:]
    proof = way_out.l2.proof(one)
    index = way_out.propose(proof.output.root)
    foreign = (*proof.nodes, _leaf(other.slot, way_out.l2.proof(other).nodes))
    with pytest.raises(Reverted, match="InvalidWithdrawalProof"):
        way_out.prove(one, index, proof, nodes=foreign)


def test_what_a_proof_announces(way_out: WayOut) -> None:
    withdrawal = way_out.l2.sent[7]
    proof = way_out.l2.proof(withdrawal)
    index = way_out.propose(proof.output.root)
    outcome = way_out.prove(withdrawal, index, proof, sender=OWNER)
    (proven,) = way_out.portal.events(outcome, "WithdrawalProven")
    parties = (bytes(12) + withdrawal.sender, bytes(12) + withdrawal.target)
    assert proven.topics[1:] == (withdrawal.hash, *parties)
    (submitted,) = way_out.portal.events(outcome, "WithdrawalProvenExtension1")
    assert submitted.topics[1:] == (withdrawal.hash, bytes(12) + OWNER)
    assert way_out.portal.read("finalizedWithdrawals", withdrawal.hash) is False


def test_an_output_that_is_not_there(way_out: WayOut) -> None:
    withdrawal = way_out.l2.sent[0]
    with pytest.raises(Reverted, match="OutputNotFound") as refusal:
        way_out.prove(withdrawal, 0, way_out.l2.proof(withdrawal))
    assert refusal.value.arguments == (0, 0)
    way_out.propose(b"\x01" * 32)
    with pytest.raises(Reverted, match="OutputNotFound") as refusal:
        way_out.prove(withdrawal, 1, way_out.l2.proof(withdrawal))
    assert refusal.value.arguments == (1, 1)


def test_a_proof_against_a_wrong_output(way_out: WayOut) -> None:
    withdrawal = way_out.l2.sent[0]
    proof = way_out.l2.proof(withdrawal)
    wrong = way_out.propose(b"\x01" * 32)
    with pytest.raises(Reverted, match="OutputRootMismatch") as refusal:
        way_out.prove(withdrawal, wrong, proof)
    assert refusal.value.arguments == (b"\x01" * 32, proof.output.root)


@pytest.mark.parametrize("part", ["state_root", "storage_root", "block_hash"])
def test_each_part_of_the_output_counts(way_out: WayOut, part: str) -> None:
    withdrawal = way_out.l2.sent[0]
    proof = way_out.l2.proof(withdrawal)
    index = way_out.propose(proof.output.root)
    forged = replace(proof.output, **{part: Hash32(b"\x66" * 32)})
    with pytest.raises(Reverted, match="OutputRootMismatch"):
        way_out.prove(withdrawal, index, proof, output=forged)


def test_another_version_of_outputs(way_out: WayOut) -> None:
    withdrawal = way_out.l2.sent[0]
    proof = way_out.l2.proof(withdrawal)
    root = keccak256(b"\x01".rjust(32, b"\0") + b"".join(proof.output.fields[1:]))
    index = way_out.propose(root)
    with pytest.raises(Reverted, match="OutputRootMismatch"):
        way_out.prove(withdrawal, index, proof)


def test_a_withdrawal_of_a_later_block(way_out: WayOut) -> None:
    """The proof is right, but for another output; and the old storage root does not hold it."""
    early, late = way_out.l2.stages[17], way_out.l2.sent[20]
    early_proof = way_out.l2.proof(late, early)
    index = way_out.propose(early_proof.output.root)
    with pytest.raises(Reverted, match="OutputRootMismatch"):
        way_out.prove(late, index, way_out.l2.proof(late))
    with pytest.raises(Reverted, match=r"InvalidWithdrawalProof|RLPInvalidEncoding"):
        way_out.prove(late, index, early_proof)
    with pytest.raises(Reverted, match="InvalidWithdrawalProof") as refusal:
        way_out.prove(late, index, early_proof, nodes=way_out.l2.proof(late).nodes)
    assert refusal.value.arguments == (INVALID_ROOT,)


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": (1 << 240) | 5},
        {"sender": Address(ALICE)},
        {"target": Address(ALICE)},
        {"value": 10**24},
        {"gas_limit": 1},
        {"data": b"\x01\x02"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_forged_withdrawal(way_out: WayOut, change: dict[str, object]) -> None:
    """Its hash is another one: neither its own absence nor the true one's proof helps."""
    true = way_out.l2.sent[3]
    forged = replace(true, **change)  # type: ignore[arg-type]
    proof = way_out.l2.proof(true)
    index = way_out.propose(proof.output.root)
    for nodes in (proof.nodes, way_out.l2.proof(forged).nodes):
        # The second where the trie has nothing at all at the next step.
        with pytest.raises(Reverted, match=r"InvalidWithdrawalProof|RLPInvalidEncoding"):
            way_out.prove(forged, index, proof, nodes=nodes)


def test_another_withdrawals_proof(way_out: WayOut) -> None:
    one, other = way_out.l2.sent[3:5]
    proof = way_out.l2.proof(one)
    index = way_out.propose(proof.output.root)
    with pytest.raises(Reverted, match="InvalidWithdrawalProof"):
        way_out.prove(one, index, way_out.l2.proof(other))


def test_slots_of_the_message_passer_that_are_no_withdrawals(way_out: WayOut) -> None:
    """Its nonce, and its proxy's admin, are in the same trie, under keys that no hash gives."""
    withdrawal = way_out.l2.sent[3]
    proof = way_out.l2.proof(withdrawal)
    index = way_out.propose(proof.output.root)
    reader, header = way_out.l2.chain.reader, way_out.l2.chain.head()
    nonce = reader.proof(Address(bytes.fromhex("42" + "00" * 18 + "16")), (1,), header)
    assert nonce.storage[0].value == len(way_out.l2.sent)
    with pytest.raises(Reverted, match="InvalidWithdrawalProof"):
        way_out.prove(withdrawal, index, proof, nodes=nonce.storage[0].proof)


def test_proofs_with_too_many_or_too_few_nodes(way_out: WayOut) -> None:
    withdrawal = way_out.l2.sent[3]
    proof = way_out.l2.proof(withdrawal)
    nodes = proof.nodes
    index = way_out.propose(proof.output.root)
    refused = {
        (): INVALID_PROOF,
        nodes[:1]: INVALID_PROOF,
        nodes[:-1]: INVALID_PROOF,
        nodes[1:]: INVALID_ROOT,
        (nodes[0], nodes[0], *nodes[1:]): INVALID_LARGE_NODE,
        (*nodes, nodes[-1]): INVALID_EXTRA_PROOF_ELEMENT,
        (*nodes, b""): INVALID_EXTRA_PROOF_ELEMENT,
        tuple(reversed(nodes)): INVALID_ROOT,
        (b"", *nodes): INVALID_ROOT,
    }
    for wrong, reason in refused.items():
        with pytest.raises(Reverted, match="InvalidWithdrawalProof") as refusal:
            way_out.prove(withdrawal, index, proof, nodes=wrong)
        assert refusal.value.arguments == (reason,), wrong


def test_every_byte_of_a_proof_counts(way_out: WayOut) -> None:
    """All bytes of the proofs of a small trie, and of one with a leaf inside its parent."""
    for header, withdrawal in (
        (way_out.l2.stages[2], way_out.l2.sent[1]),
        (way_out.l2.chain.head(), way_out.l2.sent[-1]),
    ):
        proof = way_out.l2.proof(withdrawal, header)
        index = way_out.propose(proof.output.root)
        for position in range(0, sum(map(len, proof.nodes)), 1 if len(proof.nodes) == 2 else 19):
            with pytest.raises(Reverted, match="InvalidWithdrawalProof"):
                way_out.prove(withdrawal, index, proof, nodes=_flipped(proof.nodes, position))
        way_out.prove(withdrawal, index, proof)


def test_a_value_other_than_one_is_no_withdrawal(way_out: WayOut) -> None:
    """The message passer writes nothing but 1; a trie that says 2 was not made by it."""
    withdrawal = way_out.l2.sent[0]
    key = keccak256(withdrawal.slot.to_bytes(32, "big"))
    for value, accepted in ((b"\x02", False), (b"\x82\x01\x01", False), (b"\x01", True)):
        # A trie of one leaf: 0x20 and the whole key, then the value, whose RLP is itself.
        leaf = b"\xa1\x20" + key + (value if len(value) == 1 else b"\x83" + value)
        node = bytes([0xC0 + len(leaf)]) + leaf if len(leaf) < 56 else b""
        output = Output(Hash32(b"\x0a" * 32), keccak256(node), Hash32(b"\x0b" * 32))
        proof = replace(way_out.l2.proof(withdrawal), output=output, nodes=(node,))
        index = way_out.propose(output.root)
        if accepted:
            way_out.prove(withdrawal, index, proof)
        else:
            with pytest.raises(Reverted, match="InvalidWithdrawalProof"):
                way_out.prove(withdrawal, index, proof)


def test_a_proof_replayed(way_out: WayOut) -> None:
    """It would start the time anew: nobody may do that to another's withdrawal."""
    withdrawal = way_out.l2.sent[5]
    proof = way_out.l2.proof(withdrawal)
    first = way_out.propose(proof.output.root)
    way_out.prove(withdrawal, first, proof)
    before = way_out.portal.read("provenWithdrawals", withdrawal.hash)
    way_out.wait(1000)
    second = way_out.propose(proof.output.root)
    for index in (first, second):
        with pytest.raises(Reverted, match="AlreadyProven") as refusal:
            way_out.prove(withdrawal, index, proof)
        assert refusal.value.arguments == (withdrawal.hash,)
    assert way_out.portal.read("provenWithdrawals", withdrawal.hash) == before


def test_proving_again_after_the_output_was_deleted(way_out: WayOut) -> None:
    """At once where an earlier output serves; and where a later one stands in its place."""
    withdrawal = way_out.l2.sent[5]
    proof = way_out.l2.proof(withdrawal)
    earlier = way_out.propose(proof.output.root)
    deleted = way_out.propose(proof.output.root)
    way_out.prove(withdrawal, deleted, proof)
    way_out.oracle.send("deleteL2Outputs", deleted, sender=CHALLENGER)
    way_out.wait(5)
    way_out.prove(withdrawal, earlier, proof)
    assert way_out.portal.read("provenWithdrawals", withdrawal.hash)[1:] == (
        way_out.chain.timestamp,
        earlier,
    )
    way_out.oracle.send("deleteL2Outputs", earlier, sender=CHALLENGER)
    way_out.propose(b"\x77" * 32)
    later = way_out.propose(proof.output.root)
    way_out.prove(withdrawal, later, proof)
    assert way_out.portal.read("provenWithdrawals", withdrawal.hash)[2] == later


def test_targets_that_would_act_in_the_portals_name(l1: L1Contracts) -> None:
    with open_withdrawing(genesis_only=True) as l2:
        way_out = WayOut(l1, l2)
        targets = (l1.portal.address, l1.token.address)
        sent = l2.withdraw(*(Order(USER, Address(target), 1) for target in targets))
        proof = l2.proof(sent[0])
        index = way_out.propose(proof.output.root)
        for withdrawal in sent:
            with pytest.raises(Reverted, match="BadTarget") as refusal:
                way_out.prove(withdrawal, index, l2.proof(withdrawal))
            assert refusal.value.arguments == (address_text(withdrawal.target),)


def test_the_first_withdrawal_of_all(l1: L1Contracts) -> None:
    with open_withdrawing(genesis_only=True) as l2:
        way_out = WayOut(l1, l2)
        (withdrawal,) = l2.withdraw(Order(USER, TARGET, 5))
        assert withdrawal.nonce == 1 << 240
        way_out.proven(withdrawal)


def test_paused(way_out: WayOut) -> None:
    withdrawal = way_out.l2.sent[5]
    proof = way_out.l2.proof(withdrawal)
    index = way_out.propose(proof.output.root)
    assert way_out.portal.read("guardian") == address_text(OWNER)
    for function in ("pause", "unpause"):
        with pytest.raises(Reverted, match="NotGuardian") as refusal:
            way_out.portal.send(function, sender=ALICE)
        assert refusal.value.arguments == (address_text(ALICE),)
    outcome = way_out.portal.send("pause", sender=OWNER)
    (log,) = way_out.portal.events(outcome, "Paused")
    assert log.data == bytes(12) + OWNER
    assert way_out.portal.read("paused") is True
    with pytest.raises(Reverted, match="WithdrawalsPaused"):
        way_out.prove(withdrawal, index, proof)
    outcome = way_out.portal.send("unpause", sender=OWNER)
    assert way_out.portal.events(outcome, "Unpaused")
    way_out.prove(withdrawal, index, proof)


def test_the_guardian_is_who_owns_the_settings(way_out: WayOut) -> None:
    way_out.l1.config.send("transferOwnership", address_text(ALICE), sender=OWNER)
    assert way_out.portal.read("guardian") == address_text(ALICE)
    with pytest.raises(Reverted, match="NotGuardian"):
        way_out.portal.send("pause", sender=OWNER)
    way_out.portal.send("pause", sender=ALICE)


def _flipped(nodes: tuple[bytes, ...], position: int) -> tuple[bytes, ...]:
    """The nodes with one bit changed in the byte at a position of them all."""
    changed = list(nodes)
    for number, node in enumerate(nodes):
        if position < len(node):
            byte = node[position] ^ (1 << (position % 8))
            changed[number] = node[:position] + bytes([byte]) + node[position + 1 :]
            break
        position -= len(node)
    return tuple(changed)


def _leaf(slot: int, nodes: tuple[bytes, ...]) -> bytes:
    """The leaf of a slot that holds 1, cut to what is left of its path below the last node."""
    path = keccak256(slot.to_bytes(32, "big")).hex()
    for taken in range(64):
        rest = path[taken:]
        raw = bytes.fromhex(("3" if len(rest) % 2 else "20") + rest)
        payload = bytes([0x80 + len(raw)]) + raw + b"\x01"
        leaf = bytes([0xC0 + len(payload)]) + payload
        if leaf in nodes[-1]:
            return leaf
    raise AssertionError("the last node holds no such leaf")

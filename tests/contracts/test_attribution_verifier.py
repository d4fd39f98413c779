"""AttributionVerifier on our own L1: it believes what `attribution.proof_check` believes."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.posted_output import PostedOutput, check_against
from attribution.proof_check import check_proof, output_root
from attribution.receipt_proof import HistoryStep, ReceiptProof
from attribution.verifier_call import decode_verified, encode_verify
from node.errors import DecodingError, InvalidInput
from node.types.primitives import Address, BlockNumber, Hash32
from tests.contracts.local_chain import Reverted
from tests.contracts.proven_receipts import (
    BATCH,
    INTERVAL,
    L1_CHAIN_ID,
    PERIOD_S,
    RECORDS,
    ProvenReceipts,
    open_proven_receipts,
)


@pytest.fixture(scope="module")
def receipts() -> Iterator[ProvenReceipts]:
    with open_proven_receipts() as receipts:
        yield receipts


def refusal(receipts: ProvenReceipts, proof: ReceiptProof) -> str:
    with pytest.raises(Reverted) as refused:
        receipts.verify(proof)
    return refused.value.name


def test_the_fields_of_a_receipt(receipts: ProvenReceipts) -> None:
    for proof, block in ((receipts.same_block(), 4), (receipts.one_hop(), 3)):
        shown, verified = check_proof(proof), receipts.verify(proof)
        assert verified.record == shown.record
        assert (verified.block, verified.timestamp) == (shown.block, shown.timestamp)
        assert verified.block.number == block
    assert receipts.verify(receipts.one_hop()).record == RECORDS[77]


@pytest.mark.parametrize("seq", [0, 1, 31, 63, 64, 98, 99])
def test_any_place_in_a_batch_and_in_a_block(receipts: ProvenReceipts, seq: int) -> None:
    for index in range(1, 7):
        proof = receipts.proof(seq, 3, index, seq % 2)
        assert receipts.verify(proof).record == RECORDS[seq]


def test_a_batch_of_one(receipts: ProvenReceipts) -> None:
    assert receipts.verify(receipts.proof(2 * BATCH, 5, 1, 1)).record == RECORDS[0]


def test_several_hops(receipts: ProvenReceipts) -> None:
    far = receipts.proof(5, 3, 1, 1)
    near = receipts.proof(5, 3, 1, 0)
    link = receipts.proof(BATCH, 4, 1, 1)
    both = replace(
        far,
        headers=(*near.headers, link.headers[-1]),
        history=(*near.history, *link.history),
    )
    assert receipts.verify(both) == receipts.verify(far)
    swapped = replace(both, history=both.history[::-1])
    assert refusal(receipts, swapped) in ("InvalidHistoryProof", "HistoryMismatch")


def test_final_is_what_cannot_be_deleted_any_more(receipts: ProvenReceipts) -> None:
    proof = receipts.same_block()
    end = receipts.verify(proof).final_after
    while receipts.l1.head().timestamp < end:
        receipts.l1.extend()
    with pytest.raises(Reverted) as refused:
        receipts.verify(proof, is_final=True)
    assert (refused.value.name, refused.value.arguments) == ("OutputNotFinal", (end,))
    receipts.l1.extend()
    assert receipts.verify(proof, is_final=True) == receipts.verify(proof)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"output_index": 9}, "OutputNotFound"),
        ({"output_index": 1}, "OutputRootMismatch"),
        ({"logger": Address(bytes(20))}, "NotAppended"),
        ({"stream": 8}, "NotAppended"),
        ({"seq": 78}, "InvalidBatchPath"),
        ({"seq": 2**64 - 1}, "InvalidBatchPath"),
        ({"record": RECORDS[78].encode()}, "InvalidBatchPath"),
        ({"record": b""}, "InvalidRecord"),
        ({"record": RECORDS[77].encode() + b"\0"}, "InvalidRecord"),
        ({"record": RECORDS[77].encode()[:-1]}, "InvalidRecord"),
        ({"record": b"\x80\x00\x00" + bytes(32)}, "InvalidRecord"),
        ({"record": b"\x01\x11" + bytes(66)}, "InvalidRecord"),
        ({"record": b"\x01\x01\x05\x00" + bytes(32)}, "InvalidRecord"),
        ({"record": b"\x01\x01\x05\x91\x4e" + bytes(32)}, "InvalidRecord"),
        ({"record": b"\x01\x02\x05\x01\x05\x01" + bytes(32)}, "InvalidRecord"),
        ({"batch_path": ()}, "InvalidBatchPath"),
        ({"log_index": 1}, "LogNotFound"),
        ({"transaction_index": 0}, "InvalidReceiptProof"),
        ({"receipt_proof": ()}, "InvalidReceiptProof"),
        ({"headers": ()}, "WrongHistoryLength"),
        ({"history": ()}, "WrongHistoryLength"),
        ({"history": (HistoryStep((), ()),)}, "InvalidHistoryProof"),
    ],
)
def test_a_proof_of_something_else(
    receipts: ProvenReceipts, change: dict[str, Any], error: str
) -> None:
    proof = replace(receipts.one_hop(), **change)
    assert refusal(receipts, proof) == error
    with pytest.raises(InvalidInput):
        check_on_l1(receipts, proof)


def test_blocks_in_another_order(receipts: ProvenReceipts) -> None:
    proof = receipts.one_hop()
    assert refusal(receipts, replace(proof, headers=proof.headers[::-1])) == "HistoryOutOfReach"
    twice = replace(proof, headers=proof.headers[-1:] * 2)
    assert refusal(receipts, twice) == "HistoryOutOfReach"


def test_nodes_that_nothing_needs(receipts: ProvenReceipts) -> None:
    proof = receipts.one_hop()
    longer = (*proof.receipt_proof, proof.receipt_proof[-1])
    assert refusal(receipts, replace(proof, receipt_proof=longer)) == "InvalidReceiptProof"
    short = (*proof.receipt_proof, b"\xc0")
    assert refusal(receipts, replace(proof, receipt_proof=short)) == "NodeTooShort"
    path = (*proof.batch_path, Hash32(bytes(32)))
    assert refusal(receipts, replace(proof, batch_path=path)) == "InvalidBatchPath"


def test_a_failed_transaction_has_no_receipts(receipts: ProvenReceipts) -> None:
    """Nor has one without the log: number 0 is the deposit that opens each block."""
    proof = receipts.one_hop()
    other = receipts.proof(7, 3, 1, 0)
    foreign = replace(proof, transaction_index=1, receipt_proof=other.receipt_proof)
    assert refusal(receipts, foreign) == "NotAppended"


def test_call_data_has_one_form(receipts: ProvenReceipts) -> None:
    data = encode_verify(receipts.one_hop())
    receipts.run(data)
    for other in (data + b"\0", data + bytes(32), data[:-1]):
        with pytest.raises(Reverted):
            receipts.run(other)


def test_a_changed_byte_is_refused(receipts: ProvenReceipts) -> None:
    """Some of each region; `python -m tests.contracts.every_byte` changes each of them."""
    for proof in (receipts.same_block(), receipts.one_hop()):
        data = encode_verify(proof)
        for place in random.Random(1).sample(range(len(data)), 250):
            assert receipts.refuses(data, place, 0x01)


def check_on_l1(receipts: ProvenReceipts, proof: ReceiptProof) -> None:
    """What Python says, given the outputs that are on this L1."""
    posted = None
    if proof.output_index < 2:
        number = BlockNumber(INTERVAL * (proof.output_index + 1))
        header = receipts.l2.reader.header_by_number(number)
        assert header is not None
        posted = PostedOutput(
            l1_chain_id=L1_CHAIN_ID,
            oracle=receipts.oracle,
            index=proof.output_index,
            block=number,
            root=output_root(header),
            timestamp=0,
            proposer=receipts.oracle,
            challenger=receipts.oracle,
            final_after=PERIOD_S,
            is_final=False,
        )
    check_against(proof, posted)


@st.composite
def changes(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """Small things to do to a proof: which field, which item, how."""
    names = (
        *("output_index", "seq", "log_index", "transaction_index", "stream"),
        *("record", "batch_path", "receipt_proof", "headers", "history"),
    )
    one = st.tuples(
        st.sampled_from(names),
        st.integers(0, 5),
        st.sampled_from(("flip", "drop", "repeat", "cut", "swap", "borrow")),
        st.integers(0, 10_000),
    )
    return draw(st.lists(one, min_size=1, max_size=2))


def changed(proof: ReceiptProof, other: ReceiptProof, change: tuple[Any, ...]) -> ReceiptProof:
    """Apply a change; `other` is what it may borrow from."""
    name, index, how, place = change
    value, new = getattr(proof, name), dict[str, Any]()
    if how == "borrow":
        new[name] = getattr(other, name)
    elif isinstance(value, int):
        new[name] = value ^ 1 << place % 8
    elif isinstance(value, bytes):
        new[name] = _bytes(value, how, place)
    else:
        new[name] = _items(name, value, index, how, place)
    return replace(proof, **new)


def _items(name: str, value: tuple[Any, ...], index: int, how: str, place: int) -> tuple[Any, ...]:
    items = list(value)
    if how == "repeat":
        nothing = HistoryStep((), ()) if name == "history" else Hash32(bytes(32))
        items.insert(index, items[index % len(items)] if items else nothing)
    elif items:
        at = index % len(items)
        if how == "drop":
            del items[at]
        elif how == "swap":
            items[at], items[0] = items[0], items[at]
        elif isinstance(items[at], HistoryStep):
            step = items[at]
            nodes = list(step.account_proof)
            nodes[place % len(nodes)] = _bytes(nodes[place % len(nodes)], how, place)
            items[at] = replace(step, account_proof=tuple(nodes))
        elif name == "batch_path":
            items[at] = Hash32(_bytes(items[at], "flip", place))
        else:
            items[at] = _bytes(items[at], how, place)
    return tuple(items)


def _bytes(value: bytes, how: str, place: int) -> bytes:
    at = place % max(1, len(value))
    if how == "cut":
        return value[:at]
    flipped = bytearray(value)
    if flipped:
        flipped[at] ^= 1 << place % 8
    return bytes(flipped)


@settings(max_examples=100, deadline=None)
@given(changes(), st.booleans())
def test_python_and_solidity_agree(
    receipts: ProvenReceipts, done: list[tuple[Any, ...]], hops: bool
) -> None:
    proof, other = receipts.same_block(), receipts.one_hop()
    if hops:
        proof, other = other, receipts.proof(12, 3, 2, 1)
    for change in done:
        proof = changed(proof, other, change)
    try:
        check_on_l1(receipts, proof)
    except (InvalidInput, DecodingError):
        with pytest.raises(Reverted):
            receipts.verify(proof)
    else:
        receipts.verify(proof)


def test_what_it_answers_is_read_strictly(receipts: ProvenReceipts) -> None:
    output = receipts.run(encode_verify(receipts.same_block()))
    assert decode_verified(output).block.number == 4
    with pytest.raises(DecodingError):
        decode_verified(output[:-32])

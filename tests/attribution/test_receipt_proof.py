"""A receipt's proof: built by a node, checked by nobody but itself, in one form only."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.calldata import encode_append
from attribution.proof_builder import Output, build_proof
from attribution.proof_check import ProofError, ProvenReceipt, check_proof, output_root
from attribution.receipt_proof import (
    HistoryStep,
    ReceiptProof,
    decode_proof,
    encode_proof,
    parse_proof,
    proof_to_json,
)
from attribution.records import Influence, Record, encode_records
from node.attribution_entries import Place
from node.errors import DecodingError, InvalidInput
from node.reader import Reader
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Address, BlockNumber, Hash32
from openrollup.testing import Devnet

ORACLE = Address(b"\x0a" * 20)
STREAM = 7
RECORDS = [
    Record(10**9 + n, (Influence(n, 2_000), Influence(n + 1, 500)), Hash32(bytes([n]) * 32))
    for n in range(5)
]


@dataclass(frozen=True)
class World:
    """A chain with two batches of one stream, and blocks after them."""

    reader: Reader
    logger: Address
    first: BlockNumber
    head: BlockNumber


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Devnet() as devnet:
        account = devnet.accounts[2]
        to = devnet.w3.to_checksum_address(ATTRIBUTION_ADDRESS)
        places = []
        for start, end in ((0, 3), (3, 5)):
            call = encode_append(STREAM, start, RECORDS[start:end])
            devnet.w3.eth.send_transaction({"from": account.address, "to": to, "data": call})
            places.append(devnet.mine()[0].number)
        devnet.mine(20)
        reader = devnet.l2.reader
        logger = Address(bytes.fromhex(account.address[2:]))
        yield World(reader, logger, places[0], reader.head_header().number)


def make(world: World, seq: int, output_block: int) -> ReceiptProof:
    place = Place(BlockNumber(world.first + (seq > 2)), 1, 0)
    return build_proof(world.reader, place, seq, Output(900, ORACLE, 4, BlockNumber(output_block)))


@pytest.mark.parametrize("seq", range(5))
@pytest.mark.parametrize("distance", [1, 2, 20])
def test_a_node_proves_each_receipt_to_a_stranger(world: World, seq: int, distance: int) -> None:
    proof = make(world, seq, world.first + distance)
    shown = check_proof(decode_proof(encode_proof(proof)))
    assert shown.record == RECORDS[seq]
    assert shown.appended.logger == world.logger
    assert shown.block.number == world.first + (seq > 2)
    header = world.reader.header_by_number(BlockNumber(world.first + distance))
    assert header is not None
    assert shown.output_block == header.ref
    assert shown.output_root == output_root(header)


def test_the_output_of_the_same_block_needs_no_history(world: World) -> None:
    proof = make(world, 0, world.first)
    assert proof.history == ()
    assert check_proof(proof).block == check_proof(proof).output_block


def test_several_steps_of_history(world: World) -> None:
    near, far = make(world, 0, world.first + 5), make(world, 0, world.head)
    link = build_proof(
        world.reader, Place(BlockNumber(world.first + 1), 1, 0), 3, _output(world.head)
    )
    middle = make(world, 0, world.first + 1)
    both = replace(
        far,
        headers=(*middle.headers, link.headers[-1]),
        history=(*middle.history, *link.history),
    )
    assert check_proof(both).output_root == check_proof(far).output_root
    assert check_proof(near).output_root != check_proof(far).output_root
    with pytest.raises(InvalidInput):
        check_proof(replace(both, history=both.history[::-1]))


def _output(block: int) -> Output:
    return Output(900, ORACLE, 4, BlockNumber(block))


def asked_of_l1(proof: ReceiptProof, shown: ProvenReceipt) -> tuple[object, ...]:
    """Return the question that is left for L1: is this root number so and so there?"""
    place = (proof.l1_chain_id, proof.l2_output_oracle, proof.output_index)
    return (*place, shown.output_root, shown.output_block.number)


def test_any_changed_byte_of_the_file_is_refused(world: World) -> None:
    """Or asks L1 another question, to which the answer is no."""
    proof = make(world, 1, world.head)
    raw = encode_proof(proof)
    asked = asked_of_l1(proof, check_proof(proof))
    for place in range(len(raw)):
        for change in (raw[place] ^ 1, raw[place] ^ 0x10, 0x20):
            if change == raw[place]:
                continue
            changed = raw[:place] + bytes([change]) + raw[place + 1 :]
            try:
                other = decode_proof(changed)
                shown = check_proof(other)
            except (DecodingError, ProofError):
                continue
            assert asked_of_l1(other, shown) != asked


@pytest.mark.parametrize(
    "change",
    [
        {"seq": 2},
        {"stream": STREAM + 1},
        {"logger": Address(bytes(20))},
        {"record": encode_records([RECORDS[2]])},
        {"log_index": 1},
        {"transaction_index": 0},
        {"batch_path": ()},
        {"receipt_proof": ()},
        {"headers": ()},
        {"history": ()},
        {"history": (HistoryStep((), ()),)},
    ],
)
def test_a_proof_of_something_else_is_refused(world: World, change: dict[str, object]) -> None:
    proof = make(world, 1, world.head)
    with pytest.raises(InvalidInput):
        check_proof(replace(proof, **change))  # type: ignore[arg-type]


def test_nodes_that_nothing_needs_are_refused(world: World) -> None:
    proof = make(world, 1, world.head)
    with pytest.raises(DecodingError):
        check_proof(replace(proof, receipt_proof=(*proof.receipt_proof, b"\xc0")))
    (step,) = proof.history
    longer = replace(step, account_proof=(*step.account_proof, step.account_proof[-1]))
    with pytest.raises(DecodingError):
        check_proof(replace(proof, history=(longer,)))
    with pytest.raises(ProofError):
        check_proof(replace(proof, batch_path=(*proof.batch_path, Hash32(bytes(32)))))


def test_other_forms_of_the_same_proof_are_refused(world: World) -> None:
    fields = proof_to_json(make(world, 1, world.head))
    for other in (
        orjson.dumps(fields, option=orjson.OPT_INDENT_2),
        orjson.dumps(fields, option=orjson.OPT_SORT_KEYS),
        orjson.dumps({**fields, "comment": ""}),
        orjson.dumps({**fields, "record": fields["record"].upper().replace("X", "x")}),
        orjson.dumps({**fields, "seq": "0x01"}),
        orjson.dumps(fields) + b"\n",
        b"",
        b"[]",
        b"\xff",
    ):
        with pytest.raises(DecodingError):
            decode_proof(other)
    for name in fields:
        with pytest.raises(DecodingError, match=name):
            parse_proof({key: value for key, value in fields.items() if key != name})


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner)))
def test_whatever_a_field_holds_instead_has_a_clear_error(world: World, value: object) -> None:
    fields = proof_to_json(make(world, 0, world.first))
    for name in fields:
        if fields[name] != value:
            with pytest.raises(InvalidInput):
                check_proof(parse_proof({**fields, name: value}))
                raise InvalidInput(f"{name} is for L1 to check")


def test_what_a_node_cannot_prove_it_says(world: World) -> None:
    with pytest.raises(InvalidInput, match="seq: expected 0 to 2"):
        build_proof(world.reader, Place(world.first, 1, 0), 3, _output(world.head))
    with pytest.raises(InvalidInput, match="output: expected one of block"):
        build_proof(world.reader, Place(world.head, 0, 0), 0, _output(world.first))
    with pytest.raises(InvalidInput, match="does not have it"):
        build_proof(world.reader, Place(world.first, 1, 0), 0, _output(world.head + 1))
    with pytest.raises(InvalidInput, match="written by a contract"):
        build_proof(world.reader, Place(world.first, 0, 0), 0, _output(world.head))

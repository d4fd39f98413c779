"""L1Block: each setter writes exactly the protocol's slots, and only for the depositor."""

from dataclasses import dataclass

import pytest

from tests.contracts.local_chain import Contract, LocalChain, Reverted, word

DEPOSITOR = bytes.fromhex("deaddeaddeaddeaddeaddeaddeaddeaddead0001")
L1_BLOCK = bytes.fromhex("4200000000000000000000000000000000000015")

BASE_FEE_SCALAR = 0xA1A2A3A4
BLOB_BASE_FEE_SCALAR = 0xB1B2B3B4
SEQUENCE_NUMBER = 0xC1C2C3C4C5C6C7C8
TIMESTAMP = 0xD1D2D3D4D5D6D7D8
NUMBER = 0xE1E2E3E4E5E6E7E8
BASE_FEE = 2**256 - 11
BLOB_BASE_FEE = 2**256 - 13
HASH = bytes(range(32))
BATCHER_HASH = bytes(12) + b"\xba" * 20
OPERATOR_FEE_SCALAR = 0x91929394
OPERATOR_FEE_CONSTANT = 0x8182838485868788
DA_FOOTPRINT_GAS_SCALAR = 0x7172

SLOT_3 = BASE_FEE_SCALAR << 96 | BLOB_BASE_FEE_SCALAR << 64 | SEQUENCE_NUMBER
OPERATOR_FEE = OPERATOR_FEE_SCALAR << 64 | OPERATOR_FEE_CONSTANT


@dataclass(frozen=True, slots=True)
class Format:
    """One fork's attributes: the setter, its calldata, what slot 8 holds afterwards."""

    name: str
    calldata: bytes
    slot_8: int


ORIGIN = (
    BASE_FEE_SCALAR.to_bytes(4, "big")
    + BLOB_BASE_FEE_SCALAR.to_bytes(4, "big")
    + SEQUENCE_NUMBER.to_bytes(8, "big")
    + TIMESTAMP.to_bytes(8, "big")
    + NUMBER.to_bytes(8, "big")
    + word(BASE_FEE)
    + word(BLOB_BASE_FEE)
    + HASH
    + BATCHER_HASH
)
OPERATOR_PART = OPERATOR_FEE.to_bytes(12, "big")
FOOTPRINT_PART = DA_FOOTPRINT_GAS_SCALAR.to_bytes(2, "big")
ECOTONE = Format("Ecotone", bytes.fromhex("440a5e20") + ORIGIN, 0)
ISTHMUS = Format("Isthmus", bytes.fromhex("098999be") + ORIGIN + OPERATOR_PART, OPERATOR_FEE)
JOVIAN = Format(
    "Jovian",
    bytes.fromhex("3db6be2b") + ORIGIN + OPERATOR_PART + FOOTPRINT_PART,
    DA_FOOTPRINT_GAS_SCALAR << 96 | OPERATOR_FEE,
)
FORMATS = pytest.mark.parametrize("form", [ECOTONE, ISTHMUS, JOVIAN], ids=lambda form: form.name)


@pytest.fixture
def l1_block(chain: LocalChain) -> Contract:
    return Contract.place(chain, "L1Block", L1_BLOCK)


def slots(contract: Contract) -> list[int]:
    return [contract.chain.storage(contract.address, slot) for slot in range(12)]


def test_calldata_lengths_are_the_protocols() -> None:
    assert [len(form.calldata) for form in (ECOTONE, ISTHMUS, JOVIAN)] == [164, 176, 178]


@FORMATS
def test_setter_writes_the_slots(l1_block: Contract, form: Format) -> None:
    l1_block.send_raw(form.calldata, sender=DEPOSITOR)
    assert slots(l1_block) == [
        TIMESTAMP << 64 | NUMBER,
        BASE_FEE,
        int.from_bytes(HASH, "big"),
        SLOT_3,
        int.from_bytes(BATCHER_HASH, "big"),
        0,
        0,
        BLOB_BASE_FEE,
        form.slot_8,
        0,
        0,
        0,
    ]


def test_nodes_find_the_fee_fields_at_their_bytes(l1_block: Contract) -> None:
    l1_block.send_raw(JOVIAN.calldata, sender=DEPOSITOR)
    slot_3, slot_8 = (word(slots(l1_block)[slot]) for slot in (3, 8))
    assert int.from_bytes(slot_3[16:20], "big") == BASE_FEE_SCALAR
    assert int.from_bytes(slot_3[20:24], "big") == BLOB_BASE_FEE_SCALAR
    assert int.from_bytes(slot_8[18:20], "big") == DA_FOOTPRINT_GAS_SCALAR
    assert int.from_bytes(slot_8[20:24], "big") == OPERATOR_FEE_SCALAR
    assert int.from_bytes(slot_8[24:32], "big") == OPERATOR_FEE_CONSTANT


@FORMATS
@pytest.mark.parametrize("sender", [b"\xa1" * 20, bytes(20), L1_BLOCK])
def test_setter_refuses_everybody_else(l1_block: Contract, form: Format, sender: bytes) -> None:
    with pytest.raises(Reverted, match="NotDepositor"):
        l1_block.send_raw(form.calldata, sender=sender, origin=DEPOSITOR)
    assert slots(l1_block) == [0] * 12


@FORMATS
def test_setter_overwrites_the_block_before(l1_block: Contract, form: Format) -> None:
    l1_block.send_raw(form.calldata[:4] + b"\xff" * (len(form.calldata) - 4), sender=DEPOSITOR)
    l1_block.send_raw(form.calldata, sender=DEPOSITOR)
    assert slots(l1_block)[3] == SLOT_3
    assert slots(l1_block)[8] == form.slot_8


def test_setter_stays_cheap(l1_block: Contract) -> None:
    """Seven slots that already hold other values, at 5,000 gas each, and little more."""
    l1_block.send_raw(JOVIAN.calldata[:4] + b"\xff" * 174, sender=DEPOSITOR)
    outcome = l1_block.send_raw(JOVIAN.calldata, sender=DEPOSITOR)
    assert outcome.gas_used < 7 * 5_000 + 500


def test_getters(l1_block: Contract) -> None:
    l1_block.send_raw(JOVIAN.calldata, sender=DEPOSITOR)
    expected = {
        "number": NUMBER,
        "timestamp": TIMESTAMP,
        "basefee": BASE_FEE,
        "hash": HASH,
        "sequenceNumber": SEQUENCE_NUMBER,
        "blobBaseFeeScalar": BLOB_BASE_FEE_SCALAR,
        "baseFeeScalar": BASE_FEE_SCALAR,
        "batcherHash": BATCHER_HASH,
        "l1FeeOverhead": 0,
        "l1FeeScalar": 0,
        "blobBaseFee": BLOB_BASE_FEE,
        "operatorFeeConstant": OPERATOR_FEE_CONSTANT,
        "operatorFeeScalar": OPERATOR_FEE_SCALAR,
        "daFootprintGasScalar": DA_FOOTPRINT_GAS_SCALAR,
        "DEPOSITOR_ACCOUNT": "0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001",
        "isCustomGasToken": True,
        "gasPayingToken": ("0x" + "ee" * 20, 18),
        "gasPayingTokenName": "OPEN",
        "gasPayingTokenSymbol": "OPEN",
        "version": "1.0.0",
    }
    assert {name: l1_block.read(name) for name in expected} == expected

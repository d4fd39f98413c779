"""SystemConfig: the payload of each update, its bounds, and where its first values are."""

from typing import Any

import pytest
from eth_abi import decode
from eth_utils import keccak

from tests.contracts.conftest import (
    ALICE,
    BATCH_INBOX,
    BATCHER,
    BRIDGE,
    MESSENGER,
    OWNER,
    SIGNER,
    L1Contracts,
    deploy_system_config,
)
from tests.contracts.local_chain import Contract, LocalChain, Reverted, address_text, word

SIGNER_SLOT = int.from_bytes(keccak(text="systemconfig.unsafeblocksigner"), "big")
NEW = b"\xcd" * 20
PADDED_NEW = bytes(12) + NEW


@pytest.fixture
def config(l1: L1Contracts) -> Contract:
    return l1.config


UPDATES = [
    ("setBatcherHash", (PADDED_NEW,), 0, PADDED_NEW),
    (
        "setGasConfigEcotone",
        (0x01020304, 0x05060708),
        1,
        word(0) + b"\x01" + bytes(23) + bytes.fromhex("0506070801020304"),
    ),
    ("setGasLimit", (60_000_000,), 2, word(60_000_000)),
    ("setUnsafeBlockSigner", (address_text(NEW),), 3, PADDED_NEW),
    (
        "setEIP1559Params",
        (0x01020304, 0x00060708),
        4,
        bytes(24) + bytes.fromhex("0102030400060708"),
    ),
    (
        "setOperatorFeeScalars",
        (0x01020304, 0x05060708090A0B0C),
        5,
        bytes(20) + bytes.fromhex("0102030405060708090a0b0c"),
    ),
    ("setMinBaseFee", (2**64 - 1,), 6, word(2**64 - 1)),
    ("setDAFootprintGasScalar", (65_535,), 7, word(65_535)),
]
EACH_UPDATE = pytest.mark.parametrize(("setter", "arguments", "update_type", "payload"), UPDATES)


@EACH_UPDATE
def test_update_announces_its_payload(
    config: Contract, setter: str, arguments: tuple[Any, ...], update_type: int, payload: bytes
) -> None:
    outcome = config.send(setter, *arguments, sender=OWNER)
    (log,) = config.events(outcome, "ConfigUpdate")
    assert log.topics[1:] == (word(0), word(update_type))
    assert decode(["bytes"], log.data) == (payload,)
    assert log.data == word(32) + word(len(payload)) + payload


@EACH_UPDATE
def test_only_the_owner_updates(
    config: Contract, setter: str, arguments: tuple[Any, ...], update_type: int, payload: bytes
) -> None:
    with pytest.raises(Reverted, match="OwnableUnauthorizedAccount"):
        config.send(setter, *arguments, sender=ALICE)


def test_first_values(config: Contract, l1: L1Contracts) -> None:
    expected = {
        "owner": address_text(OWNER),
        "batcherHash": bytes(12) + BATCHER,
        "gasLimit": 30_000_000,
        "basefeeScalar": 1368,
        "blobbasefeeScalar": 810_949,
        "overhead": 0,
        "scalar": 1 << 248 | 810_949 << 32 | 1368,
        "eip1559Denominator": 0,
        "eip1559Elasticity": 0,
        "operatorFeeScalar": 0,
        "operatorFeeConstant": 0,
        "unsafeBlockSigner": address_text(SIGNER),
        "minBaseFee": 0,
        "daFootprintGasScalar": 0,
        "batchInbox": address_text(BATCH_INBOX),
        "optimismPortal": address_text(l1.portal.address),
        "openToken": address_text(l1.token.address),
        "l2OutputOracle": address_text(l1.oracle.address),
        "l1CrossDomainMessenger": address_text(MESSENGER),
        "l1StandardBridge": address_text(BRIDGE),
        "gasPayingToken": (address_text(l1.token.address), 18),
        "gasPayingTokenName": "OPEN",
        "gasPayingTokenSymbol": "OPEN",
        "startBlock": 100,
        "minimumGasLimit": 21_000_000,
        "maximumGasLimit": 500_000_000,
        "isCustomGasToken": True,
        "VERSION": 0,
        "UNSAFE_BLOCK_SIGNER_SLOT": word(SIGNER_SLOT),
        "version": "1.1.0",
    }
    assert {name: config.read(name) for name in expected} == expected


def test_getters_follow_updates(config: Contract) -> None:
    for setter, arguments, _, _ in UPDATES:
        config.send(setter, *arguments, sender=OWNER)
    expected = {
        "batcherHash": PADDED_NEW,
        "basefeeScalar": 0x01020304,
        "blobbasefeeScalar": 0x05060708,
        "scalar": 1 << 248 | 0x05060708 << 32 | 0x01020304,
        "gasLimit": 60_000_000,
        "unsafeBlockSigner": address_text(NEW),
        "eip1559Denominator": 0x01020304,
        "eip1559Elasticity": 0x00060708,
        "operatorFeeScalar": 0x01020304,
        "operatorFeeConstant": 0x05060708090A0B0C,
        "minBaseFee": 2**64 - 1,
        "daFootprintGasScalar": 65_535,
    }
    assert {name: config.read(name) for name in expected} == expected


def test_the_unsafe_signer_is_where_nodes_prove_it(config: Contract) -> None:
    assert SIGNER_SLOT == 0x65A7ED542FB37FE237FDFBDD70B31598523FE5B32879E307BAE27A0BD9581C08
    assert config.chain.storage(config.address, SIGNER_SLOT) == int.from_bytes(SIGNER, "big")


@pytest.mark.parametrize("gas_limit", [21_000_000, 500_000_000])
def test_gas_limit_bounds_are_allowed(config: Contract, gas_limit: int) -> None:
    config.send("setGasLimit", gas_limit, sender=OWNER)


@pytest.mark.parametrize("gas_limit", [0, 20_999_999, 500_000_001, 2**64 - 1])
def test_gas_limit_beyond_bounds_is_refused(
    chain: LocalChain, config: Contract, gas_limit: int
) -> None:
    with pytest.raises(Reverted, match="InvalidGasLimit") as refusal:
        config.send("setGasLimit", gas_limit, sender=OWNER)
    assert refusal.value.arguments == (gas_limit, 21_000_000, 500_000_000)
    with pytest.raises(Reverted, match="InvalidGasLimit"):
        deploy_system_config(chain, NEW, NEW, NEW, gas_limit)


@pytest.mark.parametrize("params", [(0, 0), (0, 6), (250, 0), (250, 21_000_001)])
def test_bad_1559_params_are_refused(config: Contract, params: tuple[int, int]) -> None:
    with pytest.raises(Reverted, match="InvalidEIP1559Params") as refusal:
        config.send("setEIP1559Params", *params, sender=OWNER)
    assert refusal.value.arguments == params


@pytest.mark.parametrize("batcher_hash", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
def test_a_batcher_that_is_no_address_is_refused(config: Contract, batcher_hash: bytes) -> None:
    with pytest.raises(Reverted, match="InvalidBatcherHash"):
        config.send("setBatcherHash", batcher_hash, sender=OWNER)


def test_ownership_passes_on(config: Contract) -> None:
    config.send("transferOwnership", address_text(ALICE), sender=OWNER)
    config.send("setMinBaseFee", 1, sender=ALICE)
    with pytest.raises(Reverted, match="OwnableUnauthorizedAccount"):
        config.send("setMinBaseFee", 2, sender=OWNER)

"""The artifacts: how they are loaded, what of them is part of the protocol, that they are fresh."""

import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest
from eth_utils import keccak
from eth_utils.abi import event_abi_to_log_topic, function_abi_to_4byte_selector

from node.artifacts import UnknownArtifactError, artifact_names, load_artifact
from node.genesis import l2_genesis
from tests.contracts.local_chain import abi_item

CONTRACTS = Path(__file__).parents[2] / "contracts"


def layout(name: str) -> list[tuple[str, int, int, int]]:
    """Label, slot, byte offset from the right and width of each state variable."""
    content = json.loads(resources.files("node.artifacts").joinpath(f"{name}.json").read_text())
    return [(v["label"], v["slot"], v["offset"], v["bytes"]) for v in content["storageLayout"]]


@pytest.mark.parametrize("name", artifact_names())
def test_every_artifact_loads(name: str) -> None:
    artifact = load_artifact(name)
    assert artifact.name == name
    assert artifact.abi
    assert artifact.deployed_bytecode
    assert len(artifact.bytecode) > len(artifact.deployed_bytecode)
    # EIP-170 and EIP-3860.
    assert len(artifact.deployed_bytecode) <= 24_576
    assert len(artifact.bytecode) <= 49_152


def test_an_artifact_is_read_once() -> None:
    assert load_artifact("L1Block") is load_artifact("L1Block")


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownArtifactError, match=r"no artifact 'L1Blok'; known: .*L1Block"):
        load_artifact("L1Blok")


@pytest.mark.parametrize(
    ("contract", "function", "selector"),
    [
        ("L1Block", "setL1BlockValuesEcotone", "440a5e20"),
        ("L1Block", "setL1BlockValuesIsthmus", "098999be"),
        ("L1Block", "setL1BlockValuesJovian", "3db6be2b"),
        ("L2ToL1MessagePasser", "initiateWithdrawal", "c2b3e5ac"),
        ("GasPriceOracle", "getL1Fee", "49948e0e"),
        ("GasPriceOracle", "l1BaseFee", "519b4bd3"),
        ("SequencerFeeVault", "withdraw", "3ccfd60b"),
        ("SequencerFeeVault", "RECIPIENT", "0d9019e1"),
        ("SequencerFeeVault", "l1FeeWallet", "d4ff9218"),
        ("OptimismPortal", "depositTransaction", "e9e05c42"),
        ("OptimismPortal", "version", "54fd4d50"),
    ],
)
def test_selectors(contract: str, function: str, selector: str) -> None:
    assert (
        function_abi_to_4byte_selector(abi_item(contract, "function", function)).hex() == selector
    )


@pytest.mark.parametrize(
    ("contract", "event", "topic"),
    [
        (
            "OptimismPortal",
            "TransactionDeposited",
            "b3813568d9991fc951961fcb4c784893574240a28925604d09fc577c55bb7c32",
        ),
        (
            "SystemConfig",
            "ConfigUpdate",
            "1d2b0bda21d56b8bd12d4f94ebacffdfb35f5e226f84b461103bb8beab6353be",
        ),
        (
            "L2ToL1MessagePasser",
            "MessagePassed",
            "02a52367d10742d8032712c1bb8e0144ff1ec5ffda1ed7d70bb05a2744955054",
        ),
        (
            "L2ToL1MessagePasser",
            "WithdrawerBalanceBurnt",
            keccak(text="WithdrawerBalanceBurnt(uint256)").hex(),
        ),
        ("Proxy", "Upgraded", keccak(text="Upgraded(address)").hex()),
    ],
)
def test_event_topics(contract: str, event: str, topic: str) -> None:
    assert event_abi_to_log_topic(abi_item(contract, "event", event)).hex() == topic


def test_deposit_and_withdrawal_events_have_their_indexed_parts() -> None:
    indexed = {
        ("OptimismPortal", "TransactionDeposited"): ["from", "to", "version"],
        ("SystemConfig", "ConfigUpdate"): ["version", "updateType"],
        ("L2ToL1MessagePasser", "MessagePassed"): ["nonce", "sender", "target"],
    }
    for (contract, event), names in indexed.items():
        inputs = abi_item(contract, "event", event)["inputs"]
        assert [part["name"] for part in inputs if part["indexed"]] == names


def test_l1_block_layout() -> None:
    assert layout("L1Block") == [
        ("number", 0, 0, 8),
        ("timestamp", 0, 8, 8),
        ("basefee", 1, 0, 32),
        ("hash", 2, 0, 32),
        ("sequenceNumber", 3, 0, 8),
        ("blobBaseFeeScalar", 3, 8, 4),
        ("baseFeeScalar", 3, 12, 4),
        ("batcherHash", 4, 0, 32),
        ("l1FeeOverhead", 5, 0, 32),
        ("l1FeeScalar", 6, 0, 32),
        ("blobBaseFee", 7, 0, 32),
        ("operatorFeeConstant", 8, 0, 8),
        ("operatorFeeScalar", 8, 8, 4),
        ("daFootprintGasScalar", 8, 12, 2),
    ]


def test_message_passer_layout() -> None:
    assert layout("L2ToL1MessagePasser") == [("sentMessages", 0, 0, 32), ("msgNonce", 1, 0, 30)]


def test_fee_vault_layout() -> None:
    for name in ("SequencerFeeVault", "BaseFeeVault", "L1FeeVault", "OperatorFeeVault"):
        assert layout(name) == [
            ("totalProcessed", 0, 0, 32),
            ("minWithdrawalAmount", 1, 0, 32),
            ("recipient", 2, 0, 20),
            ("withdrawalNetwork", 2, 20, 1),
        ]


def test_genesis_contracts_need_no_constructor() -> None:
    """Genesis places runtime code as it is: it must hold no immutable values."""
    codes = {account.code for account in l2_genesis(chain_id=901, timestamp=1).alloc.values()}
    artifacts = [load_artifact(name) for name in artifact_names()]
    placed = [artifact for artifact in artifacts if artifact.deployed_bytecode in codes]
    assert len(placed) >= 10
    assert [artifact.name for artifact in placed if artifact.immutables] == []
    assert layout("Proxy") == []


def test_values_find_their_place_in_storage() -> None:
    vault = load_artifact("L1FeeVault")
    slots = vault.storage(recipient=0xABCD, withdrawalNetwork=1, minWithdrawalAmount=7)
    assert slots == {1: 7, 2: 1 << 160 | 0xABCD}
    with pytest.raises(ValueError, match="L1FeeVault: no variable 'owner'"):
        vault.storage(owner=1)
    for value in (-1, 256):
        with pytest.raises(ValueError, match=r"L1FeeVault.withdrawalNetwork: expected 1 bytes"):
            vault.storage(withdrawalNetwork=value)


def test_a_rebuild_gives_the_same_bytes() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    if not (CONTRACTS / "node_modules").is_dir():
        pytest.skip("contracts/node_modules is missing: run npm ci in contracts")
    check = [node, "build.js", "--check"]
    result = subprocess.run(check, cwd=CONTRACTS, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr

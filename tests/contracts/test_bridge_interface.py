"""Selectors, topics and slots of messengers and bridges, as tools and genesis know them."""

import pytest
from eth_utils import keccak
from eth_utils.abi import event_abi_to_log_topic, function_abi_to_4byte_selector

from node.artifacts import load_artifact
from tests.contracts.local_chain import abi_item

MESSENGERS = ("L1CrossDomainMessenger", "L2CrossDomainMessenger")
BRIDGES = ("L1StandardBridge", "L2StandardBridge")
TOKEN_EVENT = "(address,address,address,address,uint256,bytes)"


@pytest.mark.parametrize("contract", MESSENGERS)
def test_messenger_functions(contract: str) -> None:
    for function, selector in (
        ("sendMessage", "3dbb202b"),
        ("relayMessage", "d764ad0b"),
        ("xDomainMessageSender", "6e296e45"),
        ("successfulMessages", "b1b1b209"),
        ("failedMessages", "a4e7f8bd"),
        ("messageNonce", "ecc70428"),
        ("baseGas", "b28ade25"),
    ):
        item = abi_item(contract, "function", function)
        assert function_abi_to_4byte_selector(item).hex() == selector, function


@pytest.mark.parametrize("contract", MESSENGERS)
def test_messenger_events(contract: str) -> None:
    for signature, indexed in (
        ("SentMessage(address,address,bytes,uint256,uint256)", ["target"]),
        ("SentMessageExtension1(address,uint256)", ["sender"]),
        ("RelayedMessage(bytes32)", ["msgHash"]),
        ("FailedRelayedMessage(bytes32)", ["msgHash"]),
    ):
        check_event(contract, signature, indexed)


@pytest.mark.parametrize("contract", BRIDGES)
def test_bridge_functions(contract: str) -> None:
    for function, selector in (
        ("bridgeERC20", "87087623"),
        ("bridgeERC20To", "540abf73"),
        ("finalizeBridgeERC20", "0166a07a"),
        ("bridgeETH", "09fc8843"),
        ("bridgeETHTo", "e11013dd"),
        ("deposits", "8f601f66"),
    ):
        item = abi_item(contract, "function", function)
        assert function_abi_to_4byte_selector(item).hex() == selector, function


@pytest.mark.parametrize(
    ("contract", "function", "selector"),
    [
        ("L1StandardBridge", "depositERC20", "58a997f6"),
        ("L1StandardBridge", "depositERC20To", "838b2520"),
        ("L1StandardBridge", "depositETH", "b1a1a882"),
        ("L2StandardBridge", "withdraw", "32b7006d"),
        ("L2StandardBridge", "withdrawTo", "a3a79548"),
        ("OptimismMintableERC20Factory", "createOptimismMintableERC20", "ce5ac90f"),
        ("OptimismMintableERC20Factory", "createOptimismMintableERC20WithDecimals", "8cf0629c"),
        ("OptimismMintableERC20Factory", "createStandardL2Token", "896f93d1"),
    ],
)
def test_functions_of_one_side(contract: str, function: str, selector: str) -> None:
    item = abi_item(contract, "function", function)
    assert function_abi_to_4byte_selector(item).hex() == selector


def test_bridge_events() -> None:
    for contract in BRIDGES:
        for event in ("ERC20BridgeInitiated", "ERC20BridgeFinalized"):
            check_event(contract, event + TOKEN_EVENT, ["localToken", "remoteToken", "from"])
    for contract, event in (
        ("L1StandardBridge", "ERC20DepositInitiated"),
        ("L1StandardBridge", "ERC20WithdrawalFinalized"),
        ("L2StandardBridge", "WithdrawalInitiated"),
        ("L2StandardBridge", "DepositFinalized"),
    ):
        check_event(contract, event + TOKEN_EVENT, ["l1Token", "l2Token", "from"])


def check_event(contract: str, signature: str, indexed: list[str]) -> None:
    item = abi_item(contract, "event", signature.split("(")[0])
    assert event_abi_to_log_topic(item) == keccak(text=signature)
    assert [part["name"] for part in item["inputs"] if part["indexed"]] == indexed


def test_slots_that_genesis_writes() -> None:
    """A proxy may get another implementation: what is stored has to stay where it is."""
    layouts = {
        "L2CrossDomainMessenger": [
            ("successfulMessages", 0),
            ("failedMessages", 1),
            ("msgNonce", 2),
            ("l1Messenger", 3),
        ],
        "L2StandardBridge": [("deposits", 0), ("l1Bridge", 1)],
        "OptimismMintableERC20Factory": [("bridge", 0), ("deployments", 1)],
    }
    for contract, expected in layouts.items():
        layout = load_artifact(contract).storage_layout
        assert [(variable.label, variable.slot) for variable in layout] == expected

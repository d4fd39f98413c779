import pytest

from node.errors import (
    ConfigError,
    CorruptStore,
    CriticalError,
    DecodingError,
    ExecutionFailed,
    ExecutionReverted,
    InsufficientFunds,
    InvalidBlock,
    InvalidInput,
    NodeError,
    NonceTooLow,
    PrunedHistory,
    ResetError,
    TemporaryError,
)
from node.mempool import AlreadyKnown, ReplacementUnderpriced
from rpc.errors import RpcError, from_node_error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NonceTooLow("nonce too low: address 0x00, tx: 1 state: 2"), -32000),
        (InsufficientFunds("insufficient funds for gas * price + value"), -32000),
        (AlreadyKnown("already known"), -32000),
        (ReplacementUnderpriced("replacement transaction underpriced"), -32000),
        (DecodingError("nonce: expected no leading zeros"), -32000),
        (ExecutionFailed("out of gas"), -32000),
        (TemporaryError("the sequencer does not answer"), -32000),
        (ResetError("L1 was reorganised"), -32000),
        (NodeError("something else"), -32000),
        (InvalidInput("query returned more than 10000 results"), -32602),
        (ConfigError("key: expected a file"), -32602),
        (InvalidBlock("gasUsed", 1, 2), -32602),
        (PrunedHistory("pruned history unavailable: block 1 is older than"), 4444),
    ],
)
def test_the_message_goes_through(error: NodeError, code: int) -> None:
    answer = from_node_error(error)
    assert answer.to_json() == {"code": code, "message": str(error)}


@pytest.mark.parametrize("error", [CriticalError("stop"), CorruptStore("header: it is missing")])
def test_only_a_broken_node_is_an_internal_error(error: NodeError) -> None:
    assert from_node_error(error).code == -32603


def test_a_revert_carries_its_data() -> None:
    answer = from_node_error(ExecutionReverted("execution reverted: no", b"\x08\xc3"))
    assert answer.to_json() == {"code": 3, "message": "execution reverted: no", "data": "0x08c3"}
    empty = from_node_error(ExecutionReverted("execution reverted", b""))
    assert empty.to_json() == {"code": 3, "message": "execution reverted", "data": "0x"}


def test_an_answer_stays_as_it_is() -> None:
    answer = RpcError(-32001, "resource not found")
    assert from_node_error(answer) is answer

import pytest
from eth_abi.abi import encode as abi_encode

from consensus.l1.contract_call import decode_output, encode_call, refusal_text
from consensus.l1.json_objects import MalformedL1Data
from consensus.l1.json_rpc import Json, RpcFault
from node.types.primitives import keccak256


def refused(data: Json, message: str = "execution reverted") -> str:
    return refusal_text(RpcFault("eth_call", 3, message, data), ["OptimismPortal", "OpenToken"])


def error(signature: str, *arguments: int) -> str:
    types = ["uint256"] * len(arguments)
    return "0x" + (keccak256(signature.encode())[:4] + abi_encode(types, arguments)).hex()


def test_a_call_with_a_struct_and_a_list() -> None:
    data = encode_call("f((uint256,bytes),bytes32[])", (7, b"\x01"), [b"\x02" * 32])
    assert data[:4] == keccak256(b"f((uint256,bytes),bytes32[])")[:4]
    arguments = ["(uint256,bytes)", "bytes32[]"]
    assert data[4:] == abi_encode(arguments, [(7, b"\x01"), [b"\x02" * 32]])
    assert encode_call("f()") == keccak256(b"f()")[:4]


def test_an_output_of_another_shape() -> None:
    assert decode_output("(uint64)", (5).to_bytes(32, "big"), "f()") == (5,)
    with pytest.raises(MalformedL1Data, match=r"f\(\): expected \(uint64\), got 0x$"):
        decode_output("(uint64)", b"", "f()")
    with pytest.raises(MalformedL1Data, match=r"expected \(uint64\), got 0xffff"):
        decode_output("(uint64)", b"\xff" * 32, "f()")


def test_errors_by_their_names() -> None:
    assert refused(error("GasLimitTooLow(uint64,uint64)", 5, 21_000)) == (
        "OptimismPortal says GasLimitTooLow (given 5, minimum 21000)"
    )
    assert refused(error("EtherNotAccepted()")) == "OptimismPortal says EtherNotAccepted"
    assert refused({"data": error("EtherNotAccepted()")}).endswith("EtherNotAccepted")
    short = error("GasLimitTooLow(uint64,uint64)", 5)
    assert refused(short) == "OptimismPortal says GasLimitTooLow"


def test_reasons_and_what_nobody_knows() -> None:
    reason = "0x08c379a0" + abi_encode(["string"], ["not today"]).hex()
    assert refused(reason) == "execution reverted: not today"
    assert refused("0x12345678") == "execution reverted"
    unreadable: list[Json] = [None, 5, "0xzz", "text", [1], {"data": {}}]
    for data in unreadable:
        assert refused(data, "the node's own words") == "the node's own words"

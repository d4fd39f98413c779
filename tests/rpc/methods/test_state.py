import asyncio
from typing import Any

import pytest
from eth_abi.abi import encode

from node.artifacts import load_artifact
from node.state.proofs import verify_proof
from node.state.view import decode_account
from node.types.primitives import EMPTY_CODE_HASH, Address, Hash32, create_address, keccak256
from node.types.rlp_codec import decode
from tests.rpc.chain import ALICE, BOB, Chain, RpcFailure, RpcNode
from tests.rpc.openrpc import result_schemas, violations

NOBODY = "0x" + "99" * 20
BEACON_ROOTS = "0x000f3df6d732807ef1319fb7b8bb8522d0beac02"


def hexed(raw: bytes) -> str:
    return "0x" + raw.hex()


def selector(signature: str) -> bytes:
    return keccak256(signature.encode())[:4]


def deploy(chain: Chain, name: str, *types_and_values: Any) -> Address:
    """Mine a contract into the chain and return its address."""
    arguments = encode(*types_and_values) if types_and_values else b""
    tx = chain.transfer(
        to=None, value=0, gas=3_000_000, data=load_artifact(name).bytecode + arguments
    )
    chain.mine(tx)
    return create_address(tx.sender, tx.nonce)


@pytest.fixture
def greeter(node: RpcNode) -> str:
    return hexed(deploy(node.chain, "Greeter", ["string"], ["hello"]))


async def test_accounts_before_and_after(node: RpcNode) -> None:
    node.chain.mine(node.chain.transfer(value=5))
    bob = ("eth_getBalance", hexed(BOB.address))
    start = 10_000 * 10**18
    assert int(await node.call(*bob), 16) == start + 5
    assert int(await node.call(*bob, "earliest"), 16) == start
    genesis = await node.call("eth_getBlockByNumber", "0x0", False)
    for block in (genesis["hash"], {"blockHash": genesis["hash"], "requireCanonical": True}):
        assert int(await node.call(*bob, block), 16) == start
    assert await node.call("eth_getTransactionCount", hexed(ALICE.address), "0x0") == "0x0"
    assert await node.call("eth_getTransactionCount", hexed(ALICE.address), "0x1") == "0x1"
    assert await node.call("eth_accounts") == []


async def test_an_account_that_does_not_exist(node: RpcNode) -> None:
    assert await node.call("eth_getBalance", NOBODY, "latest") == "0x0"
    assert await node.call("eth_getTransactionCount", NOBODY, "pending") == "0x0"
    assert await node.call("eth_getCode", NOBODY, "latest") == "0x"
    assert await node.call("eth_getStorageAt", NOBODY, "0x0", "latest") == "0x" + "00" * 32
    assert await node.call("eth_call", {"to": NOBODY}, "latest") == "0x"


async def test_code_and_storage(node: RpcNode, greeter: str) -> None:
    code = await node.call("eth_getCode", greeter, "latest")
    assert len(code) > 100
    assert await node.call("eth_getCode", greeter, "0x0") == "0x"
    word = "0x" + (b"hello".ljust(31, b"\x00") + bytes([10])).hex()
    for key in ("0x0", "0x" + "00" * 32, "0"):
        assert await node.call("eth_getStorageAt", greeter, key, "latest") == word
    assert await node.call("eth_getStorageAt", greeter, "0x1", "latest") == "0x" + "00" * 32


async def test_calls(node: RpcNode, greeter: str) -> None:
    call = {"to": greeter, "data": hexed(selector("greet()"))}
    hello = hexed(encode(["string"], ["hello"]))
    assert await node.call("eth_call", call, "latest") == hello
    assert await node.call("eth_call", call) == hello
    assert await node.call("eth_call", call, "pending") == hello
    assert await node.call("eth_call", call, "0x0") == "0x"
    both = call | {"input": call["data"], "from": hexed(ALICE.address), "gas": "0xffff"}
    assert await node.call("eth_call", both, "latest", {}, {}) == hello
    creation = {"data": hexed(bytes.fromhex("6001600101600052600160 1ff3".replace(" ", "")))}
    assert await node.call("eth_call", creation) == "0x02"


async def test_a_revert_with_a_reason(node: RpcNode, greeter: str) -> None:
    reason = encode(["string"], ["not today"])
    call = {"to": greeter, "data": hexed(selector("fail(string)") + reason)}
    for method in ("eth_call", "eth_estimateGas"):
        with pytest.raises(RpcFailure) as refusal:
            await node.call(method, call)
        assert refusal.value.code == 3
        assert refusal.value.message == "execution reverted: not today"
        assert refusal.value.data == hexed(selector("Error(string)") + reason)


async def test_a_revert_with_a_custom_error(node: RpcNode, greeter: str) -> None:
    data = hexed(selector("failCustom(uint256)") + encode(["uint256"], [42]))
    with pytest.raises(RpcFailure) as refusal:
        await node.call("eth_call", {"from": hexed(ALICE.address), "to": greeter, "data": data})
    assert (refusal.value.code, refusal.value.message) == (3, "execution reverted")
    arguments = encode(["address", "uint256"], [hexed(ALICE.address), 42])
    assert refusal.value.data == hexed(selector("GreetingRefused(address,uint256)") + arguments)


async def test_an_estimate_suffices(node: RpcNode, greeter: str) -> None:
    data = selector("setGreeting(string)") + encode(["string"], ["x" * 100])
    call = {"from": hexed(ALICE.address), "to": greeter, "data": hexed(data)}
    gas = int(await node.call("eth_estimateGas", call), 16)
    tx = node.chain.transfer(to=Address(bytes.fromhex(greeter[2:])), value=0, data=data, gas=gas)
    node.chain.mine(tx)
    receipt = await node.call("eth_getTransactionReceipt", hexed(tx.hash))
    assert receipt["status"] == "0x1"
    transfer = {"from": hexed(ALICE.address), "to": NOBODY, "value": "0x1"}
    assert await node.call("eth_estimateGas", transfer) == hex(21_000)


@pytest.mark.parametrize(
    ("method", "params", "code", "message"),
    [
        ("eth_getBalance", [], -32602, "missing value for required argument 0"),
        ("eth_getBalance", ["0x12"], -32602, "invalid argument 0: hex string has length 2"),
        ("eth_getBalance", [NOBODY, "0x05"], -32602, "invalid argument 1: hex number with lead"),
        ("eth_getBalance", [NOBODY, "0x5"], -32000, "header not found"),
        ("eth_getBalance", [NOBODY, "0x" + "77" * 32], -32000, "header for hash not found"),
        ("eth_call", [{}, "0x5"], -32000, "header not found"),
        ("eth_call", ["0x"], -32602, "invalid argument 0: expected a transaction object"),
        ("eth_call", [{"to": "0x1"}], -32602, "invalid argument 0: to: hex string of odd"),
        ("eth_call", [{"value": 5}], -32602, "invalid argument 0: value: expected a hex string"),
        (
            "eth_call",
            [{"data": "0x01", "input": "0x02"}],
            -32602,
            'invalid argument 0: both "data" and "input" are set and not equal',
        ),
        (
            "eth_call",
            [{"gasPrice": "0x1", "maxFeePerGas": "0x1"}],
            -32602,
            "invalid argument 0: both gasPrice and",
        ),
        (
            "eth_call",
            [{"to": NOBODY}, "latest", {NOBODY: {"balance": "0x1"}}],
            -32602,
            "invalid argument 2: overrides are not supported",
        ),
        (
            "eth_call",
            [{"from": NOBODY, "to": NOBODY, "value": "0x1"}],
            -32000,
            f"insufficient funds for gas * price + value: address {NOBODY} have 0 want 1",
        ),
        (
            "eth_call",
            [{"from": NOBODY, "to": NOBODY, "gasPrice": "0x1"}],
            -32000,
            "max fee per gas less than block base fee",
        ),
        ("eth_call", [{"data": "0xfe"}], -32000, "invalid opcode"),
        ("eth_call", [{"to": NOBODY, "gas": "0x10"}], -32000, "intrinsic gas too low"),
        (
            "eth_estimateGas",
            [{"data": "0x5b600056", "gas": "0x10000"}],
            -32000,
            "gas required exceeds allowance (65536)",
        ),
        ("eth_getProof", [NOBODY, "0x0"], -32602, "invalid argument 1: expected an array"),
        (
            "eth_getProof",
            [NOBODY, ["0x0"] * 1025],
            -32602,
            "invalid argument 1: expected at most 1024 items",
        ),
    ],
)
async def test_refusals(
    ethereum: RpcNode, method: str, params: list[Any], code: int, message: str
) -> None:
    with pytest.raises(RpcFailure) as refusal:
        await ethereum.call(method, *params)
    assert refusal.value.code == code
    assert refusal.value.message.startswith(message)


async def test_an_access_list_and_an_authorization_are_read(ethereum: RpcNode) -> None:
    call = {
        "from": hexed(ALICE.address),
        "to": NOBODY,
        "accessList": [{"address": BEACON_ROOTS, "storageKeys": ["0x" + "00" * 32]}],
        "authorizationList": [
            {
                "chainId": "0x0",
                "address": BEACON_ROOTS,
                "nonce": "0x0",
                "yParity": "0x0",
                "r": "0x1",
                "s": "0x1",
            }
        ],
    }
    gas = int(await ethereum.call("eth_estimateGas", call), 16)
    assert gas >= 21_000 + 2_400 + 1_900 + 25_000


async def test_proofs_verify(node: RpcNode, greeter: str) -> None:
    block = await node.call("eth_getBlockByNumber", "latest", False)
    keys = ["0x0", "0x" + "00" * 31 + "01"]
    proof = await node.call("eth_getProof", greeter, keys, "latest")
    assert violations(result_schemas()["eth_getProof"], proof) == []

    account = proven(block["stateRoot"], bytes.fromhex(greeter[2:]), proof["accountProof"])
    assert account is not None
    fields = decode_account(account)
    assert hexed(fields.storage_root) == proof["storageHash"]
    assert hexed(fields.code_hash) == proof["codeHash"]
    assert (hex(fields.nonce), hex(fields.balance)) == (proof["nonce"], proof["balance"])

    stored, missing = proof["storageProof"]
    assert [stored["key"], missing["key"]] == keys
    raw = proven(proof["storageHash"], bytes(32), stored["proof"])
    assert raw is not None
    assert hexed(bytes(decode(raw))) == stored["value"]  # type: ignore[arg-type]
    assert proven(proof["storageHash"], bytes(31) + b"\x01", missing["proof"]) is None
    assert missing["value"] == "0x0"


async def test_a_proof_of_absence(node: RpcNode) -> None:
    node.chain.mine()
    block = await node.call("eth_getBlockByNumber", "0x0", False)
    proof = await node.call("eth_getProof", NOBODY, ["0x5"], "0x0")
    assert proven(block["stateRoot"], b"\x99" * 20, proof["accountProof"]) is None
    assert proof["storageProof"] == [{"key": "0x5", "value": "0x0", "proof": []}]
    assert proof["codeHash"] == proof["storageHash"] == "0x" + "00" * 32
    alice = await node.call("eth_getProof", hexed(ALICE.address), [], "0x0")
    assert alice["codeHash"] == hexed(EMPTY_CODE_HASH)


def proven(root: str, key: bytes, proof: list[str]) -> bytes | None:
    nodes = [bytes.fromhex(node[2:]) for node in proof]
    return verify_proof(Hash32(bytes.fromhex(root[2:])), keccak256(key), nodes)


async def test_a_long_call_makes_nobody_wait(ethereum: RpcNode) -> None:
    endless = {"data": "0x5b600056", "gas": hex(40_000_000)}
    long = asyncio.create_task(ethereum.call("eth_call", endless))
    await asyncio.sleep(0)
    for method, *params in (
        ("eth_blockNumber",),
        ("eth_getBlockByNumber", "latest", True),
        ("eth_getBalance", NOBODY, "latest"),
    ):
        await ethereum.call(method, *params)
    assert not long.done()
    with pytest.raises(RpcFailure, match="out of gas"):
        await long

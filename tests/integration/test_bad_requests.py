"""What comes over JSON-RPC is hostile: it gets an error, and the node goes on."""

import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from coincurve import PrivateKey

from node.types.deposit import make_deposit
from node.types.primitives import Hash32, keccak256
from node.types.rlp_codec import RlpItem, encode, encode_uint
from node.types.transaction import sign_dynamic_fee
from tests.integration.json_rpc import Rpc, RpcFailure
from tests.integration.nodes import Account, DevNode

GWEI = 10**9
_PARSE_ERROR, _INVALID_REQUEST, _INVALID_PARAMS = -32700, -32600, -32602
_METHOD_NOT_FOUND = -32601
_ADDRESS = "0x" + "11" * 20


@pytest.fixture
async def rpc(shared_node: DevNode) -> AsyncIterator[Rpc]:
    """The sequencer's endpoint, which must be well before and after the test."""
    async with Rpc(shared_node.started.l2_url) as connection:
        assert await connection.call("eth_chainId") == "0x385"
        yield connection
        assert await connection.call("eth_chainId") == "0x385"
        assert shared_node.running


@pytest.fixture
def user(shared_node: DevNode) -> Account:
    return shared_node.started.accounts[6]


async def error_of(rpc: Rpc, body: bytes) -> dict[str, Any]:
    """Send a body and return the error that must come back."""
    _, text = await rpc.post(body)
    answer = json.loads(text)
    assert answer["jsonrpc"] == "2.0"
    assert "result" not in answer
    error = answer["error"]
    assert isinstance(error, dict)
    assert error["message"]
    return error


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", _PARSE_ERROR),
        (b"{", _PARSE_ERROR),
        (b"\xff\xfe\x00", _PARSE_ERROR),
        (b"[" * 200_000, _PARSE_ERROR),
        (b'{"a":' * 100_000, _PARSE_ERROR),
        (b"[" * 500 + b"]" * 500, None),
        (b"[]", _INVALID_REQUEST),
        (b"17", _INVALID_REQUEST),
        (b'"eth_chainId"', _INVALID_REQUEST),
        (b"null", _INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1}', _INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', _INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_nothing"}', _METHOD_NOT_FOUND),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":"x"}', _INVALID_PARAMS),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":{"a":1}}', _INVALID_PARAMS),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_broken_body(rpc: Rpc, body: bytes, code: int | None) -> None:
    _, text = await rpc.post(body)
    answers = json.loads(text)
    for answer in answers if isinstance(answers, list) else [answers]:
        assert answer["error"]["message"]
        assert code is None or answer["error"]["code"] == code


async def test_oversized_body(rpc: Rpc) -> None:
    """Ten megabytes are the limit; the rest is not even read."""
    filler = json.dumps("0" * 10_000_001)
    body = f'{{"jsonrpc":"2.0","id":1,"method":"web3_sha3","params":[{filler}]}}'
    error = await error_of(rpc, body.encode())
    assert "too large" in error["message"]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_getBalance", []),
        ("eth_getBalance", ["0x12", "latest"]),
        ("eth_getBalance", [5, "latest"]),
        ("eth_getBalance", [_ADDRESS, "newest"]),
        ("eth_getBalance", [_ADDRESS, "0x" + "f" * 100]),
        ("eth_getBalance", [_ADDRESS, "latest", "and", "more"]),
        ("eth_getBlockByNumber", [True, False]),
        ("eth_getBlockByNumber", ["latest", "yes"]),
        ("eth_getBlockByHash", ["0x1234", False]),
        ("eth_getTransactionReceipt", [None]),
        ("eth_getStorageAt", [_ADDRESS, "slot", "latest"]),
        ("eth_call", ["0x", "latest"]),
        ("eth_call", [{"to": 5}, "latest"]),
        ("eth_call", [{"to": _ADDRESS, "data": "0x123"}, "latest"]),
        ("eth_call", [{"to": _ADDRESS, "gas": -5}, "latest"]),
        ("eth_getLogs", [{"fromBlock": "later"}]),
        ("eth_getLogs", [{"topics": "all"}]),
        ("eth_feeHistory", [-1, "latest", []]),
        ("eth_sendRawTransaction", [{}]),
        ("eth_sendRawTransaction", ["f86b"]),
    ],
    ids=str,
)
async def test_wrong_parameters(rpc: Rpc, method: str, params: list[Any]) -> None:
    with pytest.raises(RpcFailure) as caught:
        await rpc.call(method, *params)
    assert caught.value.code == _INVALID_PARAMS


async def test_random_changes_of_a_request(rpc: Rpc) -> None:
    """Whatever byte changes, an answer comes, and never an internal error."""
    chance = random.Random(7)
    call = {"to": _ADDRESS, "data": "0x00", "gas": "0x5208"}
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [call, "latest"]}
    good = json.dumps(request).encode()
    for _ in range(300):
        body = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        _, text = await rpc.post(bytes(body))
        if text:
            error = json.loads(text).get("error", {})
            assert "internal" not in error.get("message", ""), (bytes(body), error)


def signed(kind: int, fields: list[RlpItem], key: bytes) -> str:
    """Sign a typed transaction of any kind."""
    digest = keccak256(bytes([kind]) + encode(fields))
    signature = PrivateKey(key).sign_recoverable(digest, hasher=None)
    parts = (signature[64], int.from_bytes(signature[:32]), int.from_bytes(signature[32:64]))
    return "0x" + (bytes([kind]) + encode([*fields, *map(encode_uint, parts)])).hex()


async def refusal(rpc: Rpc, raw: str) -> str:
    with pytest.raises(RpcFailure) as caught:
        await rpc.call("eth_sendRawTransaction", raw)
    assert caught.value.code == -32000, caught.value
    return caught.value.message


def transfer(user: Account, **changes: Any) -> str:
    fields: dict[str, Any] = {
        "chain_id": 901,
        "nonce": 0,
        "max_priority_fee_per_gas": GWEI,
        "max_fee_per_gas": 100 * GWEI,
        "gas": 21_000,
        "to": user.address,
        **changes,
    }
    return "0x" + sign_dynamic_fee(user.private_key, **fields).raw.hex()


async def test_wrong_chain_is_refused(rpc: Rpc, user: Account) -> None:
    message = await refusal(rpc, transfer(user, chain_id=1))
    assert message.startswith("invalid chain id for signer")


async def test_underpriced_is_refused(rpc: Rpc, user: Account) -> None:
    message = await refusal(rpc, transfer(user, max_fee_per_gas=1, max_priority_fee_per_gas=2))
    assert message.startswith("max priority fee per gas higher than max fee per gas")


async def test_too_little_gas_is_refused(rpc: Rpc, user: Account) -> None:
    assert (await refusal(rpc, transfer(user, gas=20_999))).startswith("intrinsic gas too low")


async def test_more_gas_than_a_block_is_refused(rpc: Rpc, user: Account) -> None:
    message = await refusal(rpc, transfer(user, gas=30_000_001))
    assert message.startswith("exceeds block gas limit")


async def test_blob_transaction_is_refused(rpc: Rpc, user: Account) -> None:
    numbers = [encode_uint(value) for value in (901, 0, GWEI, 100 * GWEI, 21_000)]
    blob_hash = b"\x01" + bytes(31)
    fields: list[RlpItem] = [*numbers, user.address, b"", b"", [], encode_uint(GWEI), [blob_hash]]
    message = await refusal(rpc, signed(3, fields, user.private_key))
    assert message.startswith("transaction type not supported")


async def test_deposit_transaction_is_refused(rpc: Rpc, user: Account) -> None:
    """Deposits come from L1 alone, whoever asks."""
    deposit = make_deposit(
        source_hash=Hash32(bytes(32)),
        sender=user.address,
        to=user.address,
        mint=10**30,
        value=0,
        gas=100_000,
        data=b"",
    )
    message = await refusal(rpc, "0x" + deposit.raw.hex())
    assert message.startswith("transaction type not supported")


@pytest.mark.parametrize("raw", ["0x", "0x02", "0x02c0", "0xc0", "0x05c0", "0x" + "f8" * 400])
async def test_broken_encoding_is_refused(rpc: Rpc, raw: str) -> None:
    await refusal(rpc, raw)


async def test_broken_signature_is_refused(rpc: Rpc, user: Account) -> None:
    raw = bytearray.fromhex(transfer(user)[2:])
    raw[-33] = raw[-32] = 0xFF
    await refusal(rpc, "0x" + bytes(raw).hex())

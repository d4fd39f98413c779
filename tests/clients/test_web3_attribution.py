"""Attribution receipts through web3.py: the precompile as an ordinary contract with an ABI."""

from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import ContractCustomError

from attribution.calldata import encode_append
from attribution.records import Influence, Record
from node.types.attribution_batch import batch_root, leaf_hash
from node.types.primitives import Address, Hash32, keccak256
from tests.clients.test_web3 import connect, deploy, send
from tests.integration.nodes import Started

PRECOMPILE = Web3.to_checksum_address("0x0000000000000000000000000000000000000A77")
NEW_SLOT = 2100 + 20_000
USED_SLOT = 2100 + 2900


def _function(name: str, inputs: list[str], outputs: list[str], mutability: str) -> dict[str, Any]:
    def parameters(entries: list[str]) -> list[dict[str, str]]:
        return [dict(zip(("type", "name"), entry.split(), strict=True)) for entry in entries]

    return {
        "type": "function",
        "name": name,
        "inputs": parameters(inputs),
        "outputs": parameters(outputs),
        "stateMutability": mutability,
    }


def _event_input(text: str) -> dict[str, Any]:
    kind, name = text.removesuffix(" indexed").split()
    return {"type": kind, "name": name, "indexed": text.endswith(" indexed")}


ABI: list[dict[str, Any]] = [
    _function(
        "append",
        ["uint64 stream", "uint64 fromSeq", "bytes records"],
        ["uint64 nextSeq", "uint128 amount", "bytes32 batchRoot"],
        "nonpayable",
    ),
    _function(
        "head",
        ["address logger", "uint64 stream"],
        ["uint64 count", "uint128 amount", "uint128 credited"],
        "view",
    ),
    _function(
        "credit",
        ["address logger", "uint64 stream", "uint32 dataset"],
        ["uint256 credit"],
        "view",
    ),
    {
        "type": "event",
        "name": "Appended",
        "anonymous": False,
        "inputs": [
            _event_input(text)
            for text in (
                "address logger indexed",
                "uint64 stream indexed",
                "uint64 fromSeq",
                "uint64 count",
                "uint128 amount",
                "bytes32 batchRoot",
            )
        ],
    },
]


@dataclass(frozen=True, slots=True)
class Streams:
    """The precompile as a logger sees it."""

    web3: Web3
    logger: LocalAccount
    contract: Contract

    @property
    def address(self) -> Address:
        return Address(bytes.fromhex(self.logger.address[2:]))

    def head(self, stream: int) -> list[int]:
        head: list[int] = self.contract.functions.head(self.logger.address, stream).call()
        return list(head)

    def append(self, stream: int, from_seq: int, *records: Record) -> Any:
        data = "0x" + encode_append(stream, from_seq, records).hex()
        return send(self.web3, self.logger, {"to": PRECOMPILE, "data": data})


@pytest.fixture(scope="module")
def streams(devnet: Started) -> Streams:
    web3 = connect(devnet.l2_url)
    logger = Account.from_key(devnet.accounts[5].private_key)
    return Streams(web3, logger, web3.eth.contract(address=PRECOMPILE, abi=ABI))


@pytest.fixture(scope="module")
def caller(streams: Streams) -> Contract:
    return deploy(streams.web3, streams.logger, "Caller")


def record(amount: int, *influences: tuple[int, int]) -> Record:
    entries = tuple(Influence(dataset, weight) for dataset, weight in influences)
    return Record(amount, entries, Hash32(keccak256(str(amount).encode())))


def scheduled_gas(records: list[Record], slots: list[int]) -> int:
    """The published schedule, for a transaction straight to the precompile."""
    data = encode_append(1, 1, records)
    leaves = sum(
        30 + 6 * -(-(37 + len(entry.encode())) // 32) + 20 * len(entry.influences)
        for entry in records
    )
    log = 375 + 3 * 375 + 8 * 128
    return 21_000 + 4 * len(data) + 700 + leaves + 48 * (len(records) - 1) + sum(slots) + log


def test_append_is_recorded(streams: Streams) -> None:
    """Event, head and credits say what went in; the gas is the schedule's, to the last unit."""
    records = [
        record(1_000, (1, 4_000), (2, 2_500)),
        record(500, (2, 10_000)),
        record(0),
    ]
    receipt = streams.append(1, 0, *records)
    assert receipt["status"] == 1
    assert receipt["gasUsed"] == scheduled_gas(records, [NEW_SLOT] * 3)
    (event,) = streams.contract.events.Appended().process_receipt(receipt)
    leaves = [leaf_hash(streams.address, 1, seq, r.encode()) for seq, r in enumerate(records)]
    assert event["args"] == {
        "logger": streams.logger.address,
        "stream": 1,
        "fromSeq": 0,
        "count": 3,
        "amount": 1_500,
        "batchRoot": batch_root(leaves),
    }
    expected_credits = {1: 1_000 * 4_000, 2: 1_000 * 2_500 + 500 * 10_000, 3: 0}
    assert streams.head(1) == [3, 1_500, sum(expected_credits.values())]
    for dataset, expected in expected_credits.items():
        credit = streams.contract.functions.credit(streams.logger.address, 1, dataset).call()
        assert credit == expected


def test_one_receipt_in_a_stream_in_use(streams: Streams) -> None:
    """The figure that the design promises: 30,056 gas."""
    streams.append(2, 0, record(1_000_000))
    receipt = streams.append(2, 1, record(1_000_000))
    assert receipt["gasUsed"] == scheduled_gas([record(1_000_000)], [USED_SLOT]) == 30_056


def test_estimate_knows_the_lane(streams: Streams) -> None:
    records = [record(amount) for amount in range(1, 41)]
    data = "0x" + encode_append(3, 0, records).hex()
    estimate = streams.web3.eth.estimate_gas(
        {"from": streams.logger.address, "to": PRECOMPILE, "data": data}
    )
    exact = scheduled_gas(records, [NEW_SLOT])
    assert exact <= estimate <= exact * 1.02


def test_repeated_sequence_reverts(streams: Streams) -> None:
    streams.append(4, 0, record(7), record(8))
    again = streams.contract.functions.append(4, 0, record(7).encode())
    with pytest.raises(ContractCustomError) as caught:
        again.call({"from": streams.logger.address})
    expected = keccak256(b"BadSequence(uint64)")[:4] + encode(["uint64"], [2])
    assert caught.value.data == "0x" + expected.hex()
    data = "0x" + encode_append(4, 0, [record(7)]).hex()
    receipt = send(streams.web3, streams.logger, {"to": PRECOMPILE, "data": data, "gas": 100_000})
    assert receipt["status"] == 0
    assert receipt["gasUsed"] < 50_000
    assert streams.head(4)[0] == 2


@pytest.mark.parametrize("kind", ["delegateCall", "staticCall", "callCode"])
def test_append_only_by_a_plain_call(streams: Streams, caller: Contract, kind: str) -> None:
    function = caller.functions[kind](PRECOMPILE, encode_append(5, 0, [record(9)]))
    success, result = function.call({"from": streams.logger.address})
    assert (success, bytes(result)) == (False, keccak256(b"NotACall()")[:4])


def test_views_by_a_static_call(streams: Streams, caller: Contract) -> None:
    data = streams.contract.encode_abi("head", [streams.logger.address, 6])
    success, result = caller.functions.staticCall(PRECOMPILE, data).call()
    assert (success, bytes(result)) == (True, bytes(96))


def test_stream_belongs_to_the_calling_contract(streams: Streams, caller: Contract) -> None:
    data = caller.encode_abi("call", [PRECOMPILE, encode_append(7, 0, [record(10)])])
    receipt = send(streams.web3, streams.logger, {"to": caller.address, "data": data})
    (event,) = streams.contract.events.Appended().process_receipt(receipt)
    assert event["args"]["logger"] == caller.address
    assert streams.contract.functions.head(caller.address, 7).call()[0] == 1
    assert streams.head(7) == [0, 0, 0]


def test_outer_revert_leaves_nothing(streams: Streams, caller: Contract) -> None:
    data = caller.encode_abi("callThenRevert", [PRECOMPILE, encode_append(8, 0, [record(11)])])
    request = {"to": caller.address, "data": data, "gas": 200_000}
    receipt = send(streams.web3, streams.logger, request)  # type: ignore[arg-type]
    assert (receipt["status"], receipt["logs"]) == (0, [])
    assert streams.contract.functions.head(caller.address, 8).call() == [0, 0, 0]

"""Deriving a chain again from L1, beside only executing it; and what the chain takes on L1.

A Devnet makes the chain and its L1. The measured verifier is a process of its own, on a store on
the disk, and reads L1 over HTTP, each answer checked.
"""

import asyncio
import json
import multiprocessing
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machine import machine
from bench.stage_sampler import StageSampler
from consensus.codec.blob import BLOB_SIZE
from consensus.config import parse_rollup_config
from consensus.derivation.outcomes import NeedsL1
from consensus.l1.chain_config import parse_l1_chain_config
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc
from consensus.l1.known_chains import l1_chain_json
from node.clock import SystemClock
from node.engine import Engine
from node.evm.blob_proofs import load_trusted_setup
from node.genesis import Genesis, dev_accounts
from node.genesis.geth_format import parse_genesis
from node.storage.database import Database
from node.types.block import Block, decode_block
from node.types.deposit import DepositTransaction
from node.types.primitives import Address, BlockNumber, hex_address, keccak256
from node.types.transaction import address_of_key, sign_dynamic_fee
from openrollup.rollup_node import RollupNode, RollupNodeConfig
from openrollup.testing import Devnet

_SENDERS = 200
_TRANSFER = bytes.fromhex("a9059cbb")
_LINE = "{:34} {:>7} {:>8} {:>9} {:>8} {:>10} {:>7}"
_L1_LINE = "{:24} {:>12} {:>12} {:>12}"


@dataclass(frozen=True, slots=True)
class Measured:
    """What deriving a chain took, and executing the same blocks without L1. Times in seconds."""

    blocks: int
    transactions: int
    gas: int
    seconds: float
    execution_seconds: float
    shares: Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class L1Data:
    """What the batcher put on L1: bytes of its transactions, and of blobs, used or not."""

    transaction_bytes: int
    blob_bytes: int
    user_transactions: int
    user_bytes: int

    @property
    def per_transaction(self) -> float:
        """L1's bytes for each user transaction."""
        return (self.transaction_bytes + self.blob_bytes) / self.user_transactions


class Traffic:
    """Signed transactions of many senders: transfers, and calls that look like a token's."""

    def __init__(self) -> None:
        self._keys = [keccak256(b"derivation sender %d" % index) for index in range(_SENDERS)]
        self._nonces = [0] * _SENDERS

    def funding(self) -> list[bytes]:
        """Return what gives each sender its coins, from the first dev account."""
        funder = dev_accounts()[0].private_key
        return [
            _signed(funder, nonce, address_of_key(key), value=10**18)
            for nonce, key in enumerate(self._keys)
        ]

    def block(self, size: int, seed: int) -> list[bytes]:
        """Return `size` transactions, alternately transfers and calls."""
        raw = []
        for index in range(size):
            sender = index % _SENDERS
            to = Address(keccak256(b"recipient %d %d" % (seed % 7, index))[:20])
            call = _TRANSFER + to.rjust(32, b"\0") + (10**15 + index).to_bytes(32, "big")
            data = call if index % 2 else b""
            nonce, self._nonces[sender] = self._nonces[sender], self._nonces[sender] + 1
            raw.append(_signed(self._keys[sender], nonce, to, value=1000 + index, data=data))
        return raw


def _signed(key: bytes, nonce: int, to: Address, *, value: int, data: bytes = b"") -> bytes:
    return sign_dynamic_fee(
        key,
        chain_id=901,
        nonce=nonce,
        max_priority_fee_per_gas=10**6,
        max_fee_per_gas=10**11,
        gas=21_000 + 40 * len(data),
        to=to,
        value=value,
        data=data,
    ).raw


def run_derivation(full_blocks: int, empty_blocks: int) -> None:
    """Print both tables."""
    print(f"derivation: {machine()}; a verifier from L1 over HTTP, all checked, onto the disk\n")
    header = ("chain", "blocks", "txs", "blocks/s", "Mgas/s", "execution", "ratio")
    print(_LINE.format(*header))
    measured = []
    for da in ("calldata", "blobs"):
        for title, blocks, size in (
            (f"1,000 transactions each, {da}", full_blocks, 1000),
            (f"attributes only, {da}", empty_blocks, 0),
        ):
            result, _ = _run(da, "span", blocks, size)
            print(_row(title, result), flush=True)
            measured.append((title, result))
    print("execution: Mgas/s of the same blocks without L1; ratio: derivation / execution")
    print("a blob is checked by committing to it: 40 ms in c-kzg, which no sample can see\n")
    for title, result in measured:
        shares = ", ".join(f"{stage} {share:.0%}" for stage, share in result.shares)
        print(f"  {title}: {shares}")
    _print_l1_bytes(max(1, full_blocks // 2))


def _print_l1_bytes(blocks: int) -> None:
    print("\nL1 bytes for the same traffic, 100 transactions a block\n")
    print(_L1_LINE.format("batches and place", "L1 bytes", "per tx", "raw tx"))
    for batch_type in ("singular", "span"):
        for da in ("calldata", "blobs"):
            _, data = _run(da, batch_type, blocks, 100)
            print(
                _L1_LINE.format(
                    f"{batch_type}, {da}",
                    data.transaction_bytes + data.blob_bytes,
                    f"{data.per_transaction:.1f}",
                    f"{data.user_bytes / data.user_transactions:.1f}",
                ),
                flush=True,
            )
    print("blobs count whole, as they are paid for; the last one of a channel is seldom full")


def _run(da: str, batch_type: str, blocks: int, size: int) -> tuple[Measured, L1Data]:
    traffic = Traffic()
    with Devnet(da=da, batch_type=batch_type) as devnet:
        if size:
            _send(devnet, traffic.funding())
            devnet.mine()
        for number in range(blocks):
            _send(devnet, traffic.block(size, number))
            devnet.mine()
        devnet.derive()
        data = _l1_data(devnet)
        files = (_ask(devnet.l2.url, "optimism_rollupConfig"), _ask(devnet.l2.url, GENESIS_METHOD))
        if batch_type == "singular":
            return _NOTHING, data
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.apply(_measure, (devnet.l1.url, *files)), data


GENESIS_METHOD = "openrollup_genesis"
_NOTHING = Measured(0, 0, 0, 0.0, 0.0, ())


def _send(devnet: Devnet, raw: Sequence[bytes]) -> None:
    for start in range(0, len(raw), 100):
        calls = [
            {
                "jsonrpc": "2.0",
                "id": index,
                "method": "eth_sendRawTransaction",
                "params": ["0x" + tx.hex()],
            }
            for index, tx in enumerate(raw[start : start + 100])
        ]
        for answer in _post(devnet.l2.url, calls):
            assert "result" in answer, answer


def _ask(url: str, method: str) -> Any:
    return _post(url, {"jsonrpc": "2.0", "id": 1, "method": method, "params": []})["result"]


def _post(url: str, body: object) -> Any:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def _l1_data(devnet: Devnet) -> L1Data:
    inbox = hex_address(_ask(devnet.l2.url, "optimism_rollupConfig")["batch_inbox_address"])
    l1, l2 = devnet.l1.reader, devnet.l2.reader
    carriers = [
        tx
        for block in _blocks(l1)
        for tx in block.transactions
        if tx.to == inbox and not isinstance(tx, DepositTransaction)
    ]
    users = [
        tx
        for block in _blocks(l2)
        for tx in block.transactions
        if not isinstance(tx, DepositTransaction)
    ]
    return L1Data(
        transaction_bytes=sum(len(tx.raw) for tx in carriers),
        blob_bytes=BLOB_SIZE * sum(len(tx.blob_versioned_hashes) for tx in carriers),
        user_transactions=len(users),
        user_bytes=sum(len(tx.raw) for tx in users),
    )


def _blocks(reader: Any) -> Sequence[Block]:
    numbers = range(1, reader.heads().unsafe.number + 1)
    return [block for n in numbers if (block := reader.block_by_number(BlockNumber(n)))]


def _measure(l1_url: str, rollup: Any, genesis_json: Any) -> Measured:
    """Derive everything that L1 holds, in this process, then execute the same blocks again."""
    genesis = parse_genesis(genesis_json)
    load_trusted_setup()  # once in the life of a node, and a second and a half
    with tempfile.TemporaryDirectory(prefix="openrollup-bench-") as folder:
        sampler = StageSampler()
        seconds, blocks = asyncio.run(
            _derive(l1_url, rollup, genesis, Path(folder) / "derived", sampler)
        )
        execution_seconds = _execute(blocks, genesis, Path(folder) / "executed")
    return Measured(
        blocks=len(blocks),
        transactions=sum(len(block.transactions) - 1 for block in blocks),
        gas=sum(block.header.gas_used for block in blocks),
        seconds=seconds,
        execution_seconds=execution_seconds,
        shares=sampler.shares(),
    )


async def _derive(
    l1_url: str, rollup: Any, genesis: Genesis, path: Path, sampler: StageSampler
) -> tuple[float, Sequence[Block]]:
    rpc = JsonRpc(l1_url)
    config = RollupNodeConfig(
        rollup=parse_rollup_config(rollup),
        genesis=genesis,
        l1_chain=parse_l1_chain_config(l1_chain_json(rollup["l1_chain_id"])),
        path=path,
        port=0,
    )
    node = RollupNode(config, L1Client(rpc), SystemClock(), None)
    try:
        with sampler.running():
            start = time.perf_counter()
            await node.deriver.reset()
            while not isinstance(await node.deriver.step(), NeedsL1):
                pass
            seconds = time.perf_counter() - start
        return seconds, _blocks(node.node.reader)
    finally:
        await node.close()
        await rpc.close()


def _execute(blocks: Sequence[Block], genesis: Genesis, path: Path) -> float:
    """Return the seconds of inserting blocks, from their bytes to the disk."""

    encoded = [block.encode() for block in blocks]
    with Database.open(path) as database:
        engine = Engine(database, genesis.config)
        engine.initialise(genesis)
        start = time.perf_counter()
        for raw in encoded:
            engine.insert(engine.execute(decode_block(raw)))
        return time.perf_counter() - start


def _row(title: str, result: Measured) -> str:
    rate, alone = result.gas / result.seconds, result.gas / result.execution_seconds
    return _LINE.format(
        title,
        result.blocks,
        result.transactions,
        f"{result.blocks / result.seconds:.0f}",
        f"{rate / 1e6:.1f}",
        f"{alone / 1e6:.1f}",
        f"{rate / alone:.0%}",
    )

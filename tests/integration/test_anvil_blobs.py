"""The same blob transactions to Foundry's Anvil and to our L1: both take them, or both refuse."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.clock import SystemClock
from node.dev_chain import DevChainConfig
from node.genesis import dev_accounts, l1_dev_genesis
from node.types.blob_sidecar import BLOB_PROOFS, CELL_PROOFS, BlobSidecar
from node.types.blob_transaction import encode_pooled_transaction
from node.types.transaction import Transaction
from node.worker import run_in_thread
from openrollup.embedded_l1 import EmbeddedL1
from tests.integration.json_rpc import RpcFailure, call
from tests.integration.nodes import client_tool
from tests.integration.processes import Process, free_port, wait_for_port
from tests.node.blobs import blob_transaction, carrying, sidecar

CHAIN_ID = 31_337
SENDER = dev_accounts()[0]


@contextmanager
def anvil(hardfork: str) -> Iterator[str]:
    """Start Anvil, which mines when it is told to; its accounts are ours."""
    port = free_port()
    command: list[str | Path] = [client_tool("anvil"), "--hardfork", hardfork, "--quiet"]
    with Process(
        [*command, "--no-mining", "--chain-id", str(CHAIN_ID), "--port", str(port)]
    ) as process:
        wait_for_port(process, port)
        yield f"http://127.0.0.1:{port}"


def signed(carried: BlobSidecar) -> Transaction:
    return blob_transaction(carried, chain_id=CHAIN_ID, key=SENDER.private_key)


def send(url: str, raw: bytes) -> Any:
    """Return the transaction's hash, or the refusal."""
    try:
        return call(url, "eth_sendRawTransaction", "0x" + raw.hex())
    except RpcFailure as failure:
        return failure


def included(url: str, tx: Transaction) -> dict[str, Any]:
    """Return what a receipt and the transaction in its block say of the blobs."""
    name = "0x" + tx.hash.hex()
    receipt = call(url, "eth_getTransactionReceipt", name)
    shown = call(url, "eth_getTransactionByHash", name)
    block = call(url, "eth_getBlockByHash", receipt["blockHash"], False)
    fields = ("type", "status", "gasUsed", "blobGasUsed", "blobGasPrice")
    answer = {field: receipt[field] for field in fields}
    answer |= {field: shown[field] for field in ("maxFeePerBlobGas", "blobVersionedHashes", "r")}
    return answer | {"block's": block["blobGasUsed"]}


@pytest.mark.parametrize(("hardfork", "version"), [("prague", BLOB_PROOFS), ("osaka", CELL_PROOFS)])
async def test_both_say_the_same(hardfork: str, version: int) -> None:
    genesis = l1_dev_genesis(timestamp=1_700_000_000, chain_id=CHAIN_ID)
    ours = EmbeddedL1(genesis, None, 0, SystemClock(), DevChainConfig())
    await ours.start()
    try:
        with anvil(hardfork) as theirs:
            await run_in_thread(lambda: _compare(ours, theirs, version))
    finally:
        await ours.close()


def _compare(ours: EmbeddedL1, theirs: str, version: int) -> None:
    good, other = sidecar(1, 2, version=version), sidecar(3, 4, version=version)
    tx = signed(good)
    for wrong in (
        replace(good, proofs=other.proofs),
        replace(good, blobs=other.blobs),
        replace(good, commitments=other.commitments),
        other,
        replace(good, blobs=good.blobs[:1]),
        replace(good, blobs=(good.blobs[0], b"\xff" * 131_072)),
    ):
        raw = carrying(tx, wrong)
        assert isinstance(send(ours.url, raw), RpcFailure)
        assert isinstance(send(theirs, raw), RpcFailure)
    raw = encode_pooled_transaction(tx)
    assert send(ours.url, raw) == send(theirs, raw) == "0x" + tx.hash.hex()
    ours.chain.produce(0)
    call(theirs, "evm_mine")
    assert included(ours.url, tx) == included(theirs, tx)

"""Blob transactions that tools build, sign and send to the embedded L1, and their blobs there."""

import json
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from eth_account import Account
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import Web3RPCError
from web3.types import TxParams, TxReceipt, Wei

from node.evm.blob_proofs import commitment_to
from node.types.blob_sidecar import BLOB_PROOFS, BLOB_SIZE, BlobSidecar, versioned_hash
from node.types.blob_transaction import encode_pooled_transaction, sign_blob
from node.types.primitives import Address
from tests.clients.test_cast import Cast
from tests.clients.test_web3 import connect
from tests.integration.nodes import Started, client_tool

GWEI = 10**9
RECIPIENT = Address(b"\x77" * 20)
BLOB = (b"\0" + b"what a rollup has to say: ".ljust(31, b".")) * (BLOB_SIZE // 32)


@pytest.fixture(scope="module")
def web3(devnet: Started) -> Web3:
    return connect(devnet.l1_url)


@pytest.fixture(scope="module")
def cast(devnet: Started) -> Cast:
    return Cast(client_tool("cast"), devnet.l1_url, devnet.accounts[6])


def served(web3: Web3, url: str, transaction_hash: Any) -> list[bytes]:
    """Return the transaction's blobs as the Beacon API has them, each checked against its name."""
    tx = web3.eth.get_transaction(transaction_hash)
    genesis, block = (web3.eth.get_block(number) for number in (0, tx["blockNumber"]))
    names = [bytes(name) for name in tx["blobVersionedHashes"]]
    query = "&".join("versioned_hashes=0x" + name.hex() for name in names)
    slot = block["timestamp"] - genesis["timestamp"]
    with urlopen(f"{url}/eth/v1/beacon/blobs/{slot}?{query}", timeout=10) as response:
        blobs = [bytes.fromhex(item[2:]) for item in json.load(response)["data"]]
    assert [versioned_hash(commitment_to(blob)) for blob in blobs] == names
    return blobs


def blob_request(web3: Web3, sender: str) -> TxParams:
    latest = web3.eth.get_block("latest")
    return {
        "type": 3,
        "chainId": web3.eth.chain_id,
        "nonce": web3.eth.get_transaction_count(web3.to_checksum_address(sender), "pending"),
        "to": web3.to_checksum_address("0x" + RECIPIENT.hex()),
        "gas": 21_000,
        "value": Wei(3),
        "maxPriorityFeePerGas": Wei(GWEI),
        "maxFeePerGas": Wei(2 * latest["baseFeePerGas"] + GWEI),
        "maxFeePerBlobGas": hex(10 * web3.eth.blob_base_fee),
    }


def wait(web3: Web3, transaction_hash: Any) -> TxReceipt:
    return web3.eth.wait_for_transaction_receipt(transaction_hash, timeout=60, poll_latency=0.1)


def test_eth_account_and_web3(web3: Web3, devnet: Started) -> None:
    user = Account.from_key(devnet.accounts[5].private_key)
    request = blob_request(web3, user.address)
    signed = user.sign_transaction(request, blobs=[BLOB, bytes(BLOB_SIZE)])
    receipt: Any = wait(web3, web3.eth.send_raw_transaction(signed.raw_transaction))
    assert (receipt["status"], receipt["type"]) == (1, 3)
    assert receipt["blobGasUsed"] == 2 * 131_072
    assert receipt["blobGasPrice"] >= 1
    tx = web3.eth.get_transaction(receipt["transactionHash"])
    assert (tx["type"], tx["from"], tx["value"]) == (3, user.address, 3)
    assert tx["maxFeePerBlobGas"] == int(request["maxFeePerBlobGas"], 16)  # type: ignore[arg-type]
    assert served(web3, devnet.l1_url, tx["hash"]) == [BLOB, bytes(BLOB_SIZE)]
    block = web3.eth.get_block(receipt["blockNumber"])
    history: Any = web3.eth.fee_history(1, receipt["blockNumber"], [])
    assert history["blobGasUsedRatio"] == [block["blobGasUsed"] / (9 * 131_072)]
    assert len(history["baseFeePerBlobGas"]) == 2


@pytest.mark.parametrize("form", [(), ("--eip4844",)], ids=["cell-proofs", "blob-proofs"])
def test_cast(
    cast: Cast, web3: Web3, devnet: Started, tmp_path: Path, form: tuple[str, ...]
) -> None:
    content = tmp_path / "content"
    content.write_bytes(b"from cast" * 100)
    receipt = cast.send("--blob", *form, "--path", str(content), "0x" + RECIPIENT.hex())
    assert (receipt["status"], receipt["type"]) == ("0x1", "0x3")
    assert receipt["blobGasUsed"] == hex(131_072)
    (blob,) = served(web3, devnet.l1_url, receipt["transactionHash"])
    packed = b"".join(blob[place + 1 : place + 32] for place in range(0, BLOB_SIZE, 32))
    assert b"from castfrom cast" in packed


def test_l2_refuses_them(devnet: Started) -> None:
    unproven = BlobSidecar(BLOB_PROOFS, (BLOB,), (bytes(48),), (bytes(48),))
    tx = sign_blob(
        devnet.accounts[5].private_key,
        unproven,
        chain_id=devnet.l2_chain_id,
        nonce=0,
        max_priority_fee_per_gas=GWEI,
        max_fee_per_gas=10 * GWEI,
        max_fee_per_blob_gas=GWEI,
        gas=21_000,
        to=RECIPIENT,
    )
    web3 = connect(devnet.l2_url)
    with pytest.raises(Web3RPCError, match="a rollup takes no blob transactions"):
        web3.eth.send_raw_transaction(HexBytes(encode_pooled_transaction(tx)))

"""Receipts on a whole network: what its nodes tell of them, also across reorgs of L1."""

from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from web3 import Web3

from attribution.calldata import encode_append
from node.attribution_lookup import batches
from node.storage.schema import Table
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.attribution_record import Influence, Record
from node.types.primitives import Address, hex_address, keccak256
from openrollup.testing import Devnet
from openrollup.testing.chain import Chain

STREAM = 7


def ask(w3: Web3, method: str, *params: Any) -> Any:
    """Return a method's result."""
    answer = w3.provider.make_request(f"attribution_{method}", list(params))  # type: ignore[arg-type]
    return answer["result"]


def append(devnet: Devnet, logger: LocalAccount, seq: int, count: int) -> bytes:
    """Send receipts; they wait for the next block."""
    records = [
        Record(100 + index, (Influence(1, 5000),), keccak256(bytes([index])))
        for index in range(count)
    ]
    transaction = {
        "from": logger.address,
        "to": Web3.to_checksum_address(ATTRIBUTION_ADDRESS),
        "data": encode_append(STREAM, seq, records),
    }
    return devnet.w3.eth.send_transaction(transaction)  # type: ignore[arg-type]


def index_of(chain: Chain) -> dict[bytes, bytes]:
    """Return the whole index of a node."""
    with chain.reader.snapshot() as snapshot:
        return dict(snapshot.items(Table.ATTRIBUTION))


def test_one_block_after_they_are_sent_receipts_are_shown(devnet: Devnet) -> None:
    logger = devnet.accounts[2]
    sent = append(devnet, logger, 0, 3)
    (block,) = devnet.mine()
    head = ask(devnet.w3, "getHead", logger.address, hex(STREAM))
    assert head == {"count": "0x3", "amountGwei": hex(303), "credited": hex(303 * 5000)}
    (batch,) = ask(devnet.w3, "getReceipts", logger.address, hex(STREAM))["batches"]
    assert batch["transactionHash"] == "0x" + sent.hex()
    assert batch["blockNumber"] == hex(block.number)
    assert [receipt["amountGwei"] for receipt in batch["receipts"]] == ["0x64", "0x65", "0x66"]
    assert ask(devnet.w3, "listModels") == {"models": [], "next": None}


def test_the_verifier_makes_the_same_index_from_l1(devnet: Devnet) -> None:
    logger = devnet.accounts[2]
    for seq in range(3):
        append(devnet, logger, seq, 1)
        devnet.mine()
    newcomer = "0x" + "99" * 20
    devnet.deposit(newcomer, 10**18)
    devnet.mine()
    devnet.derive()
    assert devnet.verifier.heads.safe == devnet.l2.heads.unsafe
    assert index_of(devnet.verifier) == index_of(devnet.l2)
    assert ask(devnet.verifier.w3, "getHead", logger.address, hex(STREAM))["count"] == "0x3"


def test_a_reorg_of_l1_changes_the_index_as_it_changes_the_chain(devnet: Devnet) -> None:
    logger = devnet.accounts[2]
    address = Address(hex_address(logger.address))
    append(devnet, logger, 0, 2)
    devnet.mine()
    devnet.derive()
    devnet.advance_l1()
    devnet.mine(3)
    devnet.reorg_l1(depth=1)
    devnet.mine(2)
    devnet.derive()
    assert index_of(devnet.verifier) == index_of(devnet.l2)
    with devnet.l2.reader.snapshot() as snapshot:
        assert sum(batch.count for batch in batches(snapshot, address, STREAM)) == 2


@pytest.mark.devnet(block_time=2)
def test_a_network_set_back_has_the_index_of_then(devnet: Devnet) -> None:
    logger = devnet.accounts[2]
    before = devnet.snapshot()
    append(devnet, logger, 0, 2)
    devnet.mine()
    devnet.revert(before)
    page = ask(devnet.w3, "getReceipts", logger.address, hex(STREAM))
    assert page == {"batches": [], "nextSeq": None}

from typing import Any

import pytest

from node.types.transaction import Transaction
from rpc.encoding.transaction import mined_transaction, pending_transaction
from tests.rpc import samples
from tests.rpc.openrpc import result_schemas, violations


@pytest.mark.parametrize("kind", samples.SIGNED)
def test_signed_transactions_follow_the_schema(kind: str) -> None:
    schema = result_schemas()["eth_getTransactionByHash"]
    tx = samples.SIGNED[kind]()
    shown = mined_transaction(tx, samples.block(tx).header, 0, None)
    assert violations(schema, shown) == []


def shown(tx: Transaction, *names: str) -> dict[str, Any]:
    fields = mined_transaction(tx, samples.block(tx).header, 0, None)
    return {name: fields.get(name, "absent") for name in names}


def test_a_transaction_before_replay_protection() -> None:
    fields = shown(samples.frontier_transaction(), "type", "chainId", "yParity", "accessList")
    assert fields == {
        "type": "0x0", "chainId": "absent", "yParity": "absent", "accessList": "absent"
    }  # fmt: skip
    assert shown(samples.frontier_transaction(), "v")["v"] in ("0x1b", "0x1c")


def test_a_legacy_transaction() -> None:
    fields = shown(samples.legacy_transaction(), "chainId", "yParity", "gasPrice", "maxFeePerGas")
    assert fields == {
        "chainId": "0x385", "yParity": "absent", "gasPrice": "0x7d0", "maxFeePerGas": "absent"
    }  # fmt: skip
    assert shown(samples.legacy_transaction(), "v")["v"] in (hex(1837), hex(1838))


def test_typed_transactions_show_their_parity_twice() -> None:
    for kind in ("access list", "dynamic fee", "blob", "set code"):
        fields = shown(samples.SIGNED[kind](), "v", "yParity")
        assert fields["v"] == fields["yParity"]


def test_the_price_of_a_mined_transaction_is_what_it_paid() -> None:
    fields = shown(
        samples.dynamic_fee_transaction(), "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas"
    )
    assert fields == {
        "gasPrice": hex(1_100), "maxFeePerGas": hex(3_000), "maxPriorityFeePerGas": hex(100)
    }  # fmt: skip


def test_a_contract_creation_has_no_recipient() -> None:
    tx = samples.dynamic_fee_transaction(to="")
    assert shown(tx, "to") == {"to": None}


def test_a_pending_transaction_has_no_place() -> None:
    fields = pending_transaction(samples.dynamic_fee_transaction())
    assert fields["blockHash"] is fields["blockNumber"] is fields["transactionIndex"] is None
    assert fields["gasPrice"] == hex(3_000)
    assert "blockTimestamp" not in fields


def test_a_deposit_is_shown_as_op_geth_does() -> None:
    tx = samples.deposit(b"\x01")
    block = samples.block(tx)
    assert mined_transaction(tx, block.header, 0, 4) == {
        "blockHash": "0x" + block.hash.hex(),
        "blockNumber": "0x11",
        "blockTimestamp": hex(1_700_000_001),
        "transactionIndex": "0x0",
        "type": "0x7e",
        "hash": "0x" + tx.hash.hex(),
        "sourceHash": "0x" + "55" * 32,
        "from": "0x" + "66" * 20,
        "to": "0x" + "22" * 20,
        "nonce": "0x4",
        "depositReceiptVersion": "0x1",
        "gas": hex(1_000_000),
        "gasPrice": "0x0",
        "value": "0x8",
        "mint": "0x9",
        "input": "0x01",
        "v": "0x0",
        "r": "0x0",
        "s": "0x0",
    }
    assert "mint" not in mined_transaction(samples.deposit(mint=0), block.header, 0, 4)

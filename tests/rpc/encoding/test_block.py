from node.types.block import Withdrawal
from node.types.primitives import EMPTY_REQUESTS_HASH
from rpc.encoding.block import block_with_hashes, block_with_transactions
from tests.rpc import samples
from tests.rpc.openrpc import result_schemas, violations


def test_blocks_follow_the_schema() -> None:
    schema = result_schemas()["eth_getBlockByNumber"]
    transactions = [make() for make in samples.SIGNED.values()]
    withdrawal = Withdrawal(1, 2, samples.RECIPIENT, 3)
    block = samples.block(*transactions, withdrawals=(withdrawal,))
    receipts = [
        samples.receipt(tx, cumulative=21_000 * (index + 1))
        for index, tx in enumerate(transactions)
    ]
    assert violations(schema, block_with_hashes(block)) == []
    assert violations(schema, block_with_transactions(block, receipts)) == []


def test_a_block_shows_its_header() -> None:
    tx = samples.deposit()
    shown = block_with_hashes(samples.block(tx))
    assert shown["number"] == "0x11"
    assert shown["miner"] == "0x" + "02" * 20
    assert shown["mixHash"] == "0x" + "06" * 32
    assert shown["nonce"] == "0x0000000000000000"
    assert shown["difficulty"] == "0x0"
    assert shown["baseFeePerGas"] == hex(samples.BASE_FEE)
    assert shown["withdrawalsRoot"] == "0x" + "07" * 32
    assert shown["parentBeaconBlockRoot"] == "0x" + "08" * 32
    assert shown["requestsHash"] == "0x" + EMPTY_REQUESTS_HASH.hex()
    assert shown["transactions"] == ["0x" + tx.hash.hex()]
    assert shown["uncles"] == shown["withdrawals"] == []
    assert shown["size"] == hex(len(samples.block(tx).encode()))


def test_the_nonce_of_a_deposit_comes_from_its_receipt() -> None:
    tx = samples.deposit()
    shown = block_with_transactions(samples.block(tx), [samples.receipt(tx, cumulative=21_000)])
    assert shown["transactions"][0]["nonce"] == "0x4"  # type: ignore[index, call-overload]

"""Transactions and blocks of every kind, made up for the encoding tests."""

from typing import Any

from eth_account import Account

from node.types.block import AnyTransaction, Block, Header, Withdrawal
from node.types.deposit import DepositTransaction, make_deposit
from node.types.primitives import EMPTY_REQUESTS_HASH, Address, BlockNumber, Hash32
from node.types.receipt import Log, Receipt, logs_bloom
from node.types.transaction import DEPOSIT, Transaction, decode_signed_transaction

KEY = b"\x11" * 32
RECIPIENT = Address(b"\x22" * 20)
BASE_FEE = 1_000

_FIELDS: dict[str, Any] = {
    "nonce": 7,
    "gas": 50_000,
    "to": "0x" + RECIPIENT.hex(),
    "value": 5,
    "data": "0xc0ffee",
}
_ACCESS_LIST = [{"address": "0x" + RECIPIENT.hex(), "storageKeys": ["0x" + "01" * 32]}]


def signed(**fields: Any) -> Transaction:
    """Sign a transaction with eth-account; fields as its JSON-RPC form has them."""
    return decode_signed_transaction(bytes(Account.sign_transaction(fields, KEY).raw_transaction))


def frontier_transaction() -> Transaction:
    return signed(**_FIELDS, gasPrice=2_000)


def legacy_transaction() -> Transaction:
    return signed(**_FIELDS, gasPrice=2_000, chainId=901)


def access_list_transaction() -> Transaction:
    return signed(**_FIELDS, gasPrice=2_000, chainId=901, accessList=_ACCESS_LIST, type=1)


def dynamic_fee_transaction(**changes: Any) -> Transaction:
    fees = {"maxFeePerGas": 3_000, "maxPriorityFeePerGas": 100}
    return signed(**{**_FIELDS, **fees, "chainId": 901, "type": 2, **changes})


def blob_transaction() -> Transaction:
    blobs = {"maxFeePerBlobGas": 10, "blobVersionedHashes": ["0x01" + "ab" * 31] * 2}
    return dynamic_fee_transaction(type=3, **blobs)


def set_code_transaction() -> Transaction:
    authorization = Account.sign_authorization(
        {"chainId": 901, "address": "0x" + "33" * 20, "nonce": 8}, KEY
    )
    return dynamic_fee_transaction(
        type=4, accessList=_ACCESS_LIST, authorizationList=[authorization]
    )


SIGNED = {
    "frontier": frontier_transaction,
    "legacy": legacy_transaction,
    "access list": access_list_transaction,
    "dynamic fee": dynamic_fee_transaction,
    "blob": blob_transaction,
    "set code": set_code_transaction,
}


def l1_attributes_calldata(*, size: int = 176) -> bytes:
    """Return L1 attributes in the Isthmus (176 bytes) or Jovian (178 bytes) format."""
    selector = {176: "098999be", 178: "3db6be2b"}[size]
    numbers = ((1368, 4), (810_949, 4), (3, 8), (1_700_000_000, 8), (19_000_000, 8))
    packed = b"".join(value.to_bytes(width, "big") for value, width in numbers)
    fees = (7_000_000_000).to_bytes(32, "big") + (2).to_bytes(32, "big")
    tail = (11).to_bytes(4, "big") + (12).to_bytes(8, "big") + (400).to_bytes(2, "big")
    return (bytes.fromhex(selector) + packed + fees + b"\x44" * 64 + tail)[:size]


def deposit(
    data: bytes = b"", *, mint: int = 9, to: Address | None = RECIPIENT
) -> DepositTransaction:
    return make_deposit(
        source_hash=Hash32(b"\x55" * 32),
        sender=Address(b"\x66" * 20),
        to=to,
        mint=mint,
        value=8,
        gas=1_000_000,
        data=data,
    )


def receipt(tx: AnyTransaction, *, cumulative: int, logs: int = 0) -> Receipt:
    """Return a receipt that used 21,000 gas and carries some logs."""
    entries = tuple(
        Log(RECIPIENT, (Hash32(bytes([number]) * 32),), b"\x01\x02") for number in range(logs)
    )
    return Receipt(
        type=tx.type,
        status=1,
        cumulative_gas_used=cumulative,
        gas_used=21_000,
        logs=entries,
        bloom=logs_bloom(entries),
        deposit_nonce=4 if tx.type == DEPOSIT else None,
    )


def block(*transactions: AnyTransaction, withdrawals: tuple[Withdrawal, ...] = ()) -> Block:
    header = Header(
        parent_hash=Hash32(b"\x01" * 32),
        coinbase=Address(b"\x02" * 20),
        state_root=Hash32(b"\x03" * 32),
        transactions_root=Hash32(b"\x04" * 32),
        receipts_root=Hash32(b"\x05" * 32),
        bloom=bytes(256),
        number=BlockNumber(17),
        gas_limit=30_000_000,
        gas_used=63_000,
        timestamp=1_700_000_001,
        extra_data=b"\x00\x00\x00\x00\xfa\x00\x00\x00\x06",
        prev_randao=Hash32(b"\x06" * 32),
        base_fee=BASE_FEE,
        withdrawals_root=Hash32(b"\x07" * 32),
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=Hash32(b"\x08" * 32),
        requests_hash=EMPTY_REQUESTS_HASH,
    )
    return Block(header, transactions, withdrawals)

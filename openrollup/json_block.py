"""A block as JSON-RPC shows it, with whole transactions, turned back into what was hashed.

Of what it says of itself nothing is believed: Differs names what does not hash to what it claims.
"""

from consensus.l1.json_objects import (
    JsonObject,
    as_data,
    as_hash,
    as_objects,
    as_quantity,
    envelope_from_json,
    unchecked_header,
)
from node.difference import Differs
from node.errors import DecodingError
from node.types.block import AnyTransaction, Block, Header, Withdrawal
from node.types.deposit import make_deposit
from node.types.primitives import Address, Hash32
from node.types.transaction import DEPOSIT, decode_transaction


def header_from_json(block: JsonObject) -> Header:
    """Return the header of a block whose hash is what its fields give."""
    header = unchecked_header(block)
    claimed = as_hash(block.get("hash"), "hash")
    if header.hash != claimed:
        raise Differs("hash", header.hash, claimed)
    return header


def block_from_json(block: JsonObject) -> Block:
    """Return a block with its transactions and withdrawals."""
    entries = as_objects(block.get("transactions"), "transactions")
    transactions = tuple(_transaction(entry, index) for index, entry in enumerate(entries))
    withdrawals = block.get("withdrawals")
    return Block(
        header_from_json(block),
        transactions,
        ()
        if withdrawals is None
        else tuple(_withdrawal(entry) for entry in as_objects(withdrawals, "withdrawals")),
    )


def _transaction(entry: JsonObject, index: int) -> AnyTransaction:
    claimed = as_hash(entry.get("hash"), "hash")
    if as_quantity(entry.get("type", "0x0"), "type") == DEPOSIT:
        raw = _deposit(entry)
    else:
        raw = envelope_from_json(entry)
    try:
        tx = decode_transaction(raw)
    except DecodingError as error:
        raise Differs("transaction", "a transaction", error, index) from error
    if tx.hash != claimed:
        raise Differs("hash", tx.hash, claimed, index)
    return tx


def _deposit(entry: JsonObject) -> bytes:
    recipient, mint = entry.get("to"), entry.get("mint")
    return make_deposit(
        source_hash=as_hash(entry.get("sourceHash"), "sourceHash"),
        sender=_address(entry, "from"),
        to=None if recipient is None else _address(entry, "to"),
        mint=0 if mint is None else as_quantity(mint, "mint"),
        value=as_quantity(entry.get("value"), "value"),
        gas=as_quantity(entry.get("gas"), "gas"),
        data=as_data(entry.get("input"), "input"),
        is_system_transaction=entry.get("isSystemTx") is True,
    ).raw


def _withdrawal(entry: JsonObject) -> Withdrawal:
    return Withdrawal(
        index=as_quantity(entry.get("index"), "withdrawal index"),
        validator_index=as_quantity(entry.get("validatorIndex"), "withdrawal validatorIndex"),
        address=_address(entry, "address"),
        amount=as_quantity(entry.get("amount"), "withdrawal amount"),
    )


def _address(entry: JsonObject, name: str) -> Address:
    return Address(as_data(entry.get(name), name, 20))


def transaction_hashes(block: JsonObject) -> list[Hash32]:
    """Return the hashes that a block without whole transactions names."""
    hashes = block.get("transactions")
    if not isinstance(hashes, list):
        raise Differs("transactions", "a list of hashes", str(hashes)[:80])
    return [as_hash(entry, "transactions") for entry in hashes]

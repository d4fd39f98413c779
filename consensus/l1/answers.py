"""How far L1's answers are believed. A header's own hash is checked in any case: by their hashes
blocks are asked for, and refer to each other.
"""

from typing import Protocol

from consensus.l1.json_objects import (
    JsonObject,
    MalformedL1Data,
    receipts_from_json,
    transaction_from_json,
    unchecked_transaction,
)
from node.state.trie import ordered_root
from node.types.block import Block, Header
from node.types.receipt import Receipt


class Answers(Protocol):
    """Makes a block's contents of JSON; MalformedL1Data if they are not what they should be."""

    def block(self, header: Header, transactions: list[JsonObject]) -> Block:
        """Return the block of a header and its transactions."""
        ...

    def receipts(self, header: Header, receipts: list[JsonObject]) -> tuple[Receipt, ...]:
        """Return the receipts of a block."""
        ...


class CheckedAnswers:
    """Everything must hash to what the header commits to: the server cannot make anything up."""

    def block(self, header: Header, transactions: list[JsonObject]) -> Block:
        """Return the block of a header and its transactions."""
        rebuilt = tuple(transaction_from_json(entry) for entry in transactions)
        root = ordered_root([tx.raw for tx in rebuilt])
        if root != header.transactions_root:
            raise MalformedL1Data(
                f"L1 block {header.number}: expected transactions of root "
                f"0x{header.transactions_root.hex()}, got 0x{root.hex()}"
            )
        return Block(header, rebuilt)

    def receipts(self, header: Header, receipts: list[JsonObject]) -> tuple[Receipt, ...]:
        """Return the receipts of a block."""
        rebuilt = receipts_from_json(receipts)
        root = ordered_root([receipt.encode() for receipt in rebuilt])
        if root != header.receipts_root:
            raise MalformedL1Data(
                f"L1 block {header.number}: expected receipts of root "
                f"0x{header.receipts_root.hex()}, got 0x{root.hex()}"
            )
        return rebuilt


class TrustedAnswers:
    """The server is believed: for development chains whose roots do not cover what they hold, as
    Anvil's of blocks with blobs or with transactions of impersonated accounts.
    """

    def block(self, header: Header, transactions: list[JsonObject]) -> Block:
        """Return the block of a header and its transactions."""
        return Block(header, tuple(unchecked_transaction(entry) for entry in transactions))

    def receipts(self, header: Header, receipts: list[JsonObject]) -> tuple[Receipt, ...]:
        """Return the receipts of a block."""
        return receipts_from_json(receipts)

"""One case: a state, a parent block and the transactions to try on top of it, in plain values.

The JSON form is what a difference is saved as and, with what `request` adds, what the oracle reads.
Addresses, code and transactions are hexadecimal there, without 0x; everything else is a number.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from node.config import CANCUN_BLOBS, PRAGUE_BLOBS, ChainConfig
from node.types.block import Header
from node.types.primitives import (
    EMPTY_BLOOM,
    EMPTY_REQUESTS_HASH,
    EMPTY_TRIE_ROOT,
    ZERO_ADDRESS,
    ZERO_HASH,
    Address,
    BlockNumber,
    Hash32,
    hex_address,
    keccak256,
)

CHAIN_ID = 1
DEPOSIT_CONTRACT = hex_address("00000000219ab540356cbb839cbe05303d7705fa")
"""Mainnet's, because the specs know no other."""

CONFIG = ChainConfig(CHAIN_ID, 0, CANCUN_BLOBS, PRAGUE_BLOBS, DEPOSIT_CONTRACT, None, None)

_ANCESTORS = 256


@dataclass(frozen=True, slots=True)
class PreAccount:
    """An account before the block; `balance` is in wei."""

    nonce: int = 0
    balance: int = 0
    code: bytes = b""
    storage: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parent:
    """What of the parent's header the block depends on, besides the gas limit."""

    number: int
    gas_used: int
    timestamp: int
    base_fee: int
    blob_gas_used: int
    excess_blob_gas: int


@dataclass(frozen=True, slots=True)
class Case:
    """A block to be. `block_time` is in seconds after the parent, withdrawals are in gwei.

    A transaction that cannot be included is left out by both sides, and the next one is tried.
    """

    name: str
    parent: Parent
    gas_limit: int
    block_time: int
    coinbase: Address
    prev_randao: Hash32
    beacon_root: Hash32
    pre: Mapping[Address, PreAccount]
    transactions: tuple[bytes, ...]
    withdrawals: tuple[tuple[int, int, Address, int], ...] = ()

    def parent_header(self, state_root: Hash32) -> Header:
        """Return the parent block's header."""
        return Header(
            parent_hash=ancestor_hash(BlockNumber(self.parent.number - 1)),
            coinbase=ZERO_ADDRESS,
            state_root=state_root,
            transactions_root=EMPTY_TRIE_ROOT,
            receipts_root=EMPTY_TRIE_ROOT,
            bloom=EMPTY_BLOOM,
            number=BlockNumber(self.parent.number),
            gas_limit=self.gas_limit,
            gas_used=self.parent.gas_used,
            timestamp=self.parent.timestamp,
            extra_data=b"",
            prev_randao=ZERO_HASH,
            base_fee=self.parent.base_fee,
            withdrawals_root=EMPTY_TRIE_ROOT,
            blob_gas_used=self.parent.blob_gas_used,
            excess_blob_gas=self.parent.excess_blob_gas,
            parent_beacon_block_root=ZERO_HASH,
            requests_hash=EMPTY_REQUESTS_HASH,
        )

    def request(self, parent: Header) -> dict[str, Any]:
        """Return what the oracle needs to know."""
        first = max(0, parent.number - _ANCESTORS + 1)
        hashes = [ancestor_hash(BlockNumber(number)) for number in range(first, parent.number)]
        return {
            **self.to_json(),
            "chain_id": CHAIN_ID,
            "block_hashes": [item.hex() for item in [*hashes, parent.hash]],
        }

    def to_json(self) -> dict[str, Any]:
        """Return the case in JSON's types."""
        return {
            "name": self.name,
            "parent": asdict(self.parent),
            "gas_limit": self.gas_limit,
            "block_time": self.block_time,
            "coinbase": self.coinbase.hex(),
            "prev_randao": self.prev_randao.hex(),
            "beacon_root": self.beacon_root.hex(),
            "pre": {
                address.hex(): {
                    "nonce": account.nonce,
                    "balance": account.balance,
                    "code": account.code.hex(),
                    "storage": {str(slot): value for slot, value in account.storage.items()},
                }
                for address, account in self.pre.items()
            },
            "transactions": [raw.hex() for raw in self.transactions],
            "withdrawals": [[i, v, address.hex(), n] for i, v, address, n in self.withdrawals],
        }


def ancestor_hash(number: BlockNumber) -> Hash32:
    """Return the hash that a block before the parent is said to have."""
    return keccak256(b"ancestor %d" % number)


def read_case(path: Path) -> Case:
    """Read a case that was saved."""
    raw = json.loads(path.read_text())
    return Case(
        name=raw["name"],
        parent=Parent(**raw["parent"]),
        gas_limit=raw["gas_limit"],
        block_time=raw["block_time"],
        coinbase=hex_address(raw["coinbase"]),
        prev_randao=Hash32(bytes.fromhex(raw["prev_randao"])),
        beacon_root=Hash32(bytes.fromhex(raw["beacon_root"])),
        pre={
            hex_address(address): PreAccount(
                nonce=fields["nonce"],
                balance=fields["balance"],
                code=bytes.fromhex(fields["code"]),
                storage={int(slot): value for slot, value in fields["storage"].items()},
            )
            for address, fields in raw["pre"].items()
        },
        transactions=tuple(bytes.fromhex(text) for text in raw["transactions"]),
        withdrawals=tuple((i, v, hex_address(a), n) for i, v, a, n in raw["withdrawals"]),
    )

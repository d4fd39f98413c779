"""Withdrawals for tests: any, their events, and what a node of L2 says about them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from eth_abi.abi import encode as abi_encode
from hypothesis import strategies as st

from consensus.bridge.withdrawal import MESSAGE_PASSED_TOPIC, Withdrawal
from node.genesis import genesis_block, l1_dev_genesis
from node.genesis.genesis import MESSAGE_PASSER
from node.state.linked_node import no_nodes
from node.state.proofs import prove
from node.state.trie import Trie
from node.types.block import Header
from node.types.primitives import EMPTY_CODE_HASH, Address, Hash32, keccak256
from node.types.receipt import Log
from node.types.rlp_codec import encode, encode_uint

_HEADER = genesis_block(l1_dev_genesis(timestamp=1_700_000_000)).block.header

addresses = st.binary(min_size=20, max_size=20).map(Address)
words = st.integers(0, 2**256 - 1)
withdrawals = st.builds(
    Withdrawal,
    nonce=st.integers(1 << 240, (1 << 240) + 2**64),
    sender=addresses,
    target=addresses,
    value=words,
    gas_limit=words,
    data=st.binary(max_size=200),
)


def message_passed(withdrawal: Withdrawal, claimed: bytes | None = None) -> Log:
    """Return the message passer's event, with another hash if wanted."""
    nonce, sender, target, *rest = withdrawal.fields
    topics = nonce.to_bytes(32, "big"), bytes(12) + sender, bytes(12) + target
    fields = [*rest, withdrawal.hash if claimed is None else claimed]
    data = abi_encode(["uint256", "uint256", "bytes", "bytes32"], fields)
    return Log(MESSAGE_PASSER, (MESSAGE_PASSED_TOPIC, *map(Hash32, topics)), data)


def proof_answer(
    held: Sequence[Withdrawal], asked: Withdrawal, neighbours: int = 3
) -> tuple[Header, dict[str, Any]]:
    """Return a block whose message passer holds these withdrawals, and its eth_getProof."""
    slots: dict[bytes, bytes] = {_key(withdrawal.slot): b"\x01" for withdrawal in held}
    storage, storage_root = _trie({**slots, _key(1): encode(encode_uint(len(held)))})
    account = encode([b"", b"\x07", storage_root, EMPTY_CODE_HASH])
    others: dict[bytes, bytes] = {keccak256(bytes([i]) * 20): account for i in range(neighbours)}
    state, state_root = _trie({**others, keccak256(MESSAGE_PASSER): account})
    answer = {
        "storageHash": _hex(storage_root),
        "accountProof": _hexes(prove(state.node, state.root, keccak256(MESSAGE_PASSER))),
        "storageProof": [
            {
                "key": _hex(asked.slot.to_bytes(32, "big")),
                "value": "0x1",
                "proof": _hexes(prove(storage.node, storage.root, _key(asked.slot))),
            }
        ],
    }
    return replace(_HEADER, state_root=state_root), answer


def _trie(content: dict[bytes, bytes]) -> tuple[Trie, Hash32]:
    trie = Trie(no_nodes)
    for key, value in content.items():
        trie.put(key, value)
    return trie, trie.commit()


def _key(slot: int) -> bytes:
    return keccak256(slot.to_bytes(32, "big"))


def _hexes(nodes: Sequence[bytes]) -> list[str]:
    return [_hex(node) for node in nodes]


def _hex(value: bytes) -> str:
    return "0x" + value.hex()

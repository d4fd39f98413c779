"""Merkle-Patricia proofs: the nodes on a key's path, from the root down, as RLP.

Nodes shorter than 32 bytes sit inside their parent and are not listed, as in `eth_getProof`
(EIP-1186). The proof that a key is absent ends where its path does. An empty trie has no nodes.
"""

from collections.abc import Sequence

from node.errors import DecodingError
from node.state.trie import NodeSource, load_node, ordered_key, ordered_trie
from node.state.trie_node import Child, Extension, Leaf, decode_node
from node.types.primitives import EMPTY_TRIE_ROOT, Address, Hash32, keccak256


def account_proof(nodes: NodeSource, state_root: Hash32, address: Address) -> tuple[bytes, ...]:
    """Prove what account is at `address`, or that there is none. CorruptStore as `prove`."""
    return prove(nodes, state_root, keccak256(address))


def storage_proof(nodes: NodeSource, storage_root: Hash32, slot: int) -> tuple[bytes, ...]:
    """Prove what a storage slot holds, or that it is 0. CorruptStore as `prove`."""
    return prove(nodes, storage_root, keccak256(slot.to_bytes(32, "big")))


def ordered_proof(items: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Prove item `index` (or its absence) under the root that `ordered_root(items)` returns."""
    root, nodes = ordered_trie(items).commit()
    return prove(nodes.__getitem__, root, ordered_key(index))


def prove(nodes: NodeSource, root: Hash32, key: bytes) -> tuple[bytes, ...]:
    """Return the proof of `key`; CorruptStore if a node is missing, malformed or not its hash's."""
    proof = []
    path = key.hex()
    expected = None if root == EMPTY_TRIE_ROOT else root
    while expected is not None:
        raw = nodes(expected)
        proof.append(raw)
        expected, path, _ = _descend(load_node(expected, raw), path)
    return tuple(proof)


def verify_proof(root: Hash32, key: bytes, proof: Sequence[bytes]) -> bytes | None:
    """Return the value that `proof` shows under `key`, None if it shows that there is none.

    The proof may come from anywhere. DecodingError if it is not exactly the nodes on the path of
    `key` below `root`.
    """
    path = key.hex()
    expected = None if root == EMPTY_TRIE_ROOT and not proof else root
    value = None
    for index, raw in enumerate(proof):
        if expected is None:
            raise DecodingError(f"proof: expected {index} nodes, got {len(proof)}")
        if keccak256(raw) != expected:
            raise DecodingError(f"proof node {index}: expected hash 0x{expected.hex()}")
        try:
            node = decode_node(raw)
        except DecodingError as error:
            raise DecodingError(f"proof node {index}: {error}") from error
        expected, path, value = _descend(node, path)
    if expected is not None:
        raise DecodingError(f"proof: node 0x{expected.hex()} is missing after {len(proof)} nodes")
    return value


def _descend(child: Child | None, path: str) -> tuple[Hash32 | None, str, bytes | None]:
    """Follow `path` through inline nodes, to a hash: (the hash, the rest of the path, None).

    Or to the end: (None, "", the value or None).
    """
    while child is not None:
        if isinstance(child, bytes):
            return Hash32(child), path, None
        if isinstance(child, Leaf):
            return None, "", child.value if child.path == path else None
        if isinstance(child, Extension):
            if not path.startswith(child.path):
                break
            path = path[len(child.path) :]
            child = child.child
        elif path:
            child, path = child.children[int(path[0], 16)], path[1:]
        else:
            return None, "", child.value or None
    return None, "", None

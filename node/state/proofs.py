"""Merkle-Patricia proofs: the nodes on a key's path, from the root down, as RLP.

Nodes shorter than 32 bytes sit inside their parent and are not listed, as in `eth_getProof`
(EIP-1186). The proof that a key is absent ends where its path does. An empty trie has no nodes.
"""

from collections.abc import Sequence

from node.errors import CorruptStore, DecodingError
from node.state.linked_node import NodeSource, Reference, reference_to, rlp_of
from node.state.trie import Trie, ordered_key, ordered_trie
from node.state.trie_node import Child, Extension, Leaf, decode_linked, decode_node
from node.state.view import decode_account
from node.types.primitives import EMPTY_TRIE_ROOT, Address, Hash32, keccak256


def account_proof(
    nodes: NodeSource, state_root: Reference | None, address: Address
) -> tuple[bytes, ...]:
    """Prove what account is at `address`, or that there is none. CorruptStore as `prove`."""
    return prove(nodes, state_root, keccak256(address))


def storage_proof(
    nodes: NodeSource, storage_root: Reference | None, slot: int
) -> tuple[bytes, ...]:
    """Prove what a storage slot holds, or that it is 0. CorruptStore as `prove`."""
    return prove(nodes, storage_root, keccak256(slot.to_bytes(32, "big")))


def storage_root(
    nodes: NodeSource, state_root: Reference | None, address: Address
) -> Reference | None:
    """Return where the storage trie of an account is, None if it has none. CorruptStore as `prove`,
    and if what is under the address is no account.
    """
    leaf = Trie(nodes, state_root).leaf(keccak256(address))
    try:
        return None if leaf is None else reference_to(decode_account(leaf[0]).storage_root, leaf[1])
    except DecodingError as error:
        raise CorruptStore(f"account 0x{address.hex()}: {error}") from error


def ordered_proof(items: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Prove item `index` (or its absence) under the root that `ordered_root(items)` returns."""
    trie = ordered_trie(items)
    trie.commit()
    return prove(trie.node, trie.root, ordered_key(index))


def prove(nodes: NodeSource, root: Reference | None, key: bytes) -> tuple[bytes, ...]:
    """Return the proof of `key`; CorruptStore if a node is missing, malformed or not its hash's."""
    proof = []
    path = key.hex()
    expected = root
    while expected is not None:
        node = nodes(expected)
        proof.append(rlp_of(node))
        expected, path, _ = _descend(decode_linked(node), path)
    return tuple(proof)


def verify_proof(root: Hash32, key: bytes, proof: Sequence[bytes]) -> bytes | None:
    """Return the value that `proof` shows under `key`, None if it shows that there is none.

    The proof may come from anywhere. DecodingError if it is not exactly the nodes on the path of
    `key` below `root`.
    """
    path = key.hex()
    expected: bytes | None = None if root == EMPTY_TRIE_ROOT and not proof else root
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


def _descend(child: Child | None, path: str) -> tuple[bytes | None, str, bytes | None]:
    """Follow `path` through inline nodes, to a node by hash: (which, the rest of the path, None).

    Or to the end: (None, "", the value or None).
    """
    while child is not None:
        if isinstance(child, bytes):
            return child, path, None
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

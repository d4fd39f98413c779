"""The proof that L2 holds a withdrawal: put together from a node's answers, and checked."""

from collections.abc import Sequence
from dataclasses import dataclass

from consensus.bridge.withdrawal import Withdrawal
from consensus.l1.json_objects import JsonObject, as_data, as_hash, as_list, as_objects
from consensus.l1.json_rpc import Json
from node.errors import DecodingError, InvalidInput
from node.genesis.genesis import MESSAGE_PASSER
from node.output_root import Output
from node.state.proofs import verify_proof
from node.types.block import Header
from node.types.primitives import Hash32, keccak256
from node.types.rlp_codec import as_bytes, decode
from node.types.rlp_codec import as_list as rlp_list

_TRUE = b"\x01"


class WrongProof(InvalidInput):
    """A proof that L1 would refuse; the message says which part does not fit."""


@dataclass(frozen=True, slots=True)
class WithdrawalProof:
    """What the portal wants to see: the parts of an output root, and the storage trie's nodes."""

    output: Output
    nodes: tuple[bytes, ...]


def withdrawal_proof(header: Header, answer: JsonObject, withdrawal: Withdrawal) -> WithdrawalProof:
    """Check an eth_getProof of the message passer at `header`, and return the withdrawal's proof.

    MalformedL1Data if it is not such an answer, WrongProof if it does not prove the withdrawal.
    """
    storage_root = as_hash(answer.get("storageHash"), "storageHash")
    _check_account(header, _nodes(answer.get("accountProof"), "accountProof"), storage_root)
    entries = as_objects(answer.get("storageProof"), "storageProof")
    if len(entries) != 1:
        raise WrongProof(f"storageProof: expected 1 slot, got {len(entries)}")
    nodes = _nodes(entries[0].get("proof"), "storageProof")
    key = keccak256(withdrawal.slot.to_bytes(32, "big"))
    if _value(storage_root, key, nodes, "storageProof") != _TRUE:
        raise WrongProof(
            f"L2 block {header.number} does not hold withdrawal 0x{withdrawal.hash.hex()}"
        )
    return WithdrawalProof(Output(header.state_root, storage_root, header.hash), nodes)


def _check_account(header: Header, nodes: Sequence[bytes], storage_root: Hash32) -> None:
    account = _value(header.state_root, keccak256(MESSAGE_PASSER), nodes, "accountProof")
    if account is None:
        raise WrongProof(f"L2 block {header.number} has no message passer")
    proven = as_bytes(rlp_list(decode(account, 1), "account", 4)[2], "storageRoot", 32)
    if proven != storage_root:
        raise WrongProof(
            f"storageHash: expected 0x{proven.hex()} (accountProof), got 0x{storage_root.hex()}"
        )


def _value(root: Hash32, key: bytes, nodes: Sequence[bytes], name: str) -> bytes | None:
    try:
        return verify_proof(root, key, nodes)
    except DecodingError as error:
        raise WrongProof(f"{name}: {error}") from error


def _nodes(value: Json, name: str) -> tuple[bytes, ...]:
    return tuple(as_data(node, name) for node in as_list(value, name))

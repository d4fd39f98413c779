"""Merkle proofs as JSON (EIP-1186)."""

from collections.abc import Sequence

from node.reader import AccountProof
from node.types.primitives import ZERO_HASH
from rpc.encoding.hexadecimal import JsonObject, data, quantity


def proof_object(proof: AccountProof, keys: Sequence[bytes]) -> JsonObject:
    """Return a proof. `keys` are the storage keys as the caller wrote them, for the echo.

    The hashes of an account that does not exist are zero, as in go-ethereum.
    """
    account = proof.account
    return {
        "address": data(proof.address),
        "accountProof": [data(node) for node in proof.account_proof],
        "balance": quantity(account.balance if account else 0),
        "codeHash": data(account.code_hash if account else ZERO_HASH),
        "nonce": quantity(account.nonce if account else 0),
        "storageHash": data(account.storage_root if account else ZERO_HASH),
        "storageProof": [
            {
                "key": _echo(key),
                "value": quantity(slot.value),
                "proof": [data(node) for node in slot.proof],
            }
            for key, slot in zip(keys, proof.storage, strict=True)
        ],
    }


def _echo(key: bytes) -> str:
    return data(key) if len(key) == 32 else quantity(int.from_bytes(key))

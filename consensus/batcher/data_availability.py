"""Where the batcher puts its data on L1: into calldata, or into blobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from consensus.codec.blob import MAX_BLOB_DATA, encode_blob
from consensus.l1.fees import TRANSACTION_GAS, calldata_gas
from consensus.l1.tx_sender import TransactionRequest
from node.evm.blob_proofs import make_sidecar
from node.types.primitives import Address

BLOBS_PER_TRANSACTION: Final = 6
"""As many as every L1 since Cancun takes in one block."""


class DataAvailability(Enum):
    """The two places. Derivation reads both, so a batcher may change at any time."""

    CALLDATA = "calldata"
    BLOBS = "blobs"


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much fits: bytes of one frame with the version byte before it, and of a channel."""

    frame_bytes: int
    channel_bytes: int


CAPACITIES: Final = {
    # geth's pool takes transactions of 128 KiB.
    DataAvailability.CALLDATA: Capacity(frame_bytes=120_000, channel_bytes=480_000),
    DataAvailability.BLOBS: Capacity(
        frame_bytes=MAX_BLOB_DATA,
        channel_bytes=BLOBS_PER_TRANSACTION * (MAX_BLOB_DATA - 24),
    ),
}


def calldata_request(inbox: Address, data: bytes) -> TransactionRequest:
    """Return the transaction that carries one frame as calldata."""
    return TransactionRequest(inbox, data, calldata_gas(data))


def blob_requests(
    inbox: Address, pieces: Sequence[bytes], proof_version: int
) -> list[TransactionRequest]:
    """Return the transactions that carry frames in blobs, one in each.

    `proof_version` is what L1 takes now: BLOB_PROOFS, since Osaka CELL_PROOFS. Takes 80 ms a blob
    for the former, 260 ms for the latter.
    """
    requests = []
    for start in range(0, len(pieces), BLOBS_PER_TRANSACTION):
        blobs = [encode_blob(data) for data in pieces[start : start + BLOBS_PER_TRANSACTION]]
        sidecar = make_sidecar(blobs, proof_version)
        requests.append(TransactionRequest(inbox, b"", TRANSACTION_GAS, sidecar=sidecar))
    return requests

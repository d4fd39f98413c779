"""The transactions that carry frames to L1."""

import pytest

from consensus.batcher.data_availability import (
    BLOBS_PER_TRANSACTION,
    CAPACITIES,
    DataAvailability,
    blob_requests,
    calldata_request,
)
from consensus.codec.blob import decode_blob
from consensus.l1.fees import calldata_gas
from node.evm.blob_proofs import check_proofs
from node.types.blob_sidecar import BLOB_PROOFS, CELL_PROOFS
from tests.consensus.rollup import INBOX


def test_calldata() -> None:
    request = calldata_request(INBOX, b"\x00frame")
    assert (request.to, request.data, request.sidecar) == (INBOX, b"\x00frame", None)
    assert request.gas == calldata_gas(b"\x00frame")


@pytest.mark.parametrize(("version", "count"), [(BLOB_PROOFS, 7), (CELL_PROOFS, 1)])
def test_blobs(version: int, count: int) -> None:
    pieces = [b"\x00frame %d" % index for index in range(count)]
    requests = blob_requests(INBOX, pieces, version)
    sizes = [len(r.sidecar.blobs) for r in requests if r.sidecar is not None]
    assert sizes == ([BLOBS_PER_TRANSACTION, 1] if count == 7 else [1])
    found = []
    for request in requests:
        assert (request.to, request.data) == (INBOX, b"")
        assert request.sidecar is not None
        assert request.sidecar.version == version
        check_proofs(request.sidecar)
        found += [decode_blob(blob) for blob in request.sidecar.blobs]
    assert found == pieces


def test_a_full_channel_fills_the_blobs_of_one_transaction() -> None:
    capacity = CAPACITIES[DataAvailability.BLOBS]
    overhead = 24  # a version byte and a frame's own 23
    frames = -(-capacity.channel_bytes // (capacity.frame_bytes - overhead))
    assert frames == BLOBS_PER_TRANSACTION

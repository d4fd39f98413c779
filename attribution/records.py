"""Records for those who write and check them: the node's own types under one roof."""

from node.types.attribution_batch import batch_path, batch_root, is_in_batch, leaf_hash
from node.types.attribution_record import (
    FULL_WEIGHT,
    MAX_INFLUENCES,
    Influence,
    Method,
    Record,
    RecordError,
    commitment,
    decode_record,
    decode_records,
    encode_records,
)
from node.types.attribution_stream import (
    StreamState,
    credit_slot,
    stream_slot,
    unpack_stream,
)

__all__ = [
    "FULL_WEIGHT",
    "MAX_INFLUENCES",
    "Influence",
    "Method",
    "Record",
    "RecordError",
    "StreamState",
    "batch_path",
    "batch_root",
    "commitment",
    "credit_slot",
    "decode_record",
    "decode_records",
    "encode_records",
    "is_in_batch",
    "leaf_hash",
    "stream_slot",
    "unpack_stream",
]

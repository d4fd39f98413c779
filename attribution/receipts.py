"""Receipts as a gateway makes them."""

from collections.abc import Mapping

from attribution.records import Influence, Record
from attribution.refusals import BadRecord
from node.errors import InvalidInput
from node.types.primitives import Hash32


def receipt(amount_gwei: int, weights: Mapping[int, int], commitment: bytes) -> Record:
    """Return the receipt of one answer.

    `amount_gwei` is what it costs, in gwei of OPEN; `weights` what each dataset shaped of it, in
    basis points, at most 16 datasets and 10,000 together; `commitment` is of 32 bytes (see
    `attribution.preimages`). BadRecord says what is wrong.

    >>> receipt(1_000, {7: 2_500, 3: 5_000}, bytes(32)).influences[0]
    Influence(dataset=3, weight=5000)
    """
    try:
        influences = tuple(Influence(*pair) for pair in sorted(weights.items()))
        return Record(amount_gwei, influences, Hash32(commitment))
    except InvalidInput as error:
        raise BadRecord(str(error), index=0) from error

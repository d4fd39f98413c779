"""Bytes on L1 for each receipt, as our batcher writes them: span batches, brotli, calldata."""

from collections.abc import Callable

from attribution.calldata import encode_append
from attribution.records import Record
from bench.attribution.batches import plain, shaped
from bench.attribution.figure import Bound, Figure
from bench.attribution.network import Network
from node.types.attribution_call import ATTRIBUTION_ADDRESS

_BATCH = 100
_BLOCKS = 5
_STREAM = 0xB1B2B3B4B5B6B7B8

Make = Callable[[int, int], list[Record]]


def measure_l1_data(network: Network) -> tuple[Figure, ...]:
    """Post a few blocks of batches, one of each user in a block."""
    return (
        _figure(network, "no influences", 40, plain, 0),
        _figure(network, "2 influences", 45, shaped, 1),
    )


def _figure(network: Network, kind: str, demanded: int, make: Make, stream: int) -> Figure:
    receipts = _BATCH * _BLOCKS * len(network.users)
    size = network.l1_bytes(lambda: _append(network, make, _STREAM + stream))
    return Figure(
        f"L1 bytes for each receipt, {kind}",
        Bound.AT_MOST,
        demanded,
        size / receipts,
        f"{receipts:,} receipts in batches of {_BATCH}, all of the batcher's transactions counted",
    )


def _append(network: Network, make: Make, stream: int) -> None:
    for block in range(_BLOCKS):
        for index, user in enumerate(network.users):
            records = make(_BATCH, 1_000 + index * _BLOCKS + block)
            data = encode_append(stream, _BATCH * block, records)
            network.send(network.sign(user, ATTRIBUTION_ADDRESS, data, gas=1_000_000))
        network.mine()

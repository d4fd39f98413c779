"""How many blocks it takes until a receipt is in the statistics."""

from attribution.calldata import encode_append
from bench.attribution.batches import shaped
from bench.attribution.figure import Bound, Figure
from bench.attribution.settlement import Model
from node.types.attribution_call import ATTRIBUTION_ADDRESS

_MOST_BLOCKS = 10


class NeverSeen(Exception):
    """The statistics do not count receipts."""


def measure_visibility(model: Model) -> Figure:
    """Append, and count the blocks until `attribution_getModelStats` counts the receipts."""
    network = model.network
    records = shaped(10, 20, model.datasets)
    before = _receipts(model)
    data = encode_append(model.stream, model.count, records)
    model.count += len(records)
    network.send(network.sign(model.logger, ATTRIBUTION_ADDRESS, data))
    for blocks in range(1, _MOST_BLOCKS + 1):
        network.devnet.mine()
        if _receipts(model) == before + len(records):
            return Figure("blocks from append to statistics by RPC", Bound.AT_MOST, 1, blocks)
    raise NeverSeen(f"{len(records)} receipts are in no statistics after {_MOST_BLOCKS} blocks")


def _receipts(model: Model) -> int:
    answer = model.network.rpc("attribution_getModelStats", "0x" + model.key.hex())
    return int(answer["receipts"]["receipts"], 0)

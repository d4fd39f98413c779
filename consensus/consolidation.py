"""Whether a block that we hold is the one that derivation asks for (spec "L1-consolidation")."""

from node.types.block import Block
from node.types.payload import PayloadAttributes
from node.types.primitives import Hash32


def difference(block: Block, parent: Hash32, attributes: PayloadAttributes) -> str | None:
    """Return the first field in which `block` is not what `attributes` on `parent` would give.

    None if there is no such field: execution is deterministic, so the block is the derived one.
    """
    header = block.header
    pairs = (
        ("parentHash", header.parent_hash, parent),
        ("timestamp", header.timestamp, attributes.timestamp),
        ("mixHash", header.prev_randao, attributes.prev_randao),
        ("gasLimit", header.gas_limit, attributes.gas_limit),
        ("miner", header.coinbase, attributes.fee_recipient),
        ("extraData", header.extra_data, attributes.extra_data),
        (
            "parentBeaconBlockRoot",
            header.parent_beacon_block_root,
            attributes.parent_beacon_block_root,
        ),
        ("withdrawals", block.withdrawals, attributes.withdrawals),
    )
    for name, actual, expected in pairs:
        if actual != expected:
            return name
    ours = [tx.raw for tx in block.transactions]
    if ours != [tx.raw for tx in attributes.transactions]:
        return "transactions"
    return None

"""What a header may say: attributes against the parent before, every field against ours after.

Fields are named as in JSON-RPC, in the errors too.
"""

from node.config import ChainConfig
from node.errors import InvalidBlock
from node.execution.fees import decode_extra_data, next_base_fee, next_excess_blob_gas
from node.types.block import Header
from node.types.payload import PayloadAttributes

MIN_GAS_LIMIT = 5_000
MAX_GAS_LIMIT = 2**63 - 1
MAX_EXTRA_DATA = 32

_GAS_LIMIT_BOUND = 1_024

# In the order in which a difference says most about its cause.
_FIELDS = (
    ("parentHash", "parent_hash"),
    ("number", "number"),
    ("timestamp", "timestamp"),
    ("transactionsRoot", "transactions_root"),
    ("gasUsed", "gas_used"),
    ("receiptsRoot", "receipts_root"),
    ("logsBloom", "bloom"),
    ("stateRoot", "state_root"),
    ("withdrawalsRoot", "withdrawals_root"),
    ("requestsHash", "requests_hash"),
    ("blobGasUsed", "blob_gas_used"),
    ("excessBlobGas", "excess_blob_gas"),
    ("baseFeePerGas", "base_fee"),
    ("gasLimit", "gas_limit"),
    ("extraData", "extra_data"),
    ("miner", "coinbase"),
    ("mixHash", "prev_randao"),
    ("parentBeaconBlockRoot", "parent_beacon_block_root"),
    ("difficulty", "difficulty"),
    ("nonce", "nonce"),
    ("sha3Uncles", "ommers_hash"),
)


def check_attributes(config: ChainConfig, parent: Header, attributes: PayloadAttributes) -> None:
    """Check what a block is to be built from; InvalidBlock names the field."""
    if attributes.timestamp <= parent.timestamp:
        raise InvalidBlock("timestamp", f"more than {parent.timestamp}", attributes.timestamp)
    if config.rollup is not None:
        decode_extra_data(config, attributes.timestamp, attributes.extra_data)
        if attributes.withdrawals:
            raise InvalidBlock("withdrawals", "none on a rollup", len(attributes.withdrawals))
        return
    if len(attributes.extra_data) > MAX_EXTRA_DATA:
        raise InvalidBlock("extraData", f"at most {MAX_EXTRA_DATA} bytes", attributes.extra_data)
    _check_gas_limit(parent.gas_limit, attributes.gas_limit)


def _check_gas_limit(parent: int, gas_limit: int) -> None:
    bound = parent // _GAS_LIMIT_BOUND
    lowest = max(parent - bound + 1, MIN_GAS_LIMIT)
    highest = min(parent + bound - 1, MAX_GAS_LIMIT)
    if gas_limit != parent and not lowest <= gas_limit <= highest:
        raise InvalidBlock("gasLimit", f"{lowest} to {highest}", gas_limit)


def check_header(config: ChainConfig, parent: Header, header: Header) -> None:
    """Check, before anything runs, the fields of an imported header that the parent decides."""
    expected = {
        "parentHash": (parent.hash, header.parent_hash),
        "number": (parent.number + 1, header.number),
        "baseFeePerGas": (next_base_fee(config, parent), header.base_fee),
        "excessBlobGas": (
            next_excess_blob_gas(config, parent, header.timestamp),
            header.excess_blob_gas,
        ),
    }
    for field, (ours, theirs) in expected.items():
        if ours != theirs:
            raise InvalidBlock(field, ours, theirs)
    if header.gas_used > header.gas_limit:
        raise InvalidBlock("gasUsed", f"at most {header.gas_limit}", header.gas_used)


def check_same(ours: Header, theirs: Header) -> None:
    """Compare the header that execution gave with the one that was claimed, field by field."""
    if ours == theirs:
        return
    for field, attribute in _FIELDS:
        expected, actual = getattr(ours, attribute), getattr(theirs, attribute)
        if expected != actual:
            raise InvalidBlock(field, expected, actual)

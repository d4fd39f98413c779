"""The receipt precompile: appends records to the caller's streams and answers what they hold.

It follows py-evm's calling convention for precompiles. Gas is always charged before the work that
it pays for, in the order of this file; a user's mistake reverts with an ABI error and keeps the
rest of the gas, and only running out of gas takes all of it.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import NoReturn

from eth.abc import ComputationAPI
from eth.exceptions import Revert

from node.errors import DecodingError
from node.types.attribution_batch import LEAF_OVERHEAD, batch_root, leaf_prefix
from node.types.attribution_call import (
    APPENDED_TOPIC,
    ATTRIBUTION_ADDRESS,
    BAD_INPUT,
    BAD_RECORD,
    BAD_SEQUENCE,
    NOT_A_CALL,
    OVERFLOW,
    VALUE_NOT_ACCEPTED,
    AppendCall,
    CreditCall,
    HeadCall,
    appended_data,
    parse_call,
    words,
)
from node.types.attribution_record import commitment_end, read_head, read_influences
from node.types.attribution_stream import StreamState, credit_slot, stream_slot, unpack_stream
from node.types.primitives import Address, Hash32, keccak256

__all__ = ["ATTRIBUTION_ADDRESS", "MAX_LANE_CALLDATA", "lane_intrinsic_gas", "receipt_precompile"]

CALL_GAS = 700
"""Reading the fixed part of the call data, hashing the slot keys, returning the result."""
RECORD_GAS = 30
"""A record's fixed part: one KECCAK256 (its base price), amount and commitment."""
RECORD_WORD_GAS = 6
"""Hashing one 32-byte word of a leaf's preimage: KECCAK256's own price."""
INFLUENCE_GAS = 20
"""Reading an influence, checking it, adding its credit to the batch's sum."""
NODE_GAS = 48
"""An inner node: KECCAK256 of its 65 bytes, 30 + 3 x 6."""
COLD_SLOAD_GAS = 2100
"""First access to a slot in a transaction (EIP-2929)."""
WARM_SLOAD_GAS = 100
"""Later access to a slot (EIP-2929); also rewriting a slot already changed (EIP-2200)."""
SSTORE_SET_GAS = 20_000
"""Making a slot non-zero that was zero before the transaction (EIP-2200): state grows."""
SSTORE_RESET_GAS = 2900
"""Changing a slot in use for the first time in a transaction (EIP-2929: 5000 - 2100)."""
LOG_GAS = 375
"""A log entry."""
LOG_TOPIC_GAS = 375
"""A topic of a log, which also goes into the bloom filter."""
LOG_BYTE_GAS = 8
"""A byte of a log's data, kept in the receipt."""

_INTERRUPTIBLE = 1_000
"""So many records are read, or hashed, between two looks at whether to go on."""

TRANSACTION_GAS = 21_000
"""A transaction's signature, nonce and balance changes."""
MAX_LANE_CALLDATA = 128 * 1024
"""Bytes of calldata that one transaction may carry on the lane."""


def lane_intrinsic_gas(data_length: int, calldata_gas: int) -> int:
    """Return the intrinsic gas of a lane transaction, without its access list.

    Every calldata byte costs `calldata_gas`, zero or not, and no EIP-7623 floor applies.
    """
    return TRANSACTION_GAS + calldata_gas * data_length


def receipt_precompile(computation: ComputationAPI) -> ComputationAPI:
    """Run the precompile for the message of `computation`.

    The interpreter does not come here for an account that delegated itself to the address
    (EIP-7702): as with every precompile, that runs nothing.
    """
    message = computation.msg
    computation.consume_gas(CALL_GAS, "receipts: call")
    if message.code_address != message.storage_address:
        _revert(computation, NOT_A_CALL)
    if message.value:
        _revert(computation, VALUE_NOT_ACCEPTED)
    # Perhaps a view of the caller's memory: a copy would cost time that nobody has paid for.
    data: bytes | memoryview = message.data
    try:
        call = parse_call(data)
    except DecodingError:
        _revert(computation, BAD_INPUT)
    if isinstance(call, HeadCall):
        state = unpack_stream(_load(computation, stream_slot(call.logger, call.stream)))
        computation.output = words(state.count, state.amount, state.credited)
    elif isinstance(call, CreditCall):
        slot = credit_slot(call.logger, call.stream, call.dataset)
        computation.output = words(_load(computation, slot))
    elif message.is_static:
        _revert(computation, NOT_A_CALL)
    else:
        _append(computation, Address(message.sender), call, data)
    return computation


@dataclass(frozen=True, slots=True)
class _Batch:
    """What the records of a call add up to; `spans` are their places in the call data."""

    spans: list[tuple[int, int]]
    amount: int
    credits: dict[int, int]


def _append(
    computation: ComputationAPI, logger: Address, call: AppendCall, data: bytes | memoryview
) -> None:
    batch = _read_batch(computation, call, data)
    count = len(batch.spans)
    computation.consume_gas(NODE_GAS * (count - 1), "receipts: inner nodes")
    slot = stream_slot(logger, call.stream)
    word = _load(computation, slot)
    before = unpack_stream(word)
    if call.from_seq != before.count:
        _revert(computation, BAD_SEQUENCE + words(before.count))
    after = StreamState(
        count=before.count + count,
        amount=before.amount + batch.amount,
        credited=before.credited + sum(batch.credits.values()),
    )
    if not after.fits:
        _revert(computation, OVERFLOW)
    _store(computation, slot, word, after.pack())
    for dataset, credit in sorted(batch.credits.items()):
        slot = credit_slot(logger, call.stream, dataset)
        word = _load(computation, slot)
        # A stream's credited sum bounds each of its credits, so this addition cannot overflow.
        _store(computation, slot, word, word + credit)
    root = _root(computation, logger, call, batch, data)
    _log(computation, logger, call.stream, appended_data(call.from_seq, count, batch.amount, root))
    computation.output = words(after.count, batch.amount) + root


def _read_batch(computation: ComputationAPI, call: AppendCall, data: bytes | memoryview) -> _Batch:
    """Read and check the records, paying for each part of a record before looking at it.

    Where a bad record is found decides what was paid by then, so the order here is consensus.
    """
    spans: list[tuple[int, int]] = []
    credited: defaultdict[int, int] = defaultdict(int)
    total = 0
    start, limit = call.start, call.end
    interrupt = computation.state.execution_context.interrupt
    while start < limit:
        if not len(spans) % _INTERRUPTIBLE:
            interrupt()
        computation.consume_gas(RECORD_GAS, "receipts: record")
        try:
            amount, influences, cursor = read_head(data, start, limit)
            computation.consume_gas(INFLUENCE_GAS * influences, "receipts: influences")
            pairs, cursor = read_influences(data, cursor, limit, influences)
            end = commitment_end(cursor, limit)
        except DecodingError:
            _revert(computation, BAD_RECORD + words(len(spans)))
        leaf_words = (LEAF_OVERHEAD + end - start + 31) // 32
        computation.consume_gas(RECORD_WORD_GAS * leaf_words, "receipts: leaf")
        total += amount
        if amount:  # a zero delta touches no slot
            for dataset, weight in pairs:
                credited[dataset] += amount * weight
        spans.append((start, end))
        start = end
    return _Batch(spans, total, credited)


def _root(
    computation: ComputationAPI,
    logger: Address,
    call: AppendCall,
    batch: _Batch,
    data: bytes | memoryview,
) -> Hash32:
    interrupt = computation.state.execution_context.interrupt
    prefix = leaf_prefix(logger, call.stream)
    leaves: list[Hash32] = []
    for first in range(0, len(batch.spans), _INTERRUPTIBLE):
        interrupt()
        spans = batch.spans[first : first + _INTERRUPTIBLE]
        leaves += [
            keccak256(prefix + seq.to_bytes(8, "big") + data[start:end])
            for seq, (start, end) in enumerate(spans, call.from_seq + first)
        ]
    return batch_root(leaves)


def _load(computation: ComputationAPI, slot: int) -> int:
    """Read a slot at the price of SLOAD (EIP-2929)."""
    state = computation.state
    if state.is_storage_warm(ATTRIBUTION_ADDRESS, slot):
        computation.consume_gas(WARM_SLOAD_GAS, "receipts: warm slot")
    else:
        computation.consume_gas(COLD_SLOAD_GAS, "receipts: cold slot")
        state.mark_storage_warm(ATTRIBUTION_ADDRESS, slot)
    value: int = state.get_storage(ATTRIBUTION_ADDRESS, slot)
    return value


def _store(computation: ComputationAPI, slot: int, current: int, value: int) -> None:
    """Write a slot that was just read, at the price of SSTORE (EIP-2200, 2929, 3529).

    All values of a stream only grow: the new value differs from the current and from the original
    one and is never zero, so the cases of SSTORE that earn a refund or change nothing cannot
    occur. Its rule that 2300 gas must be left cannot be observed: the log behind costs more.
    """
    state = computation.state
    original = state.get_storage(ATTRIBUTION_ADDRESS, slot, from_journal=False)
    if original != current:
        computation.consume_gas(WARM_SLOAD_GAS, "receipts: slot changed before")
    elif original == 0:
        computation.consume_gas(SSTORE_SET_GAS, "receipts: new slot")
    else:
        computation.consume_gas(SSTORE_RESET_GAS, "receipts: slot")
    state.set_storage(ATTRIBUTION_ADDRESS, slot, value)


def _log(computation: ComputationAPI, logger: Address, stream: int, data: bytes) -> None:
    topics = (int.from_bytes(APPENDED_TOPIC, "big"), int.from_bytes(logger, "big"), stream)
    gas = LOG_GAS + LOG_TOPIC_GAS * len(topics) + LOG_BYTE_GAS * len(data)
    computation.consume_gas(gas, "receipts: log")
    computation.add_log_entry(ATTRIBUTION_ADDRESS, topics, data)


def _revert(computation: ComputationAPI, error: bytes) -> NoReturn:
    computation.output = error
    raise Revert(error)

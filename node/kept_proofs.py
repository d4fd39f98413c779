"""What proofs of receipts need of blocks and states that are pruned: kept when those are let go.

A batch's records and receipt go with its block's body, the way from its block to the block of an
output with that one's state. Nothing that is pruned is ever unwound, so that no entry is; and which
blocks have outputs is fixed by the oracle's terms, whatever becomes of an output. Entries of
KEPT_PROOFS, all sealed:

| key                | what                                                                      |
|--------------------|---------------------------------------------------------------------------|
| 00, place          | a batch: logger, stream, first number, records, trie nodes to its receipt |
| 01, later, earlier | trie nodes from the history contract's storage to the slot of `earlier`   |
| 02, later          | trie nodes from the state of block `later` to the history contract        |
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from node.attribution_entries import BATCH, Place, block_key, decode_batch, decode_keys
from node.block_store import get_block, get_receipts
from node.errors import CorruptStore, DecodingError
from node.genesis.system_contracts import HISTORY_STORAGE_ADDRESS
from node.output_schedule import OutputSchedule
from node.state.linked_node import Reference
from node.state.proofs import account_proof, ordered_proof, storage_proof, storage_root
from node.storage.database import Snapshot, WriteTransaction
from node.storage.node_table import stored_node
from node.storage.schema import Table, number_key
from node.storage.seal import seal, unseal
from node.types.attribution_call import ATTRIBUTION_ADDRESS, AppendCall, parse_call
from node.types.primitives import Address, BlockNumber, Hash32
from node.types.rlp_codec import (
    Decoded,
    RlpItem,
    as_bytes,
    as_list,
    as_uint,
    decode,
    encode,
    encode_uint,
)

_SLOTS = 8191  # of EIP-2935's contract, each with the hash of a block
HISTORY_WINDOW = _SLOTS
"""How far back a state knows the hashes of blocks: so far a step of a proof goes."""

_BATCH, _STEP, _CONTRACT = (bytes([kind]) for kind in range(3))


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """Encoded `records` of a stream from `from_seq` on, and nodes from their block's receipts root
    to the receipt that holds their event.
    """

    logger: Address
    stream: int
    from_seq: int
    records: bytes
    receipt_proof: tuple[bytes, ...]


def history_slot(number: int) -> int:
    """Return where the history contract keeps the hash of a block (EIP-2935)."""
    return number % _SLOTS


def keep_batches(tx: WriteTransaction, number: BlockNumber, block_hash: Hash32) -> None:
    """Keep the batches of a canonical block whose body and receipts are about to go.

    Those that contracts wrote are left out: no block holds their records.
    """
    key = block_key(number)
    stored = tx.get(Table.ATTRIBUTION, key)
    entries = [] if stored is None else decode_keys(key, stored)
    places = [_place(tx, entry) for entry in entries if entry[:1] == BATCH]
    if not places:
        return
    block = get_block(tx, block_hash)
    if block is None:
        raise CorruptStore(f"header of block 0x{block_hash.hex()}: it is missing")
    receipts = [receipt.encode() for receipt in get_receipts(tx, block)]
    for place in places:
        transaction = block.transactions[place.transaction_index]
        if transaction.to != ATTRIBUTION_ADDRESS:
            continue
        call = parse_call(transaction.data)
        assert isinstance(call, AppendCall), "only append writes a log"
        value: list[RlpItem] = [
            transaction.sender,
            encode_uint(call.stream),
            encode_uint(call.from_seq),
            transaction.data[call.start : call.end],
            list(ordered_proof(receipts, place.transaction_index)),
        ]
        _put(tx, _BATCH + place.encode(), value)


def keep_history(
    tx: WriteTransaction, schedule: OutputSchedule, later: BlockNumber, state: Reference | None
) -> None:
    """Keep what shows the hashes of earlier blocks with batches in block `later`'s state, which is
    about to go.

    Only if proofs go by that state: it is that of an output's block, or whole windows before it.
    """
    output = schedule.block_for(later)
    if (output - later) % HISTORY_WINDOW:
        return
    first = output - schedule.interval + 1
    earlier = set(_blocks_with_batches(tx, max(first, later - HISTORY_WINDOW), later))
    if later - HISTORY_WINDOW >= first:
        earlier.add(later - HISTORY_WINDOW)
    if not earlier:
        return
    nodes = partial(stored_node, tx)
    contract = account_proof(nodes, state, HISTORY_STORAGE_ADDRESS)
    _put(tx, _CONTRACT + number_key(later), list(contract))
    root = storage_root(nodes, state, HISTORY_STORAGE_ADDRESS)
    for number in sorted(earlier):
        path = storage_proof(nodes, root, history_slot(number))
        _put(tx, _STEP + number_key(later) + number_key(number), list(path))


def kept_batch(snapshot: Snapshot, place: Place) -> KeptBatch | None:
    """Return the batch at a place in a pruned block, None if it is not kept."""
    items = _get(snapshot, _BATCH + place.encode())
    if items is None:
        return None
    logger, stream, from_seq, records, nodes = items
    return KeptBatch(
        logger=Address(as_bytes(logger, "logger", 20)),
        stream=as_uint(stream, "stream"),
        from_seq=as_uint(from_seq, "from_seq"),
        records=as_bytes(records, "records"),
        receipt_proof=_nodes(as_list(nodes, "nodes")),
    )


def kept_step(
    snapshot: Snapshot, later: int, earlier: int
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]] | None:
    """Return the nodes to the history contract in the pruned state of block `later`, and there to
    the hash of block `earlier`; None if they are not kept.
    """
    contract = _get(snapshot, _CONTRACT + number_key(later))
    slot = _get(snapshot, _STEP + number_key(later) + number_key(earlier))
    if contract is None or slot is None:
        return None
    return _nodes(contract), _nodes(slot)


def _place(tx: WriteTransaction, key: bytes) -> Place:
    stored = tx.get(Table.ATTRIBUTION, key)
    if stored is None:
        raise CorruptStore(f"{Table.ATTRIBUTION}: entry 0x{key.hex()} is missing")
    return decode_batch(key, stored).place


def _blocks_with_batches(tx: WriteTransaction, first: int, end: int) -> Iterator[int]:
    start = _BATCH + number_key(max(first, 0))
    for key, _ in tx.items(Table.KEPT_PROOFS, start, prefix=_BATCH):
        number = int.from_bytes(key[1:9], "big")
        if number >= end:
            return
        yield number


def _put(tx: WriteTransaction, key: bytes, value: RlpItem) -> None:
    tx.put(Table.KEPT_PROOFS, key, seal(key, encode(value)))


def _get(snapshot: Snapshot, key: bytes) -> list[Decoded] | None:
    stored = snapshot.get(Table.KEPT_PROOFS, key)
    if stored is None:
        return None
    try:
        return as_list(decode(unseal(Table.KEPT_PROOFS, key, stored), 2), "kept proof")
    except DecodingError as error:
        raise CorruptStore(f"{Table.KEPT_PROOFS}: entry 0x{key.hex()}: {error}") from error


def _nodes(items: list[Decoded]) -> tuple[bytes, ...]:
    return tuple(as_bytes(item, "node") for item in items)

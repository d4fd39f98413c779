"""Where attribution is on the chain: written in the commit of each block, taken back with it.

Receipt batches by stream, events of the AttributionHub by kind and argument, and who gave accounts
most of what they have. Addresses and topics are kept as they are: their meaning belongs to the
`attribution` package. Blocks that are pruned stay in the index, so that registry and totals do.

An account is funded by a transaction that names it as its receiver and carries more than it had
before the block; and by the one that creates it. Smaller payments, money that contracts pass on (a
disperser, the bridge), fees and mints to oneself are not seen.
"""

from collections.abc import Callable, Iterator

from node.attribution_entries import (
    HUB_LOG,
    Batch,
    HubLog,
    Place,
    argument_prefix,
    batch_key,
    block_key,
    decode_keys,
    encode_batch,
    encode_hub_log,
    encode_keys,
    funding_key,
    named_prefix,
)
from node.errors import CriticalError
from node.execution.transition import ExecutedBlock
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS
from node.state.view import Account
from node.storage.database import Snapshot, WriteTransaction
from node.storage.schema import Table, number_key
from node.storage.seal import seal, unseal
from node.types.attribution_call import APPENDED_TOPIC, ATTRIBUTION_ADDRESS, AppendCall, parse_call
from node.types.attribution_summary import BatchSummary, summarise
from node.types.block import AnyTransaction, Block
from node.types.primitives import Address, BlockNumber
from node.types.receipt import Log, Receipt
from node.types.transaction import DEPOSIT

_VERSION = 1
_STATUS_KEY = b"attribution_index"

Entries = dict[bytes, bytes]
MoneyBefore = Callable[[Address], int | None]
"""What an account had before a block that changed it, in wei; None if the block did not."""


def begin(tx: WriteTransaction, first: int = 1) -> None:
    """Note that the index has all blocks from `first` on."""
    status = bytes([_VERSION]) + number_key(first)
    tx.put(Table.META, _STATUS_KEY, seal(_STATUS_KEY, status))


def end(tx: WriteTransaction) -> None:
    """Note that there is no index: some of its blocks may be missing."""
    tx.delete(Table.META, _STATUS_KEY)


def first_indexed(snapshot: Snapshot) -> BlockNumber | None:
    """Return from which block on the index is whole; None if there is none of this version."""
    raw = snapshot.get(Table.META, _STATUS_KEY)
    status = b"" if raw is None else unseal(Table.META, _STATUS_KEY, raw)
    if status[:1] != bytes([_VERSION]):
        return None
    return BlockNumber(int.from_bytes(status[1:], "big"))


def check_indexed(snapshot: Snapshot) -> BlockNumber:
    """Return from which block on the index is whole; CriticalError if there is none."""
    first = first_indexed(snapshot)
    if first is None:
        raise CriticalError("the store has no attribution index: it is made when a node starts")
    return first


def add_executed(tx: WriteTransaction, executed: ExecutedBlock) -> None:
    """Index a new canonical block."""
    before, after = executed.changes.previous_accounts, executed.changes.accounts

    def money_before(address: Address) -> int | None:
        return balance_of(before[address]) if address in after else None

    add_block(tx, executed.block, executed.receipts, money_before)


def balance_of(account: Account | None) -> int:
    """Return what an account has, which may not exist."""
    return 0 if account is None else account.balance


def add_block(
    tx: WriteTransaction, block: Block, receipts: tuple[Receipt, ...], money_before: MoneyBefore
) -> None:
    """Index a canonical block, on top of those that are indexed."""
    entries: Entries = {}
    for index, (transaction, receipt) in enumerate(zip(block.transactions, receipts, strict=True)):
        for log_index, log in enumerate(receipt.logs):
            if log.address in (ATTRIBUTION_ADDRESS, ATTRIBUTION_HUB_ADDRESS):
                place = Place(block.number, index, log_index)
                entries.update(_log_entries(place, block.header.timestamp, transaction, log))
        if receipt.status and (transaction.value or transaction.to is None):
            account = _funded(transaction, receipt, money_before)
            if account is not None:
                entries[funding_key(account, block.number, index)] = transaction.sender
    if not entries:
        return
    for key, value in entries.items():
        tx.put(Table.ATTRIBUTION, key, seal(key, value))
    key, value = block_key(block.number), encode_keys(entries)
    tx.put(Table.ATTRIBUTION, key, seal(key, value))


def remove_block(tx: WriteTransaction, number: int) -> None:
    """Take back what the newest indexed block has added, if it has."""
    key = block_key(number)
    stored = tx.get(Table.ATTRIBUTION, key)
    if stored is None:
        return
    for entry in decode_keys(key, stored):
        tx.delete(Table.ATTRIBUTION, entry)
    tx.delete(Table.ATTRIBUTION, key)


def _log_entries(
    place: Place, timestamp: int, transaction: AnyTransaction, log: Log
) -> Iterator[tuple[bytes, bytes]]:
    is_deposit = transaction.type == DEPOSIT
    if log.address == ATTRIBUTION_HUB_ADDRESS:
        hub_log = HubLog(place, timestamp, is_deposit, log.topics, log.data)
        yield HUB_LOG + place.encode(), encode_hub_log(hub_log)
        for position, topic in enumerate(log.topics):
            argument = topic if position else b""
            yield argument_prefix(log.topics[0], position, argument) + place.encode(), b""
    elif log.topics[:1] == (APPENDED_TOPIC,):
        batch = _batch(place, timestamp, is_deposit, transaction, log)
        key = batch_key(batch.logger, batch.stream, batch.from_seq)
        yield key, encode_batch(batch)
        for dataset in () if batch.summary is None else batch.summary.datasets:
            yield named_prefix(dataset) + key[1:], b""


def _batch(
    place: Place, timestamp: int, is_deposit: bool, transaction: AnyTransaction, log: Log
) -> Batch:
    from_seq, count, amount = (
        int.from_bytes(log.data[start : start + 32], "big") for start in (0, 32, 64)
    )
    return Batch(
        logger=Address(log.topics[1][12:]),
        stream=int.from_bytes(log.topics[2], "big"),
        from_seq=from_seq,
        place=place,
        timestamp=timestamp,
        is_deposit=is_deposit,
        count=count,
        amount=amount,
        summary=_summary(transaction),
    )


def _summary(transaction: AnyTransaction) -> BatchSummary | None:
    """Read the records of a transaction to the precompile; a contract's are nowhere to be read."""
    if transaction.to != ATTRIBUTION_ADDRESS:
        return None
    call = parse_call(transaction.data)
    assert isinstance(call, AppendCall), "only append writes a log"
    return summarise(transaction.data[call.start : call.end])


def _funded(
    transaction: AnyTransaction, receipt: Receipt, money_before: MoneyBefore
) -> Address | None:
    """Return the account that a transaction funds, None if it funds none."""
    if transaction.to is None:
        return receipt.contract_address
    before = None if transaction.to == transaction.sender else money_before(transaction.to)
    return None if before is None or transaction.value <= before else transaction.to

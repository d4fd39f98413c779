"""What must be true of a store that was left by a killed writer."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.attribution_index import remove_block
from node.attribution_rebuild import add_stored
from node.engine import Engine
from node.history import first_kept
from node.reader import Reader
from node.replay import replay
from node.state.flat_check import check_flat_state
from node.state.trie_state import stored_state
from node.storage.database import Database, Snapshot
from node.storage.node_table import state_root
from node.storage.schema import Table, flat_state_root
from node.types.block import Header
from node.types.primitives import Address, BlockNumber, Hash32
from rpc.dispatcher import Dispatcher
from tests.crash.client import as_text
from tests.crash.commits import Commit, Model, commit_number, newest_safe_head
from tests.crash.store import UNDO_BLOCKS, open_store

_REPLAYED_BELOW = 3
_REINDEXED = 30


@dataclass(frozen=True, slots=True)
class Shown:
    """Answers that the writer's clients have got."""

    blocks: tuple[dict[str, Any], ...] = ()
    receipts: tuple[dict[str, Any], ...] = ()

    def __add__(self, other: "Shown") -> "Shown":
        return Shown(self.blocks + other.blocks, self.receipts + other.receipts)

    def kept(self, first: int, model: Model) -> "Shown":
        """Return what was shown of the first block that is kept, and of all blocks above it."""

        def is_kept(number: str, block_hash: str) -> bool:
            height = int(number, 16)
            return height > first or block_hash == "0x" + model.hashes[first].hex()

        return Shown(
            tuple(block for block in self.blocks if is_kept(block["number"], block["hash"])),
            tuple(one for one in self.receipts if is_kept(one["blockNumber"], one["blockHash"])),
        )

    def hashes(self) -> set[str]:
        """Return the hashes of all blocks that were seen, in whatever answer."""
        return {block["hash"] for block in self.blocks} | {
            receipt["blockHash"] for receipt in self.receipts
        }


def audit(path: Path, model: Model, announced: Sequence[Commit], shown: Shown, first: int) -> int:
    """Return how many of the announced commits are there; AssertionError says what is wrong.

    `model` is the chain before them. Blocks are executed again from `first`, or where they differ
    from the model; what was shown before them is looked for on the chain as well.
    """
    with open_store(path) as store:
        engine, reader = store.chain.engine, store.chain.reader
        newest = newest_safe_head(store.database)
        committed = commit_number(newest) - model.commits
        assert 0 <= committed <= len(announced), "commits are lost, or were never announced"
        fork = min([len(model.hashes), *(c.parent + 1 for c in announced[:committed])])
        model.apply(announced[:committed])
        _check_acknowledged(announced, committed, shown)
        _check_heads(engine, reader, model)
        assert newest == model.safe_head, "the safe head's L1 block is of another commit"
        with store.database.read() as snapshot:
            kept = first_kept(snapshot)
            _check_chain(snapshot, model, kept)
            _check_state(snapshot, reader.head_header())
        # The first block that is kept has no parent state to be executed on.
        lowest = kept + 1 if kept else 0
        _check_attribution(store.database, kept, reader.heads().unsafe.number)
        _check_blocks(reader, max(lowest, min(first, fork - _REPLAYED_BELOW)))
        _check_pruned(reader, kept, shown)
        asyncio.run(_check_answers(store.dispatcher, model, shown.kept(kept, model)))
    return committed


def _check_acknowledged(announced: Sequence[Commit], committed: int, shown: Shown) -> None:
    """A block that was seen was committed, and everything before it."""
    seen = shown.hashes()
    lost = [commit for commit in announced[committed:] if "0x" + commit.hash in seen]
    known = {commit.hash for commit in announced[:committed]}
    # Moving a head shows no new block: that a later commit names one that was there is no loss.
    lost = [commit for commit in lost if commit.hash not in known and commit.head > commit.parent]
    assert not lost, f"blocks that were shown are lost: {lost}"


def _check_heads(engine: Engine, reader: Reader, model: Model) -> None:
    assert engine.heads == reader.heads() == model.heads, "the heads are of another commit"


def _check_chain(snapshot: Snapshot, model: Model, kept: int) -> None:
    """The tables hold this chain's entries, and no others."""
    canonical = [Hash32(value) for _, value in snapshot.items(Table.CANONICAL)]
    assert canonical == model.hashes, "the canonical chain is of another commit"
    on_chain = set(canonical)
    for key, place in snapshot.items(Table.TRANSACTIONS):
        assert place[:32] in on_chain, f"transaction 0x{key.hex()} is indexed in an unwound block"
    undo = {key for key, _ in snapshot.items(Table.UNDO)}
    oldest = max(0, model.highest - UNDO_BLOCKS + 1)  # what was deleted does not come back
    assert undo == set(canonical[max(oldest, kept + 1) :]), "undo records are of another commit"


def _check_attribution(database: Database, kept: int, head: int) -> None:
    """The attribution index is what the newest blocks give, whatever was committed of others."""
    lowest = max(kept, head - _REINDEXED)
    with suppress(_TakenBack), database.write() as tx:
        written = dict(tx.items(Table.ATTRIBUTION))
        for number in range(head, lowest, -1):
            remove_block(tx, number)
        for number in range(lowest + 1, head + 1):
            add_stored(tx, number)
        made = dict(tx.items(Table.ATTRIBUTION))
        assert made == written, "the attribution index is of another commit"
        raise _TakenBack


class _TakenBack(Exception):
    """Ends a transaction that is not to be committed."""


def _check_state(snapshot: Snapshot, head: Header) -> None:
    """The flat state is the head's, and the head's tries hold the same."""
    assert flat_state_root(snapshot) == head.state_root, "the flat state is of another commit"
    check_flat_state(snapshot, head.state_root)
    tries = stored_state(snapshot, state_root(snapshot, head.hash, head.state_root))
    for key, raw in snapshot.items(Table.ACCOUNTS):
        account = tries.account(Address(key))
        assert account is not None and account.encode() == raw
        tries.code(account.code_hash)
    for key, raw in snapshot.items(Table.STORAGE):
        value = tries.storage(Address(key[:20]), int.from_bytes(key[20:], "big"))
        assert value == int.from_bytes(raw, "big")


def _check_blocks(reader: Reader, first: int) -> None:
    """Headers, bodies, receipts, indices and states are what execution gives."""
    for report in replay(reader, BlockNumber(first), reader.heads().unsafe.number):
        assert report.difference is None, f"block {report.number}: {report.difference}"


def _check_pruned(reader: Reader, kept: int, shown: Shown) -> None:
    """Of blocks that were pruned by intent the header stays."""
    for block in shown.blocks:
        if int(block["number"], 16) < kept:
            assert reader.header_by_hash(Hash32(bytes.fromhex(block["hash"][2:]))) is not None


async def _check_answers(dispatcher: Dispatcher, model: Model, shown: Shown) -> None:
    canonical = {"0x" + block_hash.hex() for block_hash in model.hashes}

    async def call(method: str, *params: Any) -> Any:
        return await dispatcher.call(method, list(params))

    for block in shown.blocks:
        again = await call("eth_getBlockByHash", block["hash"], False)
        assert as_text(again) == as_text(block), f"block {block['hash']} was shown otherwise"
    for receipt in shown.receipts:
        place = receipt["blockHash"]
        if place in canonical:
            found = await call("eth_getTransactionReceipt", receipt["transactionHash"])
        else:  # the block was replaced since, but does not vanish
            found = _with_index(
                await call("eth_getBlockReceipts", place), receipt["transactionIndex"]
            )
        assert as_text(found) == as_text(receipt), f"{receipt['transactionHash']}: not as shown"


def _with_index(receipts: Iterable[dict[str, Any]] | None, index: str) -> dict[str, Any] | None:
    return next((one for one in receipts or () if one["transactionIndex"] == index), None)

"""Re-executing blocks and comparing everything: those of a store, of a file, or from anywhere."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from node.chain_file import read_blocks
from node.difference import BlockReport, Difference, Differs
from node.errors import InvalidInput
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from node.genesis.genesis import Genesis
from node.reader import Reader
from node.replayed_chain import ReplayedChain
from node.stored_replay import replay_stored_block
from node.types.block import Block
from node.types.primitives import BlockNumber, Hash32

__all__ = ["BlockReport", "Difference", "Differs", "replay", "replay_blocks", "replay_file"]


def replay(
    reader: Reader, first: BlockNumber, last: BlockNumber, *, upto: Hash32 | None = None
) -> Iterator[BlockReport]:
    """Check canonical blocks `first` to `last`; the first one that differs ends it.

    With `upto` that transaction, which must be in one of them, is the last to be executed: the
    report of its block counts what was, and the block's header is compared only if nothing is
    missing. InvalidInput if it is in none.
    """
    stop, count = (last, None) if upto is None else _place(reader, first, last, upto)
    for number in range(first, stop + 1):
        with reader.snapshot() as snapshot:
            report = replay_stored_block(
                reader.config,
                reader.interpreter,
                snapshot,
                BlockNumber(number),
                count if number == stop else None,
            )
        yield report
        if report.difference is not None:
            return


def _place(
    reader: Reader, first: BlockNumber, last: BlockNumber, tx_hash: Hash32
) -> tuple[BlockNumber, int]:
    found = reader.transaction(tx_hash)
    if found is None or not first <= found.block.number <= last:
        raise InvalidInput(f"transaction 0x{tx_hash.hex()} is in none of blocks {first} to {last}")
    return found.block.number, found.index + 1


def replay_blocks(
    blocks: Iterable[Block],
    genesis: Genesis,
    interpreter: Interpreter = DEFAULT_INTERPRETER,
    *,
    upto: Hash32 | None = None,
) -> Iterator[BlockReport]:
    """Execute blocks from genesis on; the first one that differs ends it.

    They may begin with block 0, which must be the genesis's. With `upto` that transaction is the
    last to be executed, and its block is reported as far as that. InvalidInput if there is no such
    transaction. Only a successor tells that the last block is not the one meant: compare its hash.
    """
    with ReplayedChain.open(genesis, interpreter) as chain:
        for block in blocks:
            count = _count(block, upto)
            report = _report(chain, block, count)
            yield report
            if report.difference is not None or count is not None:
                return
    if upto is not None:
        raise InvalidInput(f"transaction 0x{upto.hex()} is in none of the blocks")


def replay_file(
    path: Path, genesis: Genesis, interpreter: Interpreter = DEFAULT_INTERPRETER
) -> Iterator[BlockReport]:
    """Execute the blocks of a file as `replay_blocks` does.

    DecodingError if it holds something else than blocks.
    """
    return replay_blocks(read_blocks(path), genesis, interpreter)


def _count(block: Block, upto: Hash32 | None) -> int | None:
    """Return how many of the transactions come up to a certain one, None if it is not there."""
    hashes = [tx.hash for tx in block.transactions]
    return hashes.index(upto) + 1 if upto is not None and upto in hashes else None


def _report(chain: ReplayedChain, block: Block, count: int | None) -> BlockReport:
    difference, gas_used = None, block.header.gas_used
    try:
        if block.number == chain.head.number == 0:
            if block.hash != chain.head.hash:
                raise Differs("hash", chain.head.hash, block.hash)
        elif block.header.parent_hash != chain.head.hash:
            raise Differs("parentHash", chain.head.hash, block.header.parent_hash)
        elif count in (None, len(block.transactions)):
            chain.add(block)
        else:
            gas_used = sum(receipt.gas_used for receipt in chain.execute_part(block, count))
    except Differs as found:
        difference = found.difference
    executed = len(block.transactions) if count is None else count
    return BlockReport(block.number, block.hash, executed, gas_used, difference)

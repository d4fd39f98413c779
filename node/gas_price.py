"""What to pay for gas: a tip suggested from recent blocks, and eth_feeHistory's numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from node.config import ChainConfig
from node.errors import CorruptStore, InvalidInput
from node.execution.fees import (
    GAS_PER_BLOB,
    blob_base_fee,
    blob_base_fee_at,
    next_base_fee,
    next_excess_blob_gas,
)
from node.reader import Reader
from node.types.block import AnyTransaction, Block, Header
from node.types.deposit import DepositTransaction
from node.types.primitives import BlockNumber

MAX_HISTORY_BLOCKS = 1024
SAMPLED_BLOCKS = 20
PERCENTILE = 60
MIN_TIP = 1_000_000  # wei; a tip of zero would leave the order of a full block to chance
MAX_TIP = 500 * 10**9  # wei; a few senders' mistakes should not become everybody's
MAX_PERCENTILES = 100


@dataclass(frozen=True, slots=True)
class FeeHistory:
    """Fees of consecutive blocks, oldest first. Fees in wei, ratios between 0 and 1.

    `base_fees` and `blob_base_fees` have one entry more than there are blocks: the next block's.
    `rewards` holds, for each block, the tip at each percentile of the gas that signed transactions
    used (deposits pay no tip); None if no percentiles were asked for.
    """

    oldest: BlockNumber
    base_fees: tuple[int, ...]
    gas_used_ratios: tuple[float, ...]
    blob_base_fees: tuple[int, ...]
    blob_gas_used_ratios: tuple[float, ...]
    rewards: tuple[tuple[int, ...], ...] | None


def suggest_priority_fee(reader: Reader) -> int:
    """Return a tip in wei that recent blocks accepted, from `MIN_TIP` to `MAX_TIP`."""
    newest = reader.heads().unsafe.number
    tips: list[int] = []
    oldest = max(newest - SAMPLED_BLOCKS + 1, reader.first_kept(), 1)
    for number in range(newest, oldest - 1, -1):
        block = reader.block_by_number(BlockNumber(number))
        if block is not None:
            tips += [_tip(tx, block.header) for tx in block.transactions if not _is_deposit(tx)]
    if not tips:
        return MIN_TIP
    tips.sort()
    return min(max(tips[(len(tips) - 1) * PERCENTILE // 100], MIN_TIP), MAX_TIP)


def fee_history(
    reader: Reader,
    config: ChainConfig,
    count: int,
    newest: BlockNumber,
    percentiles: Sequence[float] | None,
) -> FeeHistory:
    """Return the fees of the `count` blocks that end with `newest` (fewer where blocks begin).

    InvalidInput for a negative count, a block beyond the head, or percentiles that do not ascend
    from 0 to 100; PrunedHistory if `newest` is older than what is kept. More than
    MAX_HISTORY_BLOCKS are never returned.
    """
    _check_percentiles(percentiles)
    if count < 0:
        raise InvalidInput(f"expected a number of blocks of at least 0, got {count}")
    count = min(count, MAX_HISTORY_BLOCKS, newest + 1)
    oldest = BlockNumber(max(newest - count + 1, min(reader.first_kept(), newest)))
    blocks = [_canonical(reader, BlockNumber(n)) for n in range(oldest, newest + 1)]
    headers = [block.header for block in blocks]
    rewards = None
    if percentiles is not None:
        rewards = tuple(_rewards(reader, block, percentiles) for block in blocks)
    next_base_fees = (next_base_fee(config, headers[-1]),) if headers else ()
    return FeeHistory(
        oldest=oldest,
        base_fees=(*(header.base_fee for header in headers), *next_base_fees),
        gas_used_ratios=tuple(header.gas_used / header.gas_limit for header in headers),
        blob_base_fees=_blob_base_fees(config, headers),
        blob_gas_used_ratios=tuple(_blob_ratio(config, header) for header in headers),
        rewards=rewards,
    )


def _check_percentiles(percentiles: Sequence[float] | None) -> None:
    if percentiles is None:
        return
    if len(percentiles) > MAX_PERCENTILES:
        raise InvalidInput(
            f"expected at most {MAX_PERCENTILES} percentiles, got {len(percentiles)}"
        )
    for before, after in zip([0.0, *percentiles], [*percentiles, 100.0], strict=False):
        if not 0 <= before <= after <= 100:
            raise InvalidInput(
                f"invalid reward percentile: expected ascending values from 0 to 100, "
                f"got {before} before {after}"
            )


def _canonical(reader: Reader, number: BlockNumber) -> Block:
    block = reader.block_by_number(number)
    if block is None:
        raise InvalidInput(f"block {number} is beyond the head")
    return block


def _rewards(reader: Reader, block: Block, percentiles: Sequence[float]) -> tuple[int, ...]:
    receipts = reader.receipts(block.hash)
    if receipts is None:
        raise CorruptStore(f"receipts of block 0x{block.hash.hex()}: they are missing")
    paying = sorted(
        (_tip(tx, block.header), receipt.gas_used)
        for tx, receipt in zip(block.transactions, receipts, strict=True)
        if not _is_deposit(tx)
    )
    if not paying:
        return tuple(0 for _ in percentiles)
    total = sum(gas for _, gas in paying)
    rewards, index, passed = [], 0, paying[0][1]
    for percentile in percentiles:
        # go-ethereum rounds the threshold down as well.
        while passed < int(total * percentile / 100) and index < len(paying) - 1:
            index += 1
            passed += paying[index][1]
        rewards.append(paying[index][0])
    return tuple(rewards)


def _tip(tx: AnyTransaction, header: Header) -> int:
    if isinstance(tx, DepositTransaction):
        return 0
    return tx.effective_gas_price(header.base_fee) - header.base_fee


def _is_deposit(tx: AnyTransaction) -> bool:
    return isinstance(tx, DepositTransaction)


def _blob_base_fees(config: ChainConfig, headers: Sequence[Header]) -> tuple[int, ...]:
    if not headers:
        return ()
    newest = headers[-1]
    excess = next_excess_blob_gas(config, newest, newest.timestamp)
    following = blob_base_fee_at(config, newest.timestamp, excess)
    return (*(blob_base_fee(config, header) for header in headers), following)


def _blob_ratio(config: ChainConfig, header: Header) -> float:
    if config.rollup is not None:
        return 0.0
    return header.blob_gas_used / (config.blobs_at(header.timestamp).maximum * GAS_PER_BLOB)

"""The numbers of the attribution namespace: statistics, payouts, and what it all costs."""

from collections.abc import Callable
from fractions import Fraction
from functools import partial

from attribution.chain_facts import ChainFacts
from attribution.economics import USUAL_ETH_USD, Data, Plan, Rates, compare, estimate
from attribution.faking import GATEWAY_WORD, faking_costs
from attribution.payouts import payees
from attribution.prices import present_prices
from attribution.statistics import Statistics, dataset_statistics, model_statistics
from node.attribution_entries import Place
from node.lru_cache import LruCache
from node.reader import Reader
from node.types.primitives import Hash32
from rpc.dispatcher import Method
from rpc.encoding.attribution import (
    show_block,
    show_cursor,
    show_faking_cost,
    show_payee,
    show_settlement,
    show_statistics,
)
from rpc.encoding.economics import show_economics
from rpc.encoding.hexadecimal import Json, JsonObject
from rpc.methods.attribution import unknown_dataset, unknown_model
from rpc.paging import MAX_ENTRIES, cursor, dataset_id, dollar_range, dollars, entry_limit
from rpc.params import block_count, hash32, optional, required
from rpc.slow_reads import SlowReads

_CACHED_ANSWERS = 64


class AttributionNumbers:
    """Numbers as of the newest block. They are worked out once for each block."""

    def __init__(self, reader: Reader, slow_reads: SlowReads) -> None:
        self._reader = reader
        self._slow_reads = slow_reads
        self._answers: LruCache[tuple[Hash32, Hash32 | int], JsonObject] = LruCache(_CACHED_ANSWERS)

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        page = (optional(cursor), optional(entry_limit, MAX_ENTRIES))
        plan = (required(dollars), *(required(block_count),) * 4, required(dollar_range))
        return (
            Method("attribution_getModelStats", self._model_stats, (required(hash32),)),
            Method("attribution_getDatasetStats", self._dataset_stats, (required(dataset_id),)),
            Method("attribution_getPayouts", self._get_payouts, (required(hash32), *page)),
            Method("attribution_estimateEconomics", self._economics, (*plan, optional(dollars))),
        )

    async def _model_stats(self, key: Hash32) -> Json:
        return await self._slow_reads.run(self._stats, key, partial(_of_model, key=key))

    async def _dataset_stats(self, number: int) -> Json:
        return await self._slow_reads.run(self._stats, number, partial(_of_dataset, number=number))

    def _stats(self, key: Hash32 | int, work_out: Callable[[ChainFacts], Statistics]) -> Json:
        with self._reader.snapshot() as snapshot:
            facts = ChainFacts(snapshot)
            known = self._answers.get((facts.head.hash, key))
            if known is not None:
                return known
            numbers = work_out(facts)
        prices = present_prices(self._reader)
        shown: JsonObject = {
            **show_block(facts.head, facts.first_block),
            **show_statistics(numbers),
            "fakingCosts": [show_faking_cost(cost) for cost in faking_costs(prices)],
            "caution": GATEWAY_WORD,
        }
        self._answers.put((facts.head.hash, key), shown)
        return shown

    async def _get_payouts(self, key: Hash32, after: Place | None, limit: int) -> Json:
        return await self._slow_reads.run(self._payouts, key, after, limit)

    def _payouts(self, key: Hash32, after: Place | None, limit: int) -> Json:
        with self._reader.snapshot() as snapshot:
            facts = ChainFacts(snapshot)
            if facts.model(key) is None:
                raise unknown_model(key)
            page = facts.settlements_after(key, after, limit + 1)
            totals = payees(facts.settlements(key))
        shown = page[:limit]
        return {
            **show_block(facts.head, facts.first_block),
            "payees": [show_payee(payee) for payee in totals],
            "settlements": [show_settlement(settlement) for settlement in shown],
            "next": show_cursor(shown[-1].place) if len(page) > limit else None,
            "caution": GATEWAY_WORD,
        }

    async def _economics(
        self,
        price: Fraction,
        queries: int,
        payers: int,
        shares: int,
        settlements: int,
        open_usd: tuple[Fraction, Fraction],
        eth_usd: Fraction | None,
    ) -> Json:
        plan = Plan(price, queries, payers, shares, settlements)
        return await self._slow_reads.run(self._estimate, plan, open_usd, eth_usd)

    def _estimate(
        self, plan: Plan, open_usd: tuple[Fraction, Fraction], eth_usd: Fraction | None
    ) -> Json:
        """Without a price of ETH, one OPEN is worth one ETH now, and an ETH $3,000 otherwise."""
        prices = present_prices(self._reader)
        worths = sorted(set(open_usd))
        outcomes = [
            estimate(plan, prices, Rates(worth, eth_usd or worth), kind)
            for worth in worths
            for kind in Data
        ]
        others = [compare(plan, Rates(worth, eth_usd or USUAL_ETH_USD)) for worth in worths]
        return show_economics(plan, prices, outcomes, others)


def _of_model(facts: ChainFacts, key: Hash32) -> Statistics:
    """Return a model's numbers."""
    model = facts.model(key)
    if model is None:
        raise unknown_model(key)
    return model_statistics(facts.model_use(model), facts.funders, facts.head.timestamp)


def _of_dataset(facts: ChainFacts, number: int) -> Statistics:
    """Return a dataset's numbers."""
    dataset = facts.dataset(number)
    if dataset is None:
        raise unknown_dataset(number, facts)
    use = facts.dataset_use(dataset)
    return dataset_statistics(use, facts.funders, facts.head.timestamp)

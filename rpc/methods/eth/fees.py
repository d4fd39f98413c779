"""What gas costs."""

from node.config import ChainConfig
from node.execution.fees import blob_base_fee
from node.gas_price import FeeHistory, fee_history, suggest_priority_fee
from node.reader import Reader
from node.types.primitives import Hash32
from rpc.block_id import LATEST, BlockId, block_number, require_header
from rpc.dispatcher import Method
from rpc.encoding.hexadecimal import Json, JsonObject, quantity
from rpc.params import array_of, block_count, optional, percentile, required
from rpc.slow_reads import SlowReads

_MAX_PERCENTILES = 100


class FeeMethods:
    """Suggestions and history of fees, in wei."""

    def __init__(self, reader: Reader, config: ChainConfig, slow_reads: SlowReads) -> None:
        self._reader = reader
        self._config = config
        self._slow_reads = slow_reads
        # The suggestion reads many blocks, and wallets ask several times a second.
        self._suggestion: tuple[Hash32, int] | None = None

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        history = (
            required(block_count),
            required(block_number),
            optional(array_of(percentile, _MAX_PERCENTILES)),
        )
        return (
            Method("eth_gasPrice", self._gas_price),
            Method("eth_maxPriorityFeePerGas", self._max_priority_fee),
            Method("eth_blobBaseFee", self._blob_base_fee),
            Method("eth_feeHistory", self._fee_history, history),
        )

    async def _gas_price(self) -> Json:
        tip = await self._slow_reads.run(self._tip)
        return quantity(tip + require_header(self._reader, LATEST).base_fee)

    async def _max_priority_fee(self) -> Json:
        return quantity(await self._slow_reads.run(self._tip))

    async def _blob_base_fee(self) -> Json:
        return quantity(blob_base_fee(self._config, require_header(self._reader, LATEST)))

    async def _fee_history(
        self, count: int, newest: BlockId, percentiles: tuple[float, ...] | None
    ) -> Json:
        header = require_header(self._reader, newest)
        history = await self._slow_reads.run(
            fee_history, self._reader, self._config, count, header.number, percentiles
        )
        return _show_history(history)

    def _tip(self) -> int:
        head = self._reader.heads().unsafe.hash
        known = self._suggestion
        if known is not None and known[0] == head:
            return known[1]
        tip = suggest_priority_fee(self._reader)
        self._suggestion = (head, tip)
        return tip


def _show_history(history: FeeHistory) -> JsonObject:
    answer: JsonObject = {
        "oldestBlock": quantity(history.oldest),
        "baseFeePerGas": [quantity(fee) for fee in history.base_fees],
        "gasUsedRatio": list(history.gas_used_ratios),
        "baseFeePerBlobGas": [quantity(fee) for fee in history.blob_base_fees],
        "blobGasUsedRatio": list(history.blob_gas_used_ratios),
    }
    if history.rewards is not None:
        answer["reward"] = [[quantity(tip) for tip in tips] for tips in history.rewards]
    return answer

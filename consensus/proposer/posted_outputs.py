"""The outputs that an oracle on L1 has, for those who prove and check receipts against them."""

import asyncio
from collections.abc import Awaitable, Callable

from attribution.posted_output import PostedOutput
from consensus.block_refs import L1BlockRef
from consensus.config import RollupConfig
from consensus.l1.json_objects import MalformedL1Data
from consensus.l1.json_rpc import RpcFault
from consensus.proposer.oracle import (
    OracleL1,
    OracleTerms,
    OutputOracle,
    ProposedOutput,
    is_revert,
)
from consensus.proposer.oracle_check import check_terms, find_oracle
from node.errors import ConfigError
from node.lru_cache import LruCache
from node.output_schedule import OutputSchedule
from node.types.primitives import Address, BlockNumber, checksum_address

_REMEMBERED = 1024

Finalized = Callable[[], Awaitable[L1BlockRef | None]]


class PostedOutputs:
    """Asks L1 for an output once, and again until it is final.

    One question at a time, so that many callers are no burst for L1. Failures to answer are
    TemporaryError.
    """

    def __init__(
        self,
        l1_chain_id: int,
        find: Callable[[], Awaitable[tuple[OutputOracle, OracleTerms]]],
        finalized: Finalized,
    ) -> None:
        self._l1_chain_id = l1_chain_id
        self._find = find
        self._finalized = finalized
        self._found: tuple[OutputOracle, OracleTerms] | None = None
        self._final: LruCache[int, PostedOutput] = LruCache(_REMEMBERED)
        self._turn = asyncio.Lock()

    @classmethod
    def of_rollup(cls, l1: OracleL1, config: RollupConfig, finalized: Finalized) -> "PostedOutputs":
        """Return those of the oracle that the rollup's portal names; see `terms` for errors."""

        async def find() -> tuple[OutputOracle, OracleTerms]:
            oracle = await find_oracle(l1, config)
            return oracle, await check_terms(oracle, config)

        return cls(config.l1_chain_id, find, finalized)

    @classmethod
    def of_oracle(
        cls, l1: OracleL1, l1_chain_id: int, address: Address, finalized: Finalized
    ) -> "PostedOutputs":
        """Return those of any contract that calls itself an oracle; see `terms` for errors."""

        async def find() -> tuple[OutputOracle, OracleTerms]:
            oracle = OutputOracle(l1, address)
            try:
                return oracle, await oracle.terms()
            except (MalformedL1Data, RpcFault) as error:
                if isinstance(error, RpcFault) and not is_revert(error):
                    raise
                raise ConfigError(
                    f"L1: {checksum_address(address)} is no output oracle: {error}"
                ) from error

        return cls(l1_chain_id, find, finalized)

    async def terms(self) -> OracleTerms:
        """Return what the oracle was deployed with; ConfigError if there is none, or another's."""
        return (await self._oracle())[1]

    async def schedule(self) -> OutputSchedule:
        """Return which blocks have outputs; ConfigError as `terms`."""
        terms = await self.terms()
        return OutputSchedule(BlockNumber(terms.starting_block), terms.submission_interval)

    async def address(self) -> Address:
        """Return where the oracle is; ConfigError as `terms`."""
        return (await self._oracle())[0].address

    async def output(self, index: int) -> PostedOutput | None:
        """Return an output as L1's newest block has it, None if it is not there.

        MalformedL1Data if L1 gives that number to another block than the oracle's terms allow.
        """
        if (known := self._final.get(index)) is not None:
            return known
        oracle, terms = await self._oracle()
        async with self._turn:
            if (known := self._final.get(index)) is not None:
                return known
            proposed = await _read(oracle, index)
            if proposed is None:
                return None
            expected = (await self.schedule()).block_of(index)
            if proposed.block != expected:
                raise MalformedL1Data(
                    f"L1: output {index}: expected that of block {expected}, got {proposed.block}"
                )
            posted = self._posted(oracle, terms, proposed, await self._finalized())
            if posted.is_final:
                self._final.put(index, posted)
            return posted

    async def _oracle(self) -> tuple[OutputOracle, OracleTerms]:
        if self._found is None:
            self._found = await self._find()
        return self._found

    def _posted(
        self,
        oracle: OutputOracle,
        terms: OracleTerms,
        proposed: ProposedOutput,
        finalized: L1BlockRef | None,
    ) -> PostedOutput:
        final_after = proposed.timestamp + terms.finalization_period_s
        return PostedOutput(
            l1_chain_id=self._l1_chain_id,
            oracle=oracle.address,
            index=proposed.index,
            block=proposed.block,
            root=proposed.root,
            timestamp=proposed.timestamp,
            proposer=terms.proposer,
            challenger=terms.challenger,
            final_after=final_after,
            is_final=finalized is not None and finalized.timestamp > final_after,
        )


async def _read(oracle: OutputOracle, index: int) -> ProposedOutput | None:
    try:
        return await oracle.output(index)
    except RpcFault as fault:
        if is_revert(fault):
            return None
        raise

"""The L2OutputOracle: the contract on L1 that keeps a rollup's outputs."""

from dataclasses import dataclass
from typing import Any, Protocol

from consensus.block_refs import L1BlockRef
from consensus.l1.contract_call import decode_output, encode_call, refusal_text
from consensus.l1.json_rpc import RpcFault
from consensus.l1.source import Label
from consensus.l1.tx_sender import TransactionRequest
from node.errors import TemporaryError
from node.output_root import Output
from node.types.primitives import (
    ZERO_HASH,
    Address,
    BlockNumber,
    Hash32,
    checksum_address,
    hex_address,
)

_REVERTED = 3
# The length and the two slots of an output; EIP-2200: 20,000 for one that was empty, else 2,900.
_EMPTY_SLOTS_GAS = 3 * 17_100
_PROPOSE = "proposeL2Output(bytes32,uint256,bytes32,uint256)"
_DELETE = "deleteL2Outputs(uint256)"


class OracleRefuses(TemporaryError):
    """The oracle would revert a transaction; the message is its reason."""


class OracleL1(Protocol):
    """What proposing and challenging read of an L1. Failures to answer are TemporaryError."""

    async def call(self, to: Address, data: bytes) -> bytes: ...
    async def estimate_gas(self, sender: Address, to: Address | None, data: bytes) -> int: ...
    async def block_ref_by_number(self, number: int) -> L1BlockRef: ...
    async def block_ref_by_label(self, label: Label) -> L1BlockRef: ...


@dataclass(frozen=True, slots=True)
class OracleTerms:
    """What an oracle was deployed with, and can never change. Times are in seconds.

    An output comes every `submission_interval` L2 blocks, and is final `finalization_period_s`
    after the L1 block that it came with.
    """

    submission_interval: int
    block_time: int
    starting_block: int
    starting_timestamp: int
    finalization_period_s: int
    proposer: Address
    challenger: Address


@dataclass(frozen=True, slots=True)
class ProposedOutput:
    """An output on L1: `timestamp` is that of the L1 block it came with, `block` is of L2."""

    index: int
    root: Hash32
    timestamp: int
    block: BlockNumber


class OutputOracle:
    """One oracle: reads at L1's latest block, and the transactions that it takes."""

    def __init__(self, l1: OracleL1, address: Address) -> None:
        self.address = address
        self._l1 = l1

    async def terms(self) -> OracleTerms:
        """Return what it was deployed with; MalformedL1Data if it is no oracle."""
        return OracleTerms(
            submission_interval=await self._number("SUBMISSION_INTERVAL()"),
            block_time=await self._number("L2_BLOCK_TIME()"),
            starting_block=await self._number("startingBlockNumber()"),
            starting_timestamp=await self._number("startingTimestamp()"),
            finalization_period_s=await self._number("FINALIZATION_PERIOD_SECONDS()"),
            proposer=await read_address(self._l1, self.address, "PROPOSER()"),
            challenger=await read_address(self._l1, self.address, "CHALLENGER()"),
        )

    async def next_block(self) -> BlockNumber:
        """Return the L2 block whose output it takes next."""
        return BlockNumber(await self._number("nextBlockNumber()"))

    async def count(self) -> int:
        """Return how many outputs it has; they have the indices from 0 on."""
        return await self._number("nextOutputIndex()")

    async def output(self, index: int) -> ProposedOutput:
        """Return the output of an index; RpcFault if there is none."""
        root, timestamp, block = await _read(
            self._l1, self.address, "getL2Output(uint256)", "(bytes32,uint128,uint128)", index
        )
        return ProposedOutput(index, Hash32(root), timestamp, BlockNumber(block))

    async def latest(self) -> ProposedOutput | None:
        """Return the newest output, None if it has none."""
        count = await self.count()
        return None if count == 0 else await self.output(count - 1)

    def proposal(self, number: int, output: Output, derived_from: L1BlockRef) -> bytes:
        """Return the calldata that proposes a block's output.

        The oracle refuses it if `derived_from` is none of the last 256 blocks of L1.
        """
        l1_hash, l1_number = derived_from.hash, derived_from.number
        return encode_call(_PROPOSE, output.root, number, l1_hash, l1_number)

    async def proposal_gas(self, sender: Address, number: int, output: Output) -> int:
        """Return the gas that a proposal needs; OracleRefuses if it would revert.

        L1 is not asked about the block that it was derived from: most nodes estimate in the
        context of their newest block, which does not know its own hash.
        """
        return await self._gas(sender, encode_call(_PROPOSE, output.root, number, ZERO_HASH, 0))

    async def deletion(self, sender: Address, index: int) -> TransactionRequest:
        """Return what deletes the output of an index and all after it.

        OracleRefuses if it would revert.
        """
        data = encode_call(_DELETE, index)
        return TransactionRequest(self.address, data, await self._gas(sender, data))

    async def _gas(self, sender: Address, data: bytes) -> int:
        try:
            gas = await self._l1.estimate_gas(sender, self.address, data)
        except RpcFault as fault:
            if not is_revert(fault):
                raise
            raise OracleRefuses(refusal_text(fault, ("L2OutputOracle",))) from fault
        # By then, or for the next one, it may write slots that are empty where these were used
        # before: a deletion leaves them full, a reorg empties them.
        return gas * 6 // 5 + _EMPTY_SLOTS_GAS

    async def _number(self, signature: str) -> int:
        (value,) = await _read(self._l1, self.address, signature, "(uint256)")
        return int(value)


async def read_address(l1: OracleL1, contract: Address, signature: str) -> Address:
    """Return the address that a getter answers; MalformedL1Data if it answers anything else."""
    (value,) = await _read(l1, contract, signature, "(address)")
    return hex_address(value)


def is_revert(fault: RpcFault) -> bool:
    """Return whether L1 ran a contract, which reverted."""
    return fault.code == _REVERTED or "revert" in fault.message.lower()


async def _read(
    l1: OracleL1, contract: Address, signature: str, types: str, *arguments: Any
) -> tuple[Any, ...]:
    answer = await l1.call(contract, encode_call(signature, *arguments))
    return decode_output(types, answer, f"{checksum_address(contract)}: {signature}")

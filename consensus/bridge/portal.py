"""The portal and its output oracle on L1: what they hold, and the calls that change it."""

from dataclasses import dataclass
from typing import Final

from consensus.bridge.chain import Chain
from consensus.bridge.proof import WithdrawalProof
from consensus.bridge.withdrawal import Withdrawal
from consensus.l1.contract_call import encode_call
from node.types.primitives import Address, Hash32, keccak256

WITHDRAWAL_FINALIZED_TOPIC: Final = keccak256(b"WithdrawalFinalized(bytes32,bool)")

_WITHDRAWAL = "(uint256,address,address,uint256,uint256,bytes)"
_OUTPUT_ROOT_PROOF = "(bytes32,bytes32,bytes32,bytes32)"


@dataclass(frozen=True, slots=True)
class ProposedOutput:
    """An output root as it stands in the oracle; `timestamp` is that of its L1 block."""

    root: Hash32
    timestamp: int
    l2_block: int


@dataclass(frozen=True, slots=True)
class ProvenWithdrawal:
    """A proof that the portal has accepted: against which root, when, and where that root was."""

    output_root: Hash32
    timestamp: int
    output_index: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the contracts hold about one withdrawal in one L1 block, whose time is `time`.

    `covering` is the first output at or after the withdrawal's L2 block, with its index; until
    there is one, `due` says when L2 comes to the block that the oracle wants next. `proven_output`
    is what now stands where the proven one stood. Times are in seconds.
    """

    time: int
    finalization_period_s: int
    is_finalized: bool
    proven: ProvenWithdrawal | None
    proven_output: ProposedOutput | None
    covering: tuple[int, ProposedOutput] | None
    due_block: int
    due: int


@dataclass(frozen=True, slots=True)
class Portal:
    """A rollup's contracts on L1."""

    l1: Chain
    address: Address
    token: Address
    oracle: Address

    async def snapshot(self, withdrawal: Withdrawal, l2_block: int) -> Snapshot:
        """Read all that decides what to do next about a withdrawal of L2 block `l2_block`."""
        head = await self.l1.head()
        number = head.number
        key, portal = withdrawal.hash, self.address
        root, timestamp, index = await self.l1.read(
            portal, "provenWithdrawals(bytes32)", "(bytes32,uint128,uint128)", key, at=number
        )
        is_finalized = await self.l1.read(
            portal, "finalizedWithdrawals(bytes32)", "(bool)", key, at=number
        )
        count = await self._oracle_number("nextOutputIndex()", number)
        covering = await self._covering(l2_block, count, number)
        due_block = await self._due_block(l2_block, number)
        return Snapshot(
            time=head.timestamp,
            finalization_period_s=await self._oracle_number(
                "FINALIZATION_PERIOD_SECONDS()", number
            ),
            is_finalized=is_finalized,
            proven=ProvenWithdrawal(Hash32(root), timestamp, index) if timestamp else None,
            proven_output=await self._output(index, number)
            if timestamp and index < count
            else None,
            covering=covering,
            due_block=due_block,
            due=await self.l1.read(
                self.oracle, "computeL2Timestamp(uint256)", "(uint256)", due_block, at=number
            ),
        )

    async def latest_output(self) -> tuple[int, ProposedOutput] | None:
        """Return the newest output and its index; None if there is none."""
        number = (await self.l1.head()).number
        count = await self._oracle_number("nextOutputIndex()", number)
        return (count - 1, await self._output(count - 1, number)) if count else None

    async def _covering(
        self, l2_block: int, count: int, at: int
    ) -> tuple[int, ProposedOutput] | None:
        if not count or await self._oracle_number("latestBlockNumber()", at) < l2_block:
            return None
        index: int = await self.l1.read(
            self.oracle, "getL2OutputIndexAfter(uint256)", "(uint256)", l2_block, at=at
        )
        return index, await self._output(index, at)

    async def _due_block(self, l2_block: int, at: int) -> int:
        """Return the first block at or after `l2_block` that the proposer will name."""
        start = await self._oracle_number("startingBlockNumber()", at)
        interval = await self._oracle_number("SUBMISSION_INTERVAL()", at)
        return start + max(1, -(-(l2_block - start) // interval)) * interval

    async def _output(self, index: int, at: int) -> ProposedOutput:
        root, timestamp, block = await self.l1.read(
            self.oracle, "getL2Output(uint256)", "(bytes32,uint128,uint128)", index, at=at
        )
        return ProposedOutput(Hash32(root), timestamp, block)

    async def _oracle_number(self, signature: str, at: int) -> int:
        number: int = await self.l1.read(self.oracle, signature, "(uint256)", at=at)
        return number


def prove_call(withdrawal: Withdrawal, output_index: int, proof: WithdrawalProof) -> bytes:
    """Return the calldata that proves a withdrawal."""
    return encode_call(
        f"proveWithdrawalTransaction({_WITHDRAWAL},uint256,{_OUTPUT_ROOT_PROOF},bytes[])",
        withdrawal.fields,
        output_index,
        proof.output.fields,
        proof.nodes,
    )


def finalize_call(withdrawal: Withdrawal) -> bytes:
    """Return the calldata that finalizes a withdrawal."""
    return encode_call(f"finalizeWithdrawalTransaction({_WITHDRAWAL})", withdrawal.fields)

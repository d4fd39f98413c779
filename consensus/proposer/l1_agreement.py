"""Does a verifier read the L1 that we talk to?"""

from dataclasses import dataclass

from consensus.block_refs import L1BlockRef
from consensus.l1.source import L1NotFound
from consensus.proposer.oracle import OracleL1
from consensus.proposer.output_source import Progress


@dataclass(frozen=True, slots=True)
class Agreement:
    """The verifier has read our L1 up to `derived_from`; `head` is L1's newest block."""

    derived_from: L1BlockRef
    head: L1BlockRef


@dataclass(frozen=True, slots=True)
class Waiting:
    """What has to happen before anything can be said or done."""

    reason: str


async def agreement(l1: OracleL1, progress: Progress) -> Agreement | Waiting:
    """Compare how far the verifier has read with what L1 has now.

    Asked after the outputs were read, it makes them valid for this L1: safe blocks are a function
    of L1 up to the block that was read last. TemporaryError if L1 does not answer.
    """
    current = progress.current_l1
    if current is None:
        return Waiting("the verifier has not begun to derive")
    head = await l1.block_ref_by_label("latest")
    if current.number > head.number:
        return Waiting(
            f"the verifier has read L1 to block {current.number}, our L1 is at {head.number}"
        )
    try:
        canonical = await l1.block_ref_by_number(current.number)
    except L1NotFound as error:
        return Waiting(f"L1 is changing: {error}")
    if canonical.hash != current.hash:
        return Waiting(
            f"the verifier is on another fork of L1: its block {current.number} is "
            f"0x{current.hash.hex()}, L1 has 0x{canonical.hash.hex()}"
        )
    return Agreement(current, head)

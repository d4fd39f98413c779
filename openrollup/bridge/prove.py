"""`openrollup bridge prove`: show L1 that L2 holds a withdrawal."""

from consensus.bridge.portal import Snapshot, prove_call
from consensus.bridge.proving import find_proof
from consensus.bridge.status import Stage, WithdrawalStatus
from node.clock import Clock, SystemClock
from node.errors import ConfigError
from openrollup.bridge.account import Account
from openrollup.bridge.result import show
from openrollup.bridge.step import Step, StepOptions, awaited, open_step, shown_status, too_early
from openrollup.bridge.waiting import Awaited, about, wait_for
from openrollup.datadir import read_key


async def run_prove(options: StepOptions, clock: Clock | None = None) -> int:
    """Prove a withdrawal against an output on L1; done already is done."""
    clock = clock or SystemClock()
    if options.key_file is None:
        raise ConfigError("--key-file: expected the key that pays on L1")
    key = read_key(options.key_file)
    async with open_step(options) as step:
        account = Account(step.portal.l1, key, clock, layer="L1", coin="ether")
        held, status = await _turn(options, step, clock)
        if status.stage is not Stage.READY_TO_PROVE:
            _show_done(options, step, status)
            return 0
        outputs = [held.covering, await step.portal.latest_output()]
        known = [output for output in dict.fromkeys(outputs) if output is not None]
        index, proof = await find_proof(step.l2, step.begun.withdrawal, known)
        data = prove_call(step.begun.withdrawal, index, proof)
        sent, _ = await account.send("proving the withdrawal", step.portal.address, data)
        _, status = await step.look()
    result = shown_status(step.begun, status)
    result |= {"l1Transaction": "0x" + sent.hex(), "outputIndex": index}
    lines = [f"L1 transaction  0x{sent.hex()}", f"proven against output {index}", _next(status)]
    show(result, lines, json=options.json)
    return 0


async def _turn(
    options: StepOptions, step: Step, clock: Clock
) -> tuple[Snapshot, WithdrawalStatus]:
    """Return how things stand once the withdrawal can be proven, or has been."""

    async def look() -> tuple[Snapshot, WithdrawalStatus] | Awaited:
        held, status = await step.look()
        if status.stage is not Stage.WAITING_TO_PROVE:
            return held, status
        if not options.wait:
            raise too_early(step.begun, held, status)
        return awaited(step.begun, held, status)

    return await wait_for(look, clock)


def _show_done(options: StepOptions, step: Step, status: WithdrawalStatus) -> None:
    is_finalized = status.stage is Stage.FINALIZED
    words = ["already finalized"] if is_finalized else ["already proven", _next(status)]
    show(shown_status(step.begun, status), words, json=options.json)


def _next(status: WithdrawalStatus) -> str:
    when = f" in {about(status.wait_s)}" if status.wait_s else ""
    return f"next: openrollup bridge finalize{when}"

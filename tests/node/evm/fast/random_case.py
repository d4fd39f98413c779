"""Random transactions to accounts with random programs, each run by both interpreters."""

from dataclasses import replace
from random import Random

from node.errors import CriticalError
from node.evm.interpreter import DELEGATION_PREFIX, Call, Outcome, run_message
from node.types.primitives import Hash32
from tests.node.evm.fast.random_program import CONTRACTS, DELEGATED, NOBODY, RandomProgram
from tests.node.evm.machine import ALICE, CANCUN, PRAGUE, Machine

_ETHER = 10**18


def run_case(seed: int, index: int) -> int:
    """Run the case with this index, the same one at any time, and return how many messages ran.

    CriticalError says in what the interpreters differ.
    """
    rng = Random(f"{seed}/{index}")
    machine = _machine(rng)
    count = 0
    for _ in range(rng.randrange(1, 4)):
        call = _call(rng)
        checkpoint = machine.world.record()
        outcome = _run(machine, call, f"seed {seed}, case {index}")
        count += 1
        used = call.gas - outcome.gas_left
        if used and rng.random() < 0.6:  # again, with too little gas at some place of its way
            machine.world.discard(checkpoint)
            call = replace(call, gas=rng.randrange(used + 1))
            outcome = _run(machine, call, f"seed {seed}, case {index}, less gas")
            count += 1
        for address in outcome.destroyed:
            machine.world.delete_account(address)
        machine.world.end_transaction()
    return count


def _run(machine: Machine, call: Call, name: str) -> Outcome:
    try:
        return run_message(machine.world, machine.environment, machine.rules, call)
    except CriticalError as error:
        raise CriticalError(f"{name}: {error}") from error


def _machine(rng: Random) -> Machine:
    machine = Machine(PRAGUE if rng.random() < 0.8 else CANCUN)
    world = machine.world
    for address in CONTRACTS:
        machine.place(RandomProgram(rng).write(), address)
        world.set_balance(address, rng.choice((0, 1, _ETHER)))
        for slot in range(4):
            world.set_storage(address, slot, rng.randrange(3))
    target = rng.choice((*CONTRACTS, DELEGATED, NOBODY, bytes(19) + b"\x04"))
    machine.place(DELEGATION_PREFIX + target, DELEGATED)
    world.end_transaction()
    return machine


def _call(rng: Random) -> Call:
    to = rng.choice((*CONTRACTS, *CONTRACTS, DELEGATED, None))
    slots = tuple(Hash32(slot.to_bytes(32, "big")) for slot in range(rng.randrange(3)))
    return Call(
        sender=ALICE,
        to=to,
        value=rng.choice((0, 0, 1, 10**6)),
        data=RandomProgram(rng).write() if to is None else rng.randbytes(rng.randrange(80)),
        gas=rng.choice((50_000, 300_000, 300_000)),
        gas_price=rng.randrange(100),
        nonce=rng.randrange(2),
        access_list=((rng.choice((*CONTRACTS, NOBODY)), slots),) if rng.random() < 0.5 else (),
        blob_versioned_hashes=(Hash32(b"\x01" * 32),) if rng.random() < 0.3 else (),
    )

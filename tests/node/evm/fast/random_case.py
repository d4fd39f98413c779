"""Random transactions to accounts with random programs, each run by both interpreters."""

from dataclasses import replace
from random import Random

from node.errors import CriticalError
from node.evm.interpreter import DELEGATION_PREFIX, Call, Outcome, run_message
from node.types.attribution_call import APPEND, HEAD, padded_size, words
from node.types.attribution_record import Influence, Record, encode_records
from node.types.primitives import Hash32
from tests.node.evm.fast.random_program import (
    CONTRACTS,
    DELEGATED,
    DELEGATED_AGAIN,
    NOBODY,
    RandomProgram,
)
from tests.node.evm.machine import ALICE, CANCUN, PRAGUE, ROLLUP, Machine

_ETHER = 10**18


def run_case(seed: int, index: int) -> int:
    """Run the case with this index, the same one at any time, and return how many messages ran.

    CriticalError says in what the interpreters differ.
    """
    rng = Random(f"{seed}/{index}")
    machine = _machine(rng)
    name = f"seed {seed}, case {index}"
    count = 0
    for _ in range(rng.randrange(1, 4)):
        call = _call(rng)
        checkpoint = machine.world.record()
        outcome = _run(machine, call, name)
        used = call.gas - outcome.gas_left
        count += 1
        for gas in _less_gas(rng, used):
            machine.world.discard(checkpoint)
            outcome = _run(machine, replace(call, gas=gas), f"{name}, {gas} gas")
            count += 1
        for address in outcome.destroyed:
            machine.world.delete_account(address)
        machine.world.end_transaction()
    return count


def _less_gas(rng: Random, used: int) -> list[int]:
    """Return how much gas to run a message with again, with too little at places of its way."""
    choice = rng.random()
    if not used or choice > 0.6:
        return []
    return [rng.randrange(used + 1) for _ in range(30 if choice < 0.02 else 1)]


def _run(machine: Machine, call: Call, name: str) -> Outcome:
    try:
        return run_message(machine.world, machine.environment, machine.rules, call)
    except CriticalError as error:
        raise CriticalError(f"{name}: {error}") from error


def _machine(rng: Random) -> Machine:
    machine = Machine(rng.choice((PRAGUE, PRAGUE, PRAGUE, ROLLUP, ROLLUP, CANCUN)))
    world = machine.world
    for address in CONTRACTS:
        machine.place(RandomProgram(rng).write(), address)
        world.set_balance(address, rng.choice((0, 1, _ETHER)))
        for slot in range(4):
            world.set_storage(address, slot, rng.randrange(3))
    for address in (DELEGATED, DELEGATED_AGAIN):
        target = rng.choice((*CONTRACTS, *CONTRACTS, DELEGATED, NOBODY, bytes(19) + b"\x04"))
        machine.place(DELEGATION_PREFIX + target, address)
    world.end_transaction()
    return machine


def _call(rng: Random) -> Call:
    to = rng.choice((*CONTRACTS, *CONTRACTS, DELEGATED, DELEGATED_AGAIN, None))
    slots = tuple(Hash32(slot.to_bytes(32, "big")) for slot in range(rng.randrange(3)))
    return Call(
        sender=ALICE,
        to=to,
        value=rng.choice((0, 0, 1, 10**6)),
        data=RandomProgram(rng).write() if to is None else _data(rng),
        gas=rng.choice((50_000, 300_000, 300_000)),
        gas_price=rng.randrange(100),
        nonce=rng.randrange(2),
        access_list=((rng.choice((*CONTRACTS, NOBODY)), slots),) if rng.random() < 0.5 else (),
        blob_versioned_hashes=(Hash32(b"\x01" * 32),) if rng.random() < 0.3 else (),
    )


def _data(rng: Random) -> bytes:
    """Return call data: mostly noise, and else what the receipt precompile takes."""
    if rng.random() < 0.8:
        return rng.randbytes(rng.randrange(80))
    if rng.random() < 0.3:
        return HEAD + words(int.from_bytes(rng.choice(CONTRACTS), "big"), 1)
    influences = tuple(Influence(dataset, 900) for dataset in sorted(rng.sample(range(9), 3)))
    records = [Record(rng.randrange(3), influences, bytes(32)) for _ in range(rng.randrange(1, 4))]
    encoded = encode_records(records)
    data = words(1, rng.choice((0, 0, 0, 2)), 96, len(encoded))
    return APPEND + data + encoded.ljust(padded_size(len(encoded)), b"\x00")

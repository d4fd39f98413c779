"""Events of the portal and of the system config, right and wrong, and JSON about L1 blocks."""

import random
from dataclasses import replace

from node.types.primitives import Address, Hash32
from node.types.receipt import Log
from tests.consensus.fuzz.mutation import changed_bytes, changed_number
from tests.consensus.rollup import config_log, deposit_log, word


def deposit_event(choice: random.Random, *, is_spoilt: bool, max_gas: int = 2**64 - 1) -> Log:
    """Return a deposit; a spoilt one is changed in its topics or its data."""
    log = deposit_log(
        sender=Address(choice.randbytes(20)),
        to=Address(choice.randbytes(20)),
        mint=choice.choice((0, 1, 2**256 - 1)),
        value=choice.choice((0, 1, 2**255)),
        gas=choice.choice((0, 21_000, max_gas)),
        is_creation=choice.random() < 0.3,
        data=choice.randbytes(choice.choice((0, 1, 31, 32, 33, 500))),
    )
    return _spoilt(choice, log) if is_spoilt else log


def config_event(choice: random.Random) -> Log:
    """Return a change of some parameter, mostly of a size that it can have.

    Batcher keys stay as they are: with another one nothing would be read any more.
    """
    kind = choice.choice((1, 1, 2, 3, 4, 4, 5, 6, 7, 8, 255))
    if kind == 1:
        payload = word(0) + bytes([choice.randrange(2)]) + bytes(23) + choice.randbytes(8)
    elif kind == 4:
        payload = word(choice.choice((250 << 32 | 6, 1 << 32, 6, 0, 2**64 - 1)))
    else:
        payload = word(choice.choice((0, 1, 400, 2**16 - 1, 2**16, 30_000_000, 2**64 - 1, 2**64)))
    log = config_log(kind, payload)
    return _spoilt(choice, log) if choice.random() < 0.5 else log


def _spoilt(choice: random.Random, log: Log) -> Log:
    kind = choice.randrange(4)
    if kind == 0:
        return replace(log, data=changed_bytes(choice, log.data))
    if kind == 1:
        return replace(log, topics=log.topics[: choice.randrange(len(log.topics))])
    if kind == 2:
        place = choice.randrange(1, len(log.topics))
        topics = list(log.topics)
        changed = changed_number(choice, int.from_bytes(topics[place], "big"), 256)
        topics[place] = Hash32(changed.to_bytes(32, "big"))
        if log.topics[2:] and topics[2][-1] == 0:
            return log  # it would be a new batcher
        return replace(log, topics=tuple(topics))
    data = bytearray(log.data)
    place = choice.randrange(len(data) // 32) * 32
    number = changed_number(choice, int.from_bytes(data[place : place + 32], "big"), 256)
    data[place : place + 32] = number.to_bytes(32, "big")
    return replace(log, data=bytes(data))

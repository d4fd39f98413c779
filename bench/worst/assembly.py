"""Bytecode from opcode names: `assemble("DUP2 DUP2 MULMOD POP")`; numbers are pushed."""

from eth.vm import opcode_values

JUMPDEST = bytes([opcode_values.JUMPDEST])
MAX_CODE_SIZE = 24_576
LOOP_RESERVE = 250_000
"""Gas with which a loop stops: it then ends well, and what it did stays."""


def push(value: int) -> bytes:
    """Return the shortest PUSH of a value."""
    size = (value.bit_length() + 7) // 8
    return bytes([opcode_values.PUSH0 + size]) + value.to_bytes(size, "big")


def assemble(text: str) -> bytes:
    """Return the code of opcode names and numbers; AttributeError for a name that is none."""
    return b"".join(
        push(int(word, 0)) if word[0].isdigit() else bytes([getattr(opcode_values, word)])
        for word in text.split()
    )


def repeat(body: str, times: int) -> bytes:
    """Return code a number of times, or as often as fits into a contract with its loop."""
    code = assemble(body)
    return code * max(min(times, (MAX_CODE_SIZE - 2_000) // len(code)), 1)


def loop(body: str, *, before: str = "", times: int = 100, reserve: int = LOOP_RESERVE) -> bytes:
    """Return code that runs `before` once and then `body` for as long as there is gas.

    `times` copies of the body are in a row, so that jumps hardly count.
    """
    setup = assemble(before)
    again = assemble(f"{reserve} GAS GT {len(setup)} JUMPI STOP")
    return setup + JUMPDEST + repeat(body, times) + again

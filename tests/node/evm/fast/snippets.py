"""Pieces of bytecode that random programs are made of."""

from node.evm.fast.opcode_table import STACK_EFFECTS

SMALL_INIT_CODES = (
    bytes.fromhex("00"),
    bytes.fromhex("60015f5500"),  # SSTORE
    bytes.fromhex("33ff"),  # SELFDESTRUCT to the creator
    bytes.fromhex("30ff"),  # SELFDESTRUCT to itself
    bytes.fromhex("5f5ffd"),
    bytes.fromhex("60aa5f5260205ffd"),
    bytes.fromhex("6233ff005f526003601df3"),  # deploys CALLER SELFDESTRUCT STOP
    bytes.fromhex("60ef5f5360015ff3"),
    bytes.fromhex("61ffff5ff3"),
    bytes.fromhex("fe"),
)

IDIOMS = tuple(
    bytes.fromhex(code)
    for code in (
        "6001600160a01b03",  # constants of constants
        "600119",
        "60021560031b",
        "5f5150",
        "60405160600152",  # needs what is below
        "5b60205b52",  # labels between what would be one step
        "60015b600201",
        "600160025b0303",
        "60ff60030b50",
        "5850",
        "3850",
        "9050",
        "9150",
        "80159050",
        "61ffff16",
        "60201b60201c",
        "60015f0490",
        "5a5a0350",
        "5f5f5f3e",
        "3d5f5f3e",
        "60605f60005e",
        "7f" + "5b" * 32 + "50",
    )
)
"""Rows of opcodes, most of which compilers write, that are fewer steps than opcodes."""


def heights(code: bytes) -> tuple[int, int]:
    """Return how many words code without jumps needs, and how many more there are after it."""
    needed = height = position = 0
    while position < len(code):
        taken, given = STACK_EFFECTS[code[position]]
        needed = max(needed, taken - height)
        height += given - taken
        position += max(code[position] - 0x5F, 0) + 1 if code[position] < 0x80 else 1
    return needed, height

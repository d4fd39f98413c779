"""Opcodes that stay within a frame, each with the operands that take longest."""

from collections.abc import Iterable

from bench.worst.assembly import JUMPDEST, assemble, loop
from bench.worst.case import BLOCK_GAS, Case

_LARGE = 2**256 - 189
"""An odd number of 256 bits."""
_HALF = 2**129 + 12_451
"""Half as long: division by it takes most steps."""
_NEGATIVE = 2**255 + 977
_MEGABYTE = 2**20


def opcode_cases() -> Iterable[Case]:
    """Return the cases."""
    yield from _arithmetic()
    yield from _constants()
    yield from _stack()
    yield from _jumps()
    yield from _memory()
    yield from _copies()
    yield from _hashes_and_logs()


def _of_two(name: str, top: int, second: int) -> Case:
    return Case(name, loop(f"DUP2 DUP2 {name} POP", before=f"{second} {top}"))


def _arithmetic() -> Iterable[Case]:
    for name in ("ADD", "MUL", "SUB", "LT", "GT", "EQ", "AND", "OR", "XOR"):
        yield _of_two(name, _LARGE, _LARGE - 2)
    for name in ("DIV", "MOD"):
        yield _of_two(name, _LARGE, _HALF)
    for name in ("SDIV", "SMOD", "SLT", "SGT"):
        yield _of_two(name, _NEGATIVE, 2**256 - _HALF)
    for name in ("ADDMOD", "MULMOD"):
        numbers = f"{_HALF} {_LARGE} {_LARGE - 2}"
        yield Case(name, loop(f"DUP3 DUP3 DUP3 {name} POP", before=numbers))
    for size in (1, 8, 32):
        exponent = 2 ** (8 * size) - 1
        yield Case(f"EXP, {size} bytes", loop("DUP2 DUP2 EXP POP", before=f"{exponent} {_LARGE}"))
    yield _of_two("SIGNEXTEND", 15, _LARGE)
    yield _of_two("BYTE", 30, _LARGE)
    yield _of_two("SHL", 127, _LARGE)
    yield _of_two("SHR", 127, _LARGE)
    yield _of_two("SAR", 127, _LARGE)
    yield Case("ISZERO", loop("ISZERO", before=f"{_LARGE}", times=1000))
    yield Case("NOT", loop("NOT", before=f"{_LARGE}", times=1000))


def _constants() -> Iterable[Case]:
    names = (
        "ADDRESS ORIGIN CALLER CALLVALUE CALLDATASIZE CODESIZE GASPRICE COINBASE TIMESTAMP NUMBER "
        "PREVRANDAO GASLIMIT CHAINID BASEFEE BLOBBASEFEE RETURNDATASIZE PC MSIZE GAS SELFBALANCE"
    )
    for name in names.split():
        yield Case(name, loop(f"{name} POP", times=1000))
    yield Case("BLOBHASH", loop("0 BLOBHASH POP", times=1000))
    old = loop("DUP1 NUMBER SUB BLOCKHASH POP", before="200", times=1000)
    yield Case("BLOCKHASH", old, ancestors=260)
    yield Case("CALLDATALOAD", loop("DUP1 CALLDATALOAD POP", before="7"), data=b"\xff" * 1000)


def _stack() -> Iterable[Case]:
    yield Case("POP", loop("PUSH0 POP", times=1000))
    for size in (1, 16, 32):
        value = 2 ** (8 * size) - 1
        yield Case(f"PUSH{size}", loop(f"{value} POP", times=1000))
    for depth in (1, 16):
        fill = "1 " * depth
        yield Case(f"DUP{depth}", loop(f"DUP{depth} POP", before=fill, times=1000))
        yield Case(f"SWAP{depth}", loop(f"SWAP{depth}", before=fill + "2", times=1000))


def _jumps() -> Iterable[Case]:
    size = 4_000
    yield Case("JUMP", _jump_chain(size, ""))
    yield Case("JUMPI", _jump_chain(size, "1 SWAP1"))
    yield Case("JUMPI, not taken", loop("0 0 JUMPI", times=5_000))
    # The place is known only at run time: where it leads is looked up for each jump.
    yield Case("JUMP, computed", _jump_chain(size, "0 ADD"))
    yield Case("JUMPDEST", JUMPDEST * 20_000 + assemble("60000 GAS GT 0 JUMPI"))
    yield Case("JUMPDEST, mixed", loop("JUMPDEST PC JUMPDEST POP", times=4_000))


def _jump_chain(links: int, work: str) -> bytes:
    """Return code that jumps from link to link, and from the last to the first."""
    jump = assemble("JUMPI" if work.startswith("1") else "JUMP")
    middle = assemble(work)
    size = 1 + 3 + len(middle) + 1
    links = min(links, 24_000 // size)
    code = b""
    for index in range(links):
        target = (index + 1) * size if index + 1 < links else 0
        code += JUMPDEST + b"\x61" + target.to_bytes(2, "big") + middle + jump
    return code


def _memory() -> Iterable[Case]:
    at = _MEGABYTE - 31
    yield Case("MLOAD", loop("DUP1 MLOAD POP", before=f"1 {at} MSTORE {at}"))
    yield Case("MSTORE", loop("DUP1 DUP1 MSTORE", before=f"1 {at} MSTORE {at}"))
    yield Case("MSTORE8", loop("DUP1 DUP1 MSTORE8", before=f"1 {at} MSTORE {at}"))
    for name in ("MLOAD", "MSTORE", "MSTORE8"):
        use = "DUP1 MLOAD POP" if name == "MLOAD" else f"DUP1 DUP1 {name}"
        growing = loop(f"32 ADD {use}", before="0", times=1000)
        yield Case(f"{name}, growing", growing, gas=BLOCK_GAS)
    yield Case("MLOAD, 3.8 MB at once", assemble("3840000 MLOAD"), gas=BLOCK_GAS)


def _copies() -> Iterable[Case]:
    for size in (0, 1, 32, _MEGABYTE):
        numbers = f"1 {_MEGABYTE} MSTORE {size} 33 1"
        title = f"MCOPY, {size} bytes"
        yield Case(
            title,
            loop("DUP3 DUP3 DUP3 MCOPY", before=numbers, times=1 if size > 1000 else 100),
            gas=BLOCK_GAS,
        )
    names = (("CALLDATACOPY", 16_000), ("CODECOPY", 16_000), ("RETURNDATACOPY", 16_000))
    for name, large in names:
        for size in (0, 32, large):
            before = f"16000 0 16000 0 4 GAS STATICCALL {size} 0 0"
            body = f"DUP3 DUP3 DUP3 {name}"
            data = b"\xff" * 16_000
            yield Case(f"{name}, {size} bytes", loop(body, before=before, times=20), data=data)


def _hashes_and_logs() -> Iterable[Case]:
    for size in (0, 32, 136, _MEGABYTE):
        body = loop("DUP2 DUP2 SHA3 POP", before=f"{size} 0", times=1 if size > 1000 else 100)
        yield Case(f"KECCAK256, {size} bytes", body, gas=BLOCK_GAS)
    yield Case("KECCAK256, 3.8 MB at once", assemble("3800000 0 SHA3"), gas=BLOCK_GAS)
    for topics in range(5):
        fill = "1 " * topics
        yield Case(f"LOG{topics}", loop(f"{fill} 0 0 LOG{topics}", times=50))
    large = loop("DUP2 DUP2 LOG0", before="100000 0", times=1, reserve=2_000_000)
    yield Case("LOG0, 100 KB", large, gas=BLOCK_GAS)

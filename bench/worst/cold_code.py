"""Code that runs for the first time: what an interpreter prepares for each contract is for nothing.

And contracts in turn, more than a cache of prepared code may hold.
"""

from collections.abc import Callable, Iterable

from bench.worst.assembly import JUMPDEST, assemble, loop, push, repeat
from bench.worst.calls import call
from bench.worst.case import Case
from bench.worst.state import contracts, each_account
from node.evm.fast.program import VISITS_TO_KEEP

_SIZE = 24_000
_CODES = {
    "PUSH0 POP": "PUSH0 POP",
    "PUSH1 POP": "1 POP",
    "PUSH32 POP": f"{2**256 - 1} POP",
    "PC POP": "PC POP",
    "GAS POP": "GAS POP",
    "JUMPDEST": "JUMPDEST",
    "JUMPDEST PC JUMPDEST POP": "JUMPDEST PC JUMPDEST POP",
    "DUP1 ADD": "DUP1 ADD",
    "DUP1 MLOAD POP": "DUP1 MLOAD POP",
    "0 0 JUMPI": "0 0 JUMPI",
    "MULMOD": "DUP1 DUP1 DUP1 MULMOD POP",
    "BALANCE": "ADDRESS BALANCE POP",
    "CALL": call("ADDRESS", gas="0"),
}


def cold_code_cases() -> Iterable[Case]:
    """Return the cases."""
    for title, body in _CODES.items():
        yield _each_once(f"cold code, {title}", _straight(body))
    yield _each_once("cold code, a jump to each JUMPDEST", _jumps)
    yield _each_once("cold code, jumps backwards", _jumps_backwards)
    yield _each_once("cold code, jump over PUSH data", _far_jump, gas=2_600)
    yield _each_once("cold code, two JUMPDESTs and an end", _short, gas=2_600)
    yield _each_once("cold code, only its beginning", _straight("1 POP", "STOP"), gas=2_600)
    for title in ("PUSH0 POP", "DUP1 MLOAD POP", "0 0 JUMPI"):
        yield _each_some_times(f"code that runs four times, {title}", _straight(_CODES[title]))
    yield _each_some_times("code that runs four times, a jump to each JUMPDEST", _jumps)
    yield _in_turn("contracts in turn, jump over PUSH data", _far_jump)
    yield _in_turn("contracts in turn, only their beginning", _straight("1 POP", "STOP"))
    yield _in_turn("contracts in turn, a long beginning", _straight("1 POP"), gas="200")
    for title in ("PUSH0 POP", "JUMPDEST PC JUMPDEST POP"):
        code = repeat(_CODES[title], _SIZE * 2)
        yield Case(f"init code of a transaction, {title}", code, gas=1_000_000, is_creation=True)


def _each_once(name: str, code: Callable[[int], bytes], gas: int = 20_000) -> Case:
    """Call other contracts one after the other, each of which uses about as much gas."""
    return Case(
        name,
        each_account(call("TOP"), times=1),
        gas=3_000_000,
        neighbours=contracts(code, gas),
    )


def _each_some_times(name: str, code: Callable[[int], bytes]) -> Case:
    """Call each contract a few times: what is then kept of it has been kept for nothing."""
    body = each_account(" ".join([call("TOP")] * VISITS_TO_KEEP), times=1)
    return Case(name, body, gas=3_000_000, neighbours=contracts(code, 20_000))


def _in_turn(name: str, code: Callable[[int], bytes], gas: str = "GAS", count: int = 400) -> Case:
    """Call the same contracts again and again, all of them before the first has its turn again."""
    body = loop(f"1 ADD DUP1 {count} SWAP1 MOD DUP3 ADD {_call_top(gas)}", before=_base(), times=1)
    return Case(name, body, gas=6_000_000, neighbours=contracts(code, 15_000))


def _call_top(gas: str) -> str:
    return f"0 0 0 0 0 DUP6 {gas} CALL POP POP"


def _base() -> str:
    return f"{0xACC0 << 140} 0"


def _named(index: int) -> bytes:
    """Return a beginning that no other index has."""
    return b"\x63" + index.to_bytes(4, "big") + assemble("POP 7")


def _straight(body: str, end: str = "STOP") -> Callable[[int], bytes]:
    return lambda index: _named(index) + repeat(body, _SIZE) + assemble(end)


def _jumps(index: int) -> bytes:
    """Jump from each label to the next."""
    code = _named(index)
    while len(code) < _SIZE:
        code += b"\x61" + (len(code) + 4).to_bytes(2, "big") + assemble("JUMP") + JUMPDEST
    return code + assemble("STOP")


def _jumps_backwards(index: int) -> bytes:
    """Jump to the last label and from each to the one before."""
    start = _named(index)
    links = (_SIZE - len(start)) // 5
    code = bytearray(start)
    code += b"\x61" + (len(start) + 5 + 5 * (links - 1)).to_bytes(2, "big") + b"\x56"
    first = len(code) + 1
    code += b"\x00"
    for link in range(links):
        target = first + 5 * (link - 1) if link else first + 5 * links
        code += JUMPDEST + b"\x61" + target.to_bytes(2, "big") + b"\x56"
    code[len(start) + 1 : len(start) + 3] = (first + 5 * (links - 1)).to_bytes(2, "big")
    return bytes(code + JUMPDEST + b"\x00")


def _far_jump(index: int) -> bytes:
    """Jump to the end, where only a look at all that comes before tells what is data of a PUSH."""
    start = _named(index)
    end = len(start) + 4 + _SIZE
    jump = b"\x61" + end.to_bytes(2, "big") + assemble("JUMP")
    return start + jump + b"\x60" * _SIZE + JUMPDEST + assemble("STOP")


def _short(index: int) -> bytes:
    return _named(index) + push(12) + assemble("JUMP STOP JUMPDEST JUMPDEST STOP")

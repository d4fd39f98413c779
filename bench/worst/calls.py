"""Opcodes that begin another frame, and SELFDESTRUCT."""

from collections.abc import Iterable

from bench.worst.assembly import assemble, loop
from bench.worst.case import BLOCK_GAS, Accounts, Case, address_at
from bench.worst.state import contracts, each_account
from node.evm.interpreter import DELEGATION_PREFIX
from node.genesis import GenesisAccount
from node.types.primitives import Address

_CALLEE = 0xCA11EE << 100
_OTHER = 0x07E4 << 120
_KINDS = ("CALL", "CALLCODE", "DELEGATECALL", "STATICCALL")
_MEGABYTE = 2**20


def call_cases() -> Iterable[Case]:
    """Return the cases."""
    yield from _empty_accounts()
    yield from _callees()
    yield from _large_data()
    yield from _creations()
    yield from _self_destruction()


def call(
    to: str, kind: str = "CALL", *, gas: str = "GAS", size: int = 0, result: int = 0, value: int = 0
) -> str:
    """Return a call that leaves the stack as it was."""
    given = f"{value} " if kind in ("CALL", "CALLCODE") else ""
    depth = 6 if given else 5
    target = f"DUP{depth}" if to == "TOP" else to
    return f"{result} 0 {size} 0 {given}{target} {gas} {kind} POP"


def _empty_accounts() -> Iterable[Case]:
    for kind in _KINDS:
        yield Case(f"{kind}, empty account, warm", loop(call("COINBASE", kind)))
        yield Case(f"{kind}, empty account, cold", each_account(call("TOP", kind)))
    yield Case("CALL with value, new account", each_account(call("TOP", value=1)))
    yield Case("CALL with value, same account", loop(call("COINBASE", value=1), times=5))
    yield Case("CALL with more than there is", loop(call("COINBASE", value=2**100), times=5))


def callee(code: bytes) -> dict[Address, GenesisAccount]:
    """Return the contract at the address that calls go to."""
    return {address_at(_CALLEE): GenesisAccount(nonce=1, code=code)}


def _callees() -> Iterable[Case]:
    codes = {
        "STOP": "STOP",
        "REVERT": "0 0 REVERT",
        "an error": "POP",
        "a late error": "1 POP " * 200 + "POP",
        "no gas": "1 POP " * 200,
        "32 words returned": "1024 0 RETURN",
    }
    for title, text in codes.items():
        gas = "0" if title == "no gas" else "GAS" if title[0].isupper() else "20000"

        def place(_: int, code: bytes = assemble(text)) -> Accounts:
            return callee(code)

        for kind in ("CALL", "DELEGATECALL"):
            body = loop(call(f"{_CALLEE}", kind, gas=gas), times=5)
            yield Case(f"{kind} of {title}", body, neighbours=place)
    again = "0 0 0 0 {} ADDRESS GAS {} POP PUSH0 JUMP"
    for kind, value in (("CALL", "0"), ("CALLCODE", "0"), ("DELEGATECALL", ""), ("STATICCALL", "")):
        yield Case(f"{kind}, recursion", assemble("JUMPDEST " + again.format(value, kind)))
    once = "0 0 0 0 0 ADDRESS GAS CALL"
    yield Case("CALL, as deep as can be", assemble(once), gas=BLOCK_GAS)
    yield Case(
        "CALL, delegated account",
        loop(call(f"{_OTHER}")),
        neighbours=lambda _: {
            address_at(_OTHER): GenesisAccount(code=DELEGATION_PREFIX + address_at(_CALLEE)),
            **callee(assemble("STOP")),
        },
    )


def _large_data() -> Iterable[Case]:
    before = f"1 {3 * _MEGABYTE} MSTORE"
    stop, fails = assemble("STOP"), assemble("POP")
    for title, to, code in (
        ("empty account", "COINBASE", b""),
        ("contract", f"{_CALLEE}", stop),
        ("failing contract", f"{_CALLEE}", fails),
        ("ECADD", "6", b""),
        ("BLS12_G1ADD", "11", b""),
    ):
        kinds = ("CALL", "DELEGATECALL") if title == "contract" else ("CALL",)
        for kind in kinds:
            body = loop(
                call(to, kind, size=3 * _MEGABYTE, gas="2000", result=3 * _MEGABYTE),
                before=before,
                times=4,
            )

            def place(_: int, code: bytes = code) -> Accounts:
                return callee(code)

            yield Case(f"{kind} with 3 MB, {title}", body, gas=BLOCK_GAS, neighbours=place)


def _creations() -> Iterable[Case]:
    salted = "DUP1 {} 0 0 CREATE2 POP 1 ADD"
    for size in (0, 32, 49_152):
        before = f"1 {size} MSTORE 0"
        yield Case(f"CREATE, {size} bytes", loop(f"{size} 0 0 CREATE POP", before=before, times=4))
        yield Case(f"CREATE2, {size} bytes", loop(salted.format(size), before=before, times=4))
    yield Case("CREATE, value missing", loop(f"0 0 {2**100} CREATE POP", times=4))
    # Init code that returns 24,576 bytes: PUSH2 0x6000 PUSH0 RETURN.
    deploying = loop(
        "6 26 0 CREATE POP", before=f"{0x6160005FF3} 0 MSTORE", times=1, reserve=6_000_000
    )
    yield Case("CREATE of 24 KB", deploying, gas=BLOCK_GAS)
    labels = "0x5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b"
    fill = " ".join(f"{labels} {at} MSTORE" for at in range(0, 8_192, 32))
    copies = " ".join(f"8192 0 {at} MCOPY" for at in range(8_192, 49_152, 8_192))
    body = loop("GAS 0 MSTORE 49152 0 0 CREATE POP", before=f"{fill} {copies}", reserve=500_000)
    yield Case("CREATE, 48 KB of JUMPDEST", body, gas=BLOCK_GAS)


def _self_destruction() -> Iterable[Case]:
    yield Case(
        "SELFDESTRUCT",
        loop(call(f"{_CALLEE}"), times=5),
        neighbours=lambda _: callee(assemble("COINBASE SELFDESTRUCT")),
    )
    yield Case(
        "SELFDESTRUCT, each contract once",
        each_account(call("TOP")),
        neighbours=contracts(lambda _: assemble("COINBASE SELFDESTRUCT"), 7_600),
    )
    init = int.from_bytes(assemble("ORIGIN SELFDESTRUCT"), "big")
    yield Case(
        "SELFDESTRUCT of what was just created",
        loop("2 30 0 CREATE POP", before=f"{init} 0 MSTORE", times=4),
    )

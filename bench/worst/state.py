"""Opcodes that read or write the state, cold and warm."""

from collections.abc import Callable, Iterable, Mapping

from bench.worst.assembly import loop
from bench.worst.case import Accounts, Case, address_at
from node.genesis import GenesisAccount
from node.types.primitives import UINT256_MAX

_STRIDE = 0x9E3779B97F4A7C15F39CC0605CEDC8341082276BF3A27251F86C6A11D0C18E95
"""Slots are multiples of this, so that neither keys nor hashes are neighbours."""
_FIRST_ACCOUNT = 0xACC0 << 140
_CODE = 24_576


def state_cases() -> Iterable[Case]:
    """Return the cases."""
    yield from _storage()
    yield from _transient()
    yield from _accounts()


def _slots(gas_each: int, value: int) -> Callable[[int], Mapping[int, int]]:
    def make(gas: int) -> Mapping[int, int]:
        return {index * _STRIDE & UINT256_MAX: value for index in range(1, gas // gas_each + 200)}

    return make


def _each_slot(use: str) -> bytes:
    """Return a loop that does something with the slot on top, another one each time."""
    return loop(f"{_STRIDE} ADD {use}", before="0", times=5)


def _storage() -> Iterable[Case]:
    yield Case("SLOAD, cold", _each_slot("DUP1 SLOAD POP"), storage=_slots(2_100, 7))
    yield Case("SLOAD, cold, absent", _each_slot("DUP1 SLOAD POP"))
    yield Case("SLOAD, warm", loop("DUP1 SLOAD POP", before="7"))
    yield Case("SSTORE, new", _each_slot("1 DUP2 SSTORE"))
    yield Case("SSTORE, reset", _each_slot("1 DUP2 SSTORE"), storage=_slots(5_000, 7))
    yield Case("SSTORE, clear", _each_slot("0 DUP2 SSTORE"), storage=_slots(5_000, 7))
    yield Case("SSTORE, cold, same", _each_slot("7 DUP2 SSTORE"), storage=_slots(2_200, 7))
    yield Case("SSTORE, warm, same", loop("1 1 SSTORE"))
    yield Case("SSTORE, warm, changing", loop("GAS 1 SSTORE"))
    yield Case("SSTORE, set and back", _each_slot("1 DUP2 SSTORE 0 DUP2 SSTORE"))


def _transient() -> Iterable[Case]:
    yield Case("TLOAD", loop("1 TLOAD POP"))
    yield Case("TLOAD, absent", _each_slot("DUP1 TLOAD POP"))
    yield Case("TSTORE", loop("1 1 TSTORE"))
    yield Case("TSTORE, new", _each_slot("1 DUP2 TSTORE"))


def _people(gas: int) -> Accounts:
    count = gas // 2_600 + 200
    return {address_at(_FIRST_ACCOUNT + i): GenesisAccount(balance=10**18) for i in range(count)}


def contracts(code: Callable[[int], bytes], gas_each: int) -> Callable[[int], Accounts]:
    """Return contracts for a case, as many as gas can reach."""

    def make(gas: int) -> Accounts:
        count = gas // gas_each + 200
        return {
            address_at(_FIRST_ACCOUNT + i): GenesisAccount(nonce=1, code=code(i))
            for i in range(count)
        }

    return make


def each_account(use: str, times: int = 5) -> bytes:
    """Return a loop that does something with the account on top, another one each time."""
    return loop(f"1 ADD {use}", before=f"{_FIRST_ACCOUNT - 1}", times=times)


def _large(index: int) -> bytes:
    return index.to_bytes(4, "big").rjust(_CODE, b"\x5b")


def _accounts() -> Iterable[Case]:
    for name in ("BALANCE", "EXTCODESIZE", "EXTCODEHASH"):
        yield Case(f"{name}, cold", each_account(f"DUP1 {name} POP"), neighbours=_people)
        yield Case(f"{name}, cold, absent", each_account(f"DUP1 {name} POP"))
        yield Case(f"{name}, warm", loop(f"ADDRESS {name} POP"))
    copy = "{} 0 0 DUP4 EXTCODECOPY"
    for title, name in (("EXTCODESIZE", "DUP1 EXTCODESIZE POP"), ("EXTCODECOPY", copy.format(1))):
        yield Case(
            f"{title}, cold, 24 KB each",
            each_account(name),
            gas=2_000_000,
            neighbours=contracts(_large, 2_600),
        )
    yield Case("EXTCODECOPY, warm", loop("0 0 0 ADDRESS EXTCODECOPY"))
    yield Case("EXTCODECOPY, warm, 16 KB", loop("16000 0 0 ADDRESS EXTCODECOPY", times=50))

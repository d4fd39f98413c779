"""A worst case: a message that spends nearly all its gas on one thing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from node.genesis import GenesisAccount
from node.types.primitives import Address

BLOCK_GAS = 30_000_000

Accounts = Mapping[Address, GenesisAccount]


def address_at(number: int) -> Address:
    """Return the address with a number."""
    return Address(number.to_bytes(20, "big"))


def no_accounts(gas: int) -> Accounts:
    """For cases that need no other account."""
    return {}


def no_storage(gas: int) -> Mapping[int, int]:
    """For cases whose contract has no storage."""
    return {}


@dataclass(frozen=True, slots=True)
class Case:
    """A contract `code`, called with `data` and `gas`, or created by it if `is_creation`.

    What the state must hold beforehand depends on how much gas there is to use it: `neighbours`
    are other accounts, `storage` is the contract's own. `to` calls another account than the
    contract, which is a precompile then. `ancestors` blocks come before.
    """

    name: str
    code: bytes = b""
    data: bytes = b""
    gas: int = 10_000_000
    neighbours: Callable[[int], Accounts] = field(default=no_accounts)
    storage: Callable[[int], Mapping[int, int]] = field(default=no_storage)
    to: Address | None = None
    is_creation: bool = False
    ancestors: int = 0

"""Accounts as test files write them: balance, nonce, code and storage by address."""

from typing import Any

from node.types.primitives import Hash32, hex_address
from tests.node.execution.memory_chain import StateStore


def from_hex(text: str) -> bytes:
    """Bytes from hexadecimal digits, with or without 0x."""
    return bytes.fromhex(text.removeprefix("0x"))


def number(text: str) -> int:
    """An integer from hexadecimal digits."""
    return int(text, 16)


def place(alloc: dict[str, Any], store: StateStore) -> Hash32:
    """Write accounts into an empty state and return its root."""
    world = store.world()
    for key, fields in alloc.items():
        address = hex_address(key)
        world.set_balance(address, number(fields["balance"]))
        world.set_nonce(address, number(fields.get("nonce", "0x0")))
        if code := from_hex(fields.get("code", "0x")):
            world.set_code(address, code)
        for slot, value in fields.get("storage", {}).items():
            world.set_storage(address, number(slot), number(value))
    world.end_transaction()
    return store.add(world.changes())

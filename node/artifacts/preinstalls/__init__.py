"""Contracts of others that applications expect at the same address on every chain.

The code is deployment data, not ours: README.md beside the files says where each comes from, under
which licence, and how it was checked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Preinstall:
    """A contract as its deployment leaves it: nonce, code and storage.

    `immutables` are the places in the code, in bytes, of values of 32 bytes that differ from chain
    to chain: they hold zeros.
    """

    name: str
    address: bytes
    nonce: int
    code: bytes
    code_hash: bytes
    storage: Mapping[int, int] = field(default_factory=dict)
    immutables: Mapping[str, int] = field(default_factory=dict)

    def code_with(self, **values: bytes) -> bytes:
        """Return the code with its immutable values, 32 bytes each; ValueError if they differ."""
        if values.keys() != self.immutables.keys():
            raise ValueError(
                f"{self.name}: expected {sorted(self.immutables)}, got {sorted(values)}"
            )
        code = bytearray(self.code)
        for name, value in values.items():
            if len(value) != 32:
                raise ValueError(f"{self.name}.{name}: expected 32 bytes, got {len(value)}")
            code[self.immutables[name] : self.immutables[name] + 32] = value
        return bytes(code)


@cache
def load_preinstall(name: str) -> Preinstall:
    """Read the contract of that name; FileNotFoundError if there is none."""
    content = json.loads(resources.files(__name__).joinpath(f"{name}.json").read_bytes())
    return Preinstall(
        name=content["name"],
        address=bytes.fromhex(content["address"][2:]),
        nonce=content["nonce"],
        code=bytes.fromhex(content["code"][2:]),
        code_hash=bytes.fromhex(content["codeHash"][2:]),
        storage={
            int(slot, 16): int(value, 16) for slot, value in content.get("storage", {}).items()
        },
        immutables=content.get("immutables", {}),
    )

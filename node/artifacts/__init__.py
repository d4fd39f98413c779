"""ABI and bytecode of our contracts, compiled from `contracts/` and shipped as package data."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

_SUFFIX = ".json"


class UnknownArtifactError(KeyError):
    """No contract of that name has been compiled into the package."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no artifact {name!r}; known: {', '.join(known)}")

    def __str__(self) -> str:
        """The message itself: KeyError would show its quoted form."""
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class StorageVariable:
    """A state variable: `offset` and `size` are bytes within its slot, counted from the right."""

    label: str
    slot: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract.

    `bytecode` is creation code, to which encoded constructor arguments are appended;
    `deployed_bytecode` is what genesis places at an address, with zeros where the constructor
    would write immutable values.
    """

    name: str
    abi: list[dict[str, Any]]
    bytecode: bytes
    deployed_bytecode: bytes
    storage_layout: tuple[StorageVariable, ...]
    immutables: tuple[slice, ...]
    """Where in the deployed bytecode immutable values are."""

    def is_deployed_as(self, code: bytes) -> bool:
        """Whether this is the contract's code, whatever its immutable values are."""
        bare = bytearray(code)
        for place in self.immutables:
            bare[place] = bytes(len(bare[place]))
        return bare == self.deployed_bytecode

    def storage(self, **values: int) -> dict[int, int]:
        """Return the slots that hold `values`: numbers, or addresses as numbers, by variable name.

        A slot of zero is left out: a state has none.

        ValueError if there is no such variable or the value is wider than it.
        """
        variables = {variable.label: variable for variable in self.storage_layout}
        slots: dict[int, int] = {}
        for label, value in values.items():
            if label not in variables:
                raise ValueError(f"{self.name}: no variable {label!r} in its storage")
            variable = variables[label]
            if not 0 <= value < 1 << 8 * variable.size:
                raise ValueError(
                    f"{self.name}.{label}: expected {variable.size} bytes, got {value}"
                )
            slots[variable.slot] = slots.get(variable.slot, 0) | value << 8 * variable.offset
        return {slot: value for slot, value in slots.items() if value}


@cache
def artifact_names() -> tuple[str, ...]:
    """Names that `load_artifact` knows, sorted."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return tuple(sorted(file.removesuffix(_SUFFIX) for file in files if file.endswith(_SUFFIX)))


@cache
def load_artifact(name: str) -> Artifact:
    """Read a contract by its Solidity name; raises `UnknownArtifactError`."""
    if name not in artifact_names():
        raise UnknownArtifactError(name, artifact_names())
    content = json.loads(resources.files(__name__).joinpath(name + _SUFFIX).read_bytes())
    return Artifact(
        name=content["contractName"],
        abi=content["abi"],
        bytecode=bytes.fromhex(content["bytecode"][2:]),
        deployed_bytecode=bytes.fromhex(content["deployedBytecode"][2:]),
        storage_layout=tuple(
            StorageVariable(entry["label"], entry["slot"], entry["offset"], entry["bytes"])
            for entry in content["storageLayout"]
        ),
        immutables=tuple(
            slice(place["start"], place["start"] + place["length"])
            for places in content.get("immutableReferences", {}).values()
            for place in places
        ),
    )

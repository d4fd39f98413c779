"""Contracts of a test: compiled by whatever tool, deployed through web3.py."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from node.artifacts import Artifact
from node.errors import ConfigError
from openrollup.testing.errors import DevnetError

if TYPE_CHECKING:
    from web3 import Web3
    from web3.contract import Contract

Abi: TypeAlias = Sequence[Mapping[str, Any]]
Compiled: TypeAlias = "Artifact | Mapping[str, Any] | str | Path | Abi"


def deploy(w3: "Web3", compiled: Compiled, arguments: tuple[Any, ...]) -> "Contract":
    """Create a contract from the default account; ConfigError if it is not one.

    `compiled` is an artifact (an object, or a JSON file of Foundry, Hardhat or solc), or an ABI:
    then the bytecode is the first argument. DevnetError if the constructor fails.
    """
    abi, bytecode, arguments = _read(compiled, arguments)
    factory = w3.eth.contract(abi=abi, bytecode=bytecode)
    transaction = factory.constructor(*arguments).transact()
    receipt = w3.eth.wait_for_transaction_receipt(transaction)
    if receipt["status"] != 1:
        raise DevnetError(
            f"deploy: the constructor failed in transaction {transaction.to_0x_hex()}"
        )
    return cast("Contract", w3.eth.contract(address=receipt["contractAddress"], abi=abi))


def _read(compiled: Compiled, arguments: tuple[Any, ...]) -> tuple[Any, Any, tuple[Any, ...]]:
    if isinstance(compiled, Artifact):
        return compiled.abi, compiled.bytecode, arguments
    content: Any = _read_file(Path(compiled)) if isinstance(compiled, str | Path) else compiled
    if isinstance(content, Mapping):
        return content.get("abi"), _bytecode(content), arguments
    if not arguments or not isinstance(arguments[0], str | bytes):
        raise ConfigError("deploy: expected the bytecode (hexadecimal, or bytes) after an ABI")
    return list(content), arguments[0], arguments[1:]


def _read_file(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"deploy: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"deploy: {path}: expected JSON: {error}") from error


def _bytecode(artifact: Mapping[str, Any]) -> Any:
    """Find the creation code where Hardhat and we, Foundry, or solc have it."""
    code = artifact.get("bytecode", artifact.get("bin"))
    if isinstance(code, Mapping):
        code = code.get("object")
    if not isinstance(code, str | bytes) or not isinstance(artifact.get("abi"), list):
        raise ConfigError(
            f"deploy: expected an artifact with abi and bytecode, got {', '.join(artifact)}"
        )
    return code

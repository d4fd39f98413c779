"""Where things of a rollup are on L1: the content of addresses.json."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from node.errors import ConfigError
from node.json_file import read_json
from node.types.primitives import Address, checksum_address, hex_address


@dataclass(frozen=True, slots=True)
class L1Contracts:
    """Where the rollup's contracts are on L1; a rollup without attribution has no verifier."""

    open_token: Address
    system_config: Address
    optimism_portal: Address
    l1_cross_domain_messenger: Address
    l1_standard_bridge: Address
    l2_output_oracle: Address
    attribution_verifier: Address | None = None


@dataclass(frozen=True, slots=True)
class L1Addresses:
    """The contracts, and whom they knew when they were deployed."""

    contracts: L1Contracts
    batch_inbox: Address
    batcher: Address
    proposer: Address
    challenger: Address


def addresses_to_json(addresses: L1Addresses) -> dict[str, str]:
    """Return the content of addresses.json."""
    return {name: checksum_address(address) for name, address in _by_name(addresses).items()}


def read_addresses(path: Path) -> L1Addresses:
    """Read addresses.json; ConfigError names the file and what is wrong in it."""
    raw = read_json(path)
    contracts = L1Contracts(*(_address(path, raw, name) for name in _CONTRACTS))
    if isinstance(raw, dict) and _VERIFIER in raw:
        contracts = replace(contracts, attribution_verifier=_address(path, raw, _VERIFIER))
    return L1Addresses(contracts, *(_address(path, raw, name) for name in _OTHERS))


_CONTRACTS = (
    "openToken",
    "systemConfig",
    "optimismPortal",
    "l1CrossDomainMessenger",
    "l1StandardBridge",
    "l2OutputOracle",
)
_VERIFIER = "attributionVerifier"
_OTHERS = ("batchInbox", "batcher", "proposer", "challenger")


def _by_name(addresses: L1Addresses) -> dict[str, Address]:
    contracts = addresses.contracts
    verifier = contracts.attribution_verifier
    return {
        "openToken": contracts.open_token,
        "systemConfig": contracts.system_config,
        "optimismPortal": contracts.optimism_portal,
        "l1CrossDomainMessenger": contracts.l1_cross_domain_messenger,
        "l1StandardBridge": contracts.l1_standard_bridge,
        "l2OutputOracle": contracts.l2_output_oracle,
        **({} if verifier is None else {_VERIFIER: verifier}),
        "batchInbox": addresses.batch_inbox,
        "batcher": addresses.batcher,
        "proposer": addresses.proposer,
        "challenger": addresses.challenger,
    }


def _address(path: Path, raw: Any, name: str) -> Address:
    if isinstance(raw, dict) and name not in raw:
        raise ConfigError(
            f"{path}: {name}: it is missing: an older version has deployed this rollup, without "
            "what this one needs on L1: go on with that version, or deploy a new rollup elsewhere"
        )
    try:
        return hex_address(str(raw[name]))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {name}: expected an address") from error

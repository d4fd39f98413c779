"""What a user sees first: accounts, keys, URLs, addresses."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from consensus.deploy import L1Addresses, L1Contracts, addresses_to_json
from node.genesis import DevAccount
from node.types.primitives import checksum_address


@dataclass(frozen=True, slots=True)
class Network:
    """A running dev network. `files` is where the configuration was written, if anywhere."""

    l1_chain_id: int
    l1_url: str
    l2_chain_id: int
    l2_url: str
    verifier_url: str
    accounts: tuple[DevAccount, ...]
    addresses: L1Addresses
    files: Path | None


def announce(network: Network, *, json: bool) -> None:
    """Print the network to standard output, as text or as one line of JSON."""
    if json:
        text = orjson.dumps({"event": "started", **_as_json(network)}).decode() + "\n"
    else:
        text = _as_text(network)
    sys.stdout.write(text)
    sys.stdout.flush()


def accounts_json(accounts: tuple[DevAccount, ...]) -> list[dict[str, str]]:
    """Return accounts.json's content."""
    return [
        {
            "address": checksum_address(account.address),
            "privateKey": "0x" + account.private_key.hex(),
        }
        for account in accounts
    ]


def contracts_json(contracts: L1Contracts) -> dict[str, str]:
    """Return the contracts' addresses by their names."""
    verifier = contracts.attribution_verifier
    return {
        "OpenToken": checksum_address(contracts.open_token),
        "SystemConfig": checksum_address(contracts.system_config),
        "OptimismPortal": checksum_address(contracts.optimism_portal),
        "L1CrossDomainMessenger": checksum_address(contracts.l1_cross_domain_messenger),
        "L1StandardBridge": checksum_address(contracts.l1_standard_bridge),
        "L2OutputOracle": checksum_address(contracts.l2_output_oracle),
        **({} if verifier is None else {"AttributionVerifier": checksum_address(verifier)}),
    }


def contract_lines(contracts: L1Contracts) -> list[str]:
    """Return a line for each contract."""
    return [f"{name:<22}  {address}" for name, address in contracts_json(contracts).items()]


def role_lines(addresses: L1Addresses) -> list[str]:
    """Return a line for each address on L1 that is no contract of ours."""
    roles = {
        "batch inbox": addresses.batch_inbox,
        "batcher": addresses.batcher,
        "proposer": addresses.proposer,
        "challenger": addresses.challenger,
    }
    return [f"{name:<22}  {checksum_address(address)}" for name, address in roles.items()]


def _as_json(network: Network) -> dict[str, Any]:
    return {
        "l1": {"chainId": network.l1_chain_id, "url": network.l1_url},
        "l2": {"chainId": network.l2_chain_id, "url": network.l2_url},
        "verifier": {"url": network.verifier_url},
        "accounts": accounts_json(network.accounts),
        "contracts": contracts_json(network.addresses.contracts),
        "addresses": addresses_to_json(network.addresses),
        "files": None if network.files is None else str(network.files),
    }


def _as_text(network: Network) -> str:
    lines = [
        "",
        "OpenRollup",
        "",
        "Accounts, 10,000 OPEN each on L2 and L1 (the keys are public: never use them elsewhere)",
    ]
    for number, account in enumerate(network.accounts):
        shown, key = checksum_address(account.address), account.private_key.hex()
        lines.append(f"  ({number}) {shown}  0x{key}")
    lines += [
        "",
        f"L2 (OPEN)  chain {network.l2_chain_id}  {network.l2_url}",
        f"L1         chain {network.l1_chain_id}  {network.l1_url}",
        f"verifier   chain {network.l2_chain_id}  {network.verifier_url}  L2 as L1 alone gives it",
        "",
        "Contracts on L1",
        *(f"  {line}" for line in contract_lines(network.addresses.contracts)),
        *(f"  {line}" for line in role_lines(network.addresses)),
    ]
    if network.files is not None:
        lines += ["", f"Configuration files are in {network.files}"]
    lines += ["", "Ctrl-C stops everything.", "", ""]
    return "\n".join(lines)

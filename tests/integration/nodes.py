"""The programs of these tests: our node in its roles, and Anvil as somebody else's L1."""

import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

import pytest

from node.types.primitives import Address, hex_address
from tests.integration.processes import (
    Process,
    free_port,
    json_line,
    openrollup,
    wait_for_port,
)

CLIENTS = Path(__file__).resolve().parents[1] / "clients"


@dataclass(frozen=True, slots=True)
class Account:
    """A funded user account."""

    address: Address
    private_key: bytes


@dataclass(frozen=True, slots=True)
class Started:
    """What `openrollup dev` says about itself when it is ready."""

    l1_url: str
    l1_chain_id: int
    l2_url: str
    l2_chain_id: int
    verifier_url: str
    accounts: tuple[Account, ...]
    contracts: Mapping[str, Address]
    files: Path

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> Self:
        """Read the `started` event."""
        return cls(
            l1_url=event["l1"]["url"],
            l1_chain_id=event["l1"]["chainId"],
            l2_url=event["l2"]["url"],
            l2_chain_id=event["l2"]["chainId"],
            verifier_url=event["verifier"]["url"],
            accounts=tuple(
                Account(
                    hex_address(entry["address"]),
                    bytes.fromhex(entry["privateKey"].removeprefix("0x")),
                )
                for entry in event["accounts"]
            ),
            contracts={name: hex_address(text) for name, text in event["contracts"].items()},
            files=Path(event["files"]),
        )


class DevNode(Process):
    """`openrollup dev`: everything in one process."""

    def __init__(
        self,
        out: Path,
        *,
        datadir: Path | None = None,
        block_time_s: int = 1,
        l1_block_time_s: int = 1,
        l1_url: str | None = None,
        key_file: Path | None = None,
        options: Sequence[str] = (),
        log: Path | None = None,
    ) -> None:
        arguments: list[str | Path] = ["dev", "--json", "--out", out]
        for option in ("--l1-port", "--port", "--verifier-port"):
            arguments += [option, "0"]
        arguments += ["--block-time", str(block_time_s)]
        if l1_url is None:
            arguments += ["--l1-block-time", str(l1_block_time_s)]
        else:
            assert key_file is not None
            arguments += ["--l1", l1_url, "--key-file", key_file]
        if datadir is not None:
            arguments += ["--datadir", datadir]
        super().__init__(openrollup(*arguments, *options), log)
        try:
            event = json_line(self.wait_for_line(lambda line: True))
            assert event.get("event") == "started", event
            self.started = Started.parse(event)
        except BaseException:
            self.close()
            raise


class VerifierNode(Process):
    """`openrollup verifier`, which knows nothing but the configuration files and L1."""

    def __init__(
        self, files: Path, l1_url: str, datadir: Path, options: Sequence[str] = ()
    ) -> None:
        super().__init__(
            openrollup(
                *("verifier", "--json", "--l1", l1_url, "--port", "0", "--datadir", datadir),
                *("--rollup", files / "rollup.json"),
                *("--genesis", files / "genesis.json"),
                *("--l1-chain", files / "l1-chain.json"),
                *options,
            )
        )
        try:
            event = json_line(self.wait_for_line(lambda line: True))
            self.url: str = event["l2"]["url"]
        except BaseException:
            self.close()
            raise


class Anvil(Process):
    """Foundry's development chain, with the ten accounts that we use too."""

    RICH_KEY = bytes.fromhex("dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97")
    """The key of the last but one of the ten, which has 10,000 ether; the last one deposits."""

    def __init__(
        self, *, block_time_s: int = 1, slots_in_an_epoch: int = 1, hardfork: str = "prague"
    ) -> None:
        """Start it. Its finalized block is two epochs behind the head."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(
            [
                client_tool("anvil"),
                *("--hardfork", hardfork, "--slots-in-an-epoch", str(slots_in_an_epoch)),
                *("--block-time", str(block_time_s), "--port", str(self.port), "--quiet"),
            ]
        )
        try:
            wait_for_port(self, self.port)
        except BaseException:
            self.close()
            raise


def client_tool(name: str) -> Path:
    """Return the program `name` of tests/clients, or skip the test that needs it."""
    package = CLIENTS / "node_modules" / "@foundry-rs" / f"{name}-{_platform()}"
    # The package's own program: the wrapper in .bin would start Node for each call and would
    # survive a signal that its child does not.
    program = package / "bin" / name
    if not program.exists():
        absent(f"{name} is not installed: run `make clients`, which needs npm")
    return program


def node_program() -> Path:
    """Return Node.js, or skip the test that needs it."""
    program = shutil.which("node")
    if program is None or not (CLIENTS / "node_modules" / "viem").exists():
        absent("viem is not installed: run `make clients`, which needs Node 20 and npm")
    return Path(program)


def absent(reason: str) -> NoReturn:
    """Skip with the reason; in CI, where everything must be there, fail."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (CI must not skip this)")
    pytest.skip(reason)


def _platform() -> str:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{platform.system().lower()}-{machine}"

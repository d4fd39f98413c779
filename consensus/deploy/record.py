"""What is written down about a deployment, so that it can go on after whatever interrupts it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consensus.deploy.settings import DeploySettings, settings_to_json
from consensus.json_fields import JsonFields
from node.errors import ConfigError
from node.json_file import read_json, write_json
from node.types.block import BlockRef
from node.types.primitives import Address, BlockNumber, Hash32, checksum_address

RECORD_FILE = "deployment.json"


@dataclass(frozen=True, slots=True)
class RollupStart:
    """The L1 block after which a rollup's derivation begins; `timestamp` is in seconds."""

    l1: BlockRef
    timestamp: int


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """A deployment that has begun.

    `settings` are in JSON. `starts` are the L1 blocks that were taken for the rollup's beginning:
    the output oracle on L1 says which of them holds, since it was created with its timestamp.
    """

    l1_chain_id: int
    l1_genesis: Hash32
    deployer: Address
    first_nonce: int
    settings: Any
    starts: tuple[RollupStart, ...] = ()

    def check_settings(self, settings: DeploySettings) -> None:
        """Refuse to go on with other settings than those that it began with (ConfigError)."""
        for name, value in settings_to_json(settings).items():
            begun = self.settings.get(name)
            if begun != value:
                raise ConfigError(
                    f"{name}: the deployment began with {begun}, got {value}: give what it began "
                    "with, or use another folder"
                )


def write_record(path: Path, record: DeploymentRecord) -> None:
    """Write the record so that a crash leaves the old one or the new one."""
    write_json(
        path,
        {
            "l1ChainId": record.l1_chain_id,
            "l1Genesis": "0x" + record.l1_genesis.hex(),
            "deployer": checksum_address(record.deployer),
            "firstNonce": record.first_nonce,
            "settings": record.settings,
            "starts": [
                {
                    "hash": "0x" + start.l1.hash.hex(),
                    "number": start.l1.number,
                    "timestamp": start.timestamp,
                }
                for start in record.starts
            ],
        },
    )


def find_record(path: Path) -> DeploymentRecord | None:
    """Read a record if there is one; ConfigError names the file and what is wrong in it."""
    if not path.exists():
        return None
    raw = read_json(path)
    try:
        return _parse(JsonFields(raw, ""))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _parse(fields: JsonFields) -> DeploymentRecord:
    settings, starts = fields.raw("settings"), fields.raw("starts")
    if not isinstance(settings, dict) or not isinstance(starts, list):
        raise ConfigError("expected an object of settings and a list of starts")
    record = DeploymentRecord(
        l1_chain_id=fields.integer("l1ChainId"),
        l1_genesis=fields.hash("l1Genesis"),
        deployer=fields.address("deployer"),
        first_nonce=fields.integer("firstNonce"),
        settings=settings,
        starts=tuple(_parse_start(JsonFields(start, "starts")) for start in starts),
    )
    fields.refuse_unknown()
    return record


def _parse_start(fields: JsonFields) -> RollupStart:
    block = BlockRef(fields.hash("hash"), BlockNumber(fields.integer("number")))
    return RollupStart(block, fields.integer("timestamp"))


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Let nobody else deploy with a folder's record meanwhile; ConfigError if somebody does."""
    handle = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ConfigError(
            f"{directory}: another process deploys with this folder: wait for it, or use another"
        ) from None
    try:
        yield
    finally:
        os.close(handle)

"""L1's blob fee schedule, from its geth-format chain config (l1-chain.json)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from consensus.json_fields import JsonFields
from node.config import BLOCK_FORKS
from node.errors import ConfigError, CriticalError
from node.execution.fees import fake_exponential
from node.json_file import read_json
from node.types.blob_sidecar import BLOB_PROOFS, CELL_PROOFS
from node.types.block import Header

_MAX_FEE_EXPONENT: Final = 177
"""The largest power of e below 2 ** 256."""

_BLOB_FORKS: Final = (
    ("cancun", "cancunTime"),
    ("prague", "pragueTime"),
    ("osaka", "osakaTime"),
    ("bpo1", "bpo1Time"),
    ("bpo2", "bpo2Time"),
    ("bpo3", "bpo3Time"),
    ("bpo4", "bpo4Time"),
    ("bpo5", "bpo5Time"),
)
# What else a geth chain config may hold; none of it bears on the blob fee.
_IRRELEVANT: Final = (
    *BLOCK_FORKS,
    "daoForkBlock",
    "daoForkSupport",
    "eip150Hash",
    "shanghaiTime",
    "amsterdamTime",
    "verkleTime",
    "terminalTotalDifficulty",
    "terminalTotalDifficultyPassed",
    "depositContractAddress",
    "enableVerkleAtGenesis",
    "ethash",
    "clique",
)


@dataclass(frozen=True, slots=True)
class BlobFeeFork:
    """A fork's EIP-7840 update fraction, in force from `time` (seconds)."""

    name: str
    time: int
    base_fee_update_fraction: int


@dataclass(frozen=True, slots=True)
class L1ChainConfig:
    """L1's chain id and its blob fee forks, in order of activation."""

    chain_id: int
    blob_forks: tuple[BlobFeeFork, ...]
    osaka_time: int | None = None

    def blob_proof_version(self, timestamp: int) -> int:
        """Return which proofs L1 wants beside blobs: those of cells since Osaka (EIP-7594)."""
        is_osaka = self.osaka_time is not None and timestamp >= self.osaka_time
        return CELL_PROOFS if is_osaka else BLOB_PROOFS

    def blob_base_fee(self, header: Header) -> int:
        """Return what one unit of blob gas cost in this L1 block, in wei (EIP-4844).

        1, the minimum, before the first blob fork. CriticalError for a header whose fee would not
        fit into 256 bits: no chain gets there, and computing it would take forever.
        """
        active = [fork for fork in self.blob_forks if fork.time <= header.timestamp]
        if not active:
            return 1
        fraction = active[-1].base_fee_update_fraction
        if header.excess_blob_gas > _MAX_FEE_EXPONENT * fraction:
            raise CriticalError(
                f"L1 block {header.number} excessBlobGas: expected at most "
                f"{_MAX_FEE_EXPONENT * fraction}, got {header.excess_blob_gas}"
            )
        return fake_exponential(1, header.excess_blob_gas, fraction)


def read_l1_chain_config(path: Path) -> L1ChainConfig:
    """Read l1-chain.json; ConfigError names the file and what is wrong in it."""
    raw = read_json(path)
    try:
        return parse_l1_chain_config(raw)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse_l1_chain_config(raw: object) -> L1ChainConfig:
    """Check a geth-format chain config; ConfigError names the field that is wrong."""
    fields = JsonFields(raw, "")
    schedule = fields.object("blobSchedule")
    forks: list[BlobFeeFork] = []
    for name, time_field in _BLOB_FORKS:
        time = fields.optional_integer(time_field)
        # geth's own files carry entries of forks that are not scheduled: read, checked, unused.
        entry = schedule.object(name) if schedule.has(name) else None
        fraction = None if entry is None else _parse_fraction(entry)
        if time is None:
            continue
        if fraction is not None:
            forks.append(BlobFeeFork(name, time, fraction))
        elif name == "osaka" and forks:
            # Osaka itself did not change the schedule; the entry may be left out.
            continue
        else:
            raise ConfigError(f"blobSchedule.{name}: expected an entry ({time_field} is set)")
    if not forks:
        raise ConfigError("cancunTime: expected the activation time of blobs, it is missing")
    if [fork.time for fork in forks] != sorted(fork.time for fork in forks):
        raise ConfigError("blobSchedule: expected forks to activate in their order")
    osaka_time = fields.optional_integer("osakaTime")
    config = L1ChainConfig(fields.integer("chainId", minimum=1), tuple(forks), osaka_time)
    for name in _IRRELEVANT:
        fields.has(name)
    schedule.refuse_unknown()
    fields.refuse_unknown()
    return config


def _parse_fraction(entry: JsonFields) -> int:
    entry.integer("target")
    entry.integer("max")
    fraction = entry.integer("baseFeeUpdateFraction", minimum=1)
    entry.refuse_unknown()
    return fraction

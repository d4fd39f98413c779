"""What `openrollup dev` was asked for, and what of it contradicts itself or what is stored."""

import socket
from dataclasses import dataclass
from pathlib import Path

from consensus.batcher.channel_builder import BatchType
from consensus.batcher.data_availability import DataAvailability
from consensus.config import RollupConfig
from node.config import ChainConfig
from node.errors import ConfigError
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from openrollup.datadir import DevPaths

DEFAULT_BLOCK_TIME_S = 1
DEFAULT_L1_BLOCK_TIME_S = 3
DEFAULT_L1_FINALIZED_DISTANCE = 4
DEFAULT_GAS_LIMIT = 30_000_000
DEFAULT_L1_PORT = 8545
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class DevOptions:
    """`datadir` None keeps everything in memory. Other Nones: what is stored, or the default."""

    datadir: Path | None = None
    out: Path | None = None
    l1_url: str | None = None
    l1_beacon_url: str | None = None
    l1_trust_rpc: bool = False
    l1_rate_limit: int | None = None
    l1_chain: Path | None = None
    key_file: Path | None = None
    block_time_s: int | None = None
    l1_block_time_s: int | None = None
    l1_finalized_distance: int = DEFAULT_L1_FINALIZED_DISTANCE
    automine: bool = False
    gas_limit: int | None = None
    attribution: bool = True
    max_da_bytes: int = 1_000_000
    da: DataAvailability = DataAvailability.CALLDATA
    batch_type: BatchType = BatchType.SPAN
    l1_port: int | None = None
    port: int = 9545
    verifier_port: int = 9546
    kept_blocks: int | None = None
    evm: Interpreter = DEFAULT_INTERPRETER
    json: bool = False

    @property
    def paths(self) -> DevPaths:
        """Where the stores are."""
        return DevPaths(self.datadir)

    def check(self) -> None:
        """Refuse flags that do not go together, and ports that are taken; ConfigError names one."""
        self._check_flags()
        self._check_stored_l1()
        self._check_ports()

    def check_against(self, rollup: RollupConfig, chain: ChainConfig) -> None:
        """Refuse what contradicts the rollup that the datadir holds."""
        stored = (
            ("--block-time", rollup.block_time, self.block_time_s),
            ("--gas-limit", rollup.genesis.system_config.gas_limit, self.gas_limit),
        )
        if chain.attribution is not None and not self.attribution:
            raise ConfigError(
                f"--no-attribution: the rollup in {self.datadir} was made with attribution: leave "
                "the flag out, or choose another --datadir"
            )
        for flag, value, given in stored:
            if given is not None and given != value:
                raise ConfigError(
                    f"{flag}: the rollup in {self.datadir} was made with {value}, got {given}: "
                    "leave the flag out, or choose another --datadir"
                )

    def _check_flags(self) -> None:
        if self.l1_url is None:
            if self.key_file is not None:
                raise ConfigError("--key-file: goes with --l1, the embedded L1 has its own keys")
            if self.l1_beacon_url is not None:
                raise ConfigError("--l1-beacon: goes with --l1, the embedded L1 serves its blobs")
            if self.l1_trust_rpc:
                raise ConfigError("--l1-trust-rpc: goes with --l1")
            if self.l1_rate_limit is not None:
                raise ConfigError("--l1-rate-limit: goes with --l1")
            if self.l1_chain is not None:
                raise ConfigError("--l1-chain: goes with --l1, the embedded L1 has its own rules")
            return
        if self.key_file is None:
            raise ConfigError(
                "--key-file: expected beside --l1: the key pays for the contracts on L1"
            )
        if self.automine:
            raise ConfigError("--automine: the clock of an outside L1 cannot follow L2's")
        if self.l1_block_time_s is not None:
            raise ConfigError("--l1-block-time: an outside L1 has its own")

    def _check_stored_l1(self) -> None:
        if self.datadir is None or self.paths.l1 is None:
            return
        is_embedded = self.paths.l1.exists()
        if self.l1_url is not None and is_embedded:
            raise ConfigError(
                f"--l1: {self.datadir} was made with an embedded L1: leave --l1 out, or choose "
                "another --datadir"
            )
        if self.l1_url is None and not is_embedded and (self.datadir / "rollup.json").exists():
            raise ConfigError(
                f"--l1: {self.datadir} was made on an outside L1: give its URL, or choose another "
                "--datadir"
            )

    def _check_ports(self) -> None:
        """Before anything is done: contracts on an outside L1 cost money."""
        wanted = {"--port": self.port, "--verifier-port": self.verifier_port}
        if self.l1_url is None:
            wanted["--l1-port"] = DEFAULT_L1_PORT if self.l1_port is None else self.l1_port
        taken: dict[int, str] = {}
        for flag, port in wanted.items():
            if port == 0:
                continue
            if port in taken:
                raise ConfigError(f"{flag}: {port} is the port of {taken[port]} already")
            taken[port] = flag
            _check_free(flag, port)


def _check_free(flag: str, port: int) -> None:
    with socket.socket() as probe:
        # As the server does: a port whose last connections are ending is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise ConfigError(
                f"{flag}: cannot listen on {_HOST}:{port}, choose another port: {error.strerror}"
            ) from error

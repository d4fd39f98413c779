"""What a test may choose about its network."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from consensus.batcher.channel_builder import BatchType
from consensus.batcher.data_availability import DataAvailability
from node.errors import ConfigError
from openrollup.dev_options import DEFAULT_BLOCK_TIME_S, DEFAULT_GAS_LIMIT


@dataclass(frozen=True, slots=True)
class DevnetOptions:
    """`block_time` is in seconds, between two L2 blocks; `gas_limit` is an L2 block's.

    With `automine` the sequencer builds a block as soon as a transaction arrives. `da` and
    `batch_type` are how the batcher writes to L1, as for `openrollup dev`.
    """

    automine: bool = False
    block_time: int = DEFAULT_BLOCK_TIME_S
    gas_limit: int = DEFAULT_GAS_LIMIT
    da: str = DataAvailability.CALLDATA.value
    batch_type: str = BatchType.SPAN.value

    @classmethod
    def parse(cls, given: Mapping[str, object]) -> Self:
        """Check names and values; ConfigError names the one that is wrong."""
        types = {field.name: field.type for field in fields(cls)}
        for name, value in given.items():
            if name not in types:
                raise ConfigError(f"{name}: there is no such option: {', '.join(types)}")
            # bool is a kind of int, but block_time=True is a mistake.
            if type(value) is not types[name]:
                wanted = getattr(types[name], "__name__", types[name])
                raise ConfigError(f"{name}: expected {wanted}, got {value!r}")
        options = cls(**given)  # type: ignore[arg-type]
        options._check()
        return options

    def _check(self) -> None:
        if not 1 <= self.block_time <= 60:
            raise ConfigError(f"block_time: expected 1 to 60 seconds, got {self.block_time}")
        for name, kind in (("da", DataAvailability), ("batch_type", BatchType)):
            known = [item.value for item in kind]
            if getattr(self, name) not in known:
                expected, actual = " or ".join(known), getattr(self, name)
                raise ConfigError(f"{name}: expected {expected}, got {actual!r}")

"""A precompile called by itself, without an interpreter around it."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from eth.exceptions import VMError

from node.evm.environment import no_interrupt
from node.evm.precompiles import Precompile


@dataclass
class Message:
    """The part of a message that precompiles read."""

    data: bytes

    @property
    def data_as_bytes(self) -> bytes:
        return self.data


UNINTERRUPTED = SimpleNamespace(execution_context=SimpleNamespace(interrupt=no_interrupt))


@dataclass
class Computation:
    """The part of a py-evm computation that precompiles use."""

    msg: Message
    gas_used: int = 0
    output: bytes = field(default=b"")
    state: Any = field(default_factory=lambda: UNINTERRUPTED)

    def consume_gas(self, amount: int, reason: str) -> None:
        self.gas_used += amount


def call(precompile: Precompile, data: bytes) -> tuple[bytes, int] | None:
    """Return output and gas; None if the precompile fails, which burns all gas."""
    computation = Computation(Message(data))
    try:
        precompile(computation)
    except VMError:
        return None
    return computation.output, computation.gas_used

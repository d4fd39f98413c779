"""The rules of one moment of one chain, as values: what the forks and both rule sets differ in."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from node.config import AttributionConfig, ChainConfig
from node.evm import opcodes
from node.evm.opcodes import Opcode
from node.evm.precompiles import Precompile, precompiles_for
from node.types.primitives import Address


class Interpreter(Enum):
    """What runs code; all give the same results.

    BOTH runs every message with one and then with the other, and CriticalError says in what they
    differ, should they: for finding faults, at more than the cost of the two.
    """

    REFERENCE = "reference"
    FAST = "fast"
    BOTH = "both"


DEFAULT_INTERPRETER: Final = Interpreter.FAST
"""What runs code where nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything in the EVM and in the treatment of a transaction that depends on the fork.

    `lane` is None where the receipt precompile is not active; the precompile itself is then
    missing from `precompiles` too. All precompile addresses are always warm (EIP-2929).
    """

    is_prague: bool
    is_rollup: bool
    is_jovian: bool
    opcodes: tuple[Opcode, ...]
    precompiles: Mapping[Address, Precompile]
    lane: AttributionConfig | None
    interpreter: Interpreter


def rules_at(
    config: ChainConfig, timestamp: int, interpreter: Interpreter = DEFAULT_INTERPRETER
) -> Rules:
    """Return the rules of the block with this timestamp, and what is to run code under them."""
    return _rules(
        config.is_prague(timestamp),
        config.rollup is not None,
        config.is_jovian(timestamp),
        config.attribution if config.is_attribution(timestamp) else None,
        interpreter,
    )


@lru_cache(maxsize=16)
def _rules(
    is_prague: bool,
    is_rollup: bool,
    is_jovian: bool,
    lane: AttributionConfig | None,
    interpreter: Interpreter,
) -> Rules:
    precompiles = precompiles_for(
        is_prague=is_prague,
        is_rollup=is_rollup,
        is_jovian=is_jovian,
        has_receipts=lane is not None,
    )
    table = opcodes.PRAGUE if is_prague else opcodes.CANCUN
    return Rules(is_prague, is_rollup, is_jovian, table, precompiles, lane, interpreter)

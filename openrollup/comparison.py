"""Is what the verifier derived from L1 what the sequencer built? Block by block."""

from node.errors import CriticalError
from node.reader import Reader
from node.types.primitives import BlockNumber


class Divergence(CriticalError):
    """Two nodes hold different safe blocks at one height."""


class Comparison:
    """Compares the safe chains of two nodes, each block once."""

    def __init__(self, sequencer: Reader, verifier: Reader) -> None:
        self._sequencer = sequencer
        self._verifier = verifier
        self._equal_to = 0

    @property
    def equal_to(self) -> int:
        """The highest block that both hold as safe and that was found equal."""
        return self._equal_to

    def advance(self) -> None:
        """Compare what became safe on both since the last call; Divergence names the block."""
        both = min(self._sequencer.heads().safe.number, self._verifier.heads().safe.number)
        # An L1 reorg takes safe blocks back: what replaces them is compared again.
        self._equal_to = min(self._equal_to, both)
        for number in range(self._equal_to + 1, both + 1):
            built = self._sequencer.canonical_hash(BlockNumber(number))
            derived = self._verifier.canonical_hash(BlockNumber(number))
            if built is None or derived is None:
                return  # a reorg is under way between the two reads
            if built != derived:
                raise Divergence(
                    f"block {number}: the sequencer built 0x{built.hex()}, "
                    f"L1 gives 0x{derived.hex()}"
                )
            self._equal_to = number

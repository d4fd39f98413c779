"""What the numbers about a model or a dataset are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attribution.registry import Dataset, Model
from attribution.settlements import Settlement
from node.attribution_entries import Batch
from node.types.primitives import Address


@dataclass(frozen=True, slots=True)
class ModelUse:
    """All of a model, in the chain's order: its receipts by their loggers, and its settlements.

    `dataset_count` is how many datasets there are, of any model: their ids are 1 to this.
    """

    model: Model
    batches: Mapping[Address, Sequence[Batch]]
    settlements: Sequence[Settlement]
    dataset_count: int

    def settlements_of(self, logger: Address) -> list[Settlement]:
        """Return those that paid for a logger's receipts."""
        return [settlement for settlement in self.settlements if settlement.logger == logger]


@dataclass(frozen=True, slots=True)
class DatasetUse:
    """All of a dataset: the use of each model that names it in receipts or has paid for it."""

    dataset: Dataset
    uses: Sequence[ModelUse]

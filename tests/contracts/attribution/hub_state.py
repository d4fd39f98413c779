"""What the model of the AttributionHub keeps: plain records in plain numbers."""

from collections import defaultdict
from dataclasses import dataclass, field

from node.types.primitives import ZERO_ADDRESS, Address


@dataclass(slots=True)
class Stream:
    """What a logger has written for a model."""

    amount: int = 0
    count: int = 0
    credits: dict[int, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(slots=True)
class Account:
    """How a stream counts: `receipts` is the stream itself, or a copy from when it was retired."""

    receipts: Stream
    status: str = "active"
    settled_gwei: int = 0
    paid: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def unsettled_gwei(self) -> int:
        return 0 if self.status == "abandoned" else self.receipts.amount - self.settled_gwei

    def unpaid(self) -> dict[int, int]:
        """Credit that is not paid, of the datasets that have any."""
        if self.status == "abandoned":
            return {}
        everything = {id_: self.receipts.credits[id_] for id_ in self.receipts.credits}
        left = {id_: credit - self.paid[id_] for id_, credit in everything.items()}
        return {id_: credit for id_, credit in sorted(left.items()) if credit}


@dataclass(slots=True)
class Model:
    """A model's terms."""

    owner: Address
    owner_bps: int
    payout: Address
    declared: tuple[int, ...]
    logger: Address = ZERO_ADDRESS


@dataclass(slots=True)
class Escrow:
    """A payer's money for one model, in gwei."""

    signer: Address
    balance: int = 0
    spent: int = 0
    requested: int = 0
    requested_at: int = 0

"""The whole story, and what has come of it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from attribution.client.escrow import Paid
from medical import chapters, evidence
from medical.cast import GWEI, Cast, Person, assemble
from medical.corpus import load_corpus
from medical.gateway import Answer, Gateway, Offer
from medical.language_model import LanguageModel
from medical.node import Node
from medical.weights import Attributor
from node.types.primitives import Address


@dataclass(frozen=True)
class Outcome:
    """What has come of it, for whoever checks. Amounts are in wei.

    `proven` is the number of the receipt that was proven, with this `verdict`.
    """

    offer: Offer
    cast: Cast
    answers: tuple[Answer, ...]
    deposited: int
    charged: int
    left_in_escrow: int
    claims: dict[Person, Paid]
    audited: dict[Address, int]
    proven: int
    verdict: str


def tell(node: Node, out: Path) -> Outcome:
    """Let it happen on a rollup; the proof and its preimage are written to `out`."""
    datasets = load_corpus()
    attributor = Attributor(datasets)
    model = LanguageModel(attributor.documents)
    chapters.introduce(datasets)
    cast = assemble(node.l2_url, node.bank_key, len(datasets), len(chapters.QUESTIONS))
    offer = chapters.register(cast, datasets)
    gateway = Gateway(cast.gateway, offer, model, attributor)
    with ThreadPoolExecutor(1) as aside:
        training = aside.submit(chapters.record_training, cast, offer)
        deposited = chapters.deposit(cast, offer)
        chapters.ask(cast, offer, gateway)
        training.result()
    settlement = chapters.settle(cast, offer, gateway)
    claims = chapters.claim(cast, settlement, gateway)
    seq = evidence.show_receipt(gateway, attributor)
    evidence.show_recomputed(gateway.answers[seq], offer, attributor)
    verdict = evidence.prove_receipt(node, cast, offer, gateway.answers[seq], seq, out)
    audited = evidence.audit_payouts(cast, claims)
    evidence.show_statistics(node, offer)
    evidence.answer_the_question(node, cast)
    return Outcome(
        offer=offer,
        cast=cast,
        answers=tuple(gateway.answers),
        deposited=deposited,
        charged=settlement.charged_gwei * GWEI,
        left_in_escrow=_escrow_of(cast, offer),
        claims=dict(claims),
        audited=dict(audited),
        proven=seq,
        verdict=verdict,
    )


def _escrow_of(cast: Cast, offer: Offer) -> int:
    client = cast.gateway.client
    states = (client.escrow_of(user.address, offer.model_key) for user in cast.users)
    return sum(state.balance_gwei for state in states) * GWEI

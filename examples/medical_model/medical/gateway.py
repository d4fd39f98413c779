"""Answers questions for vouchers, and keeps the receipts: what a service in front of a model does.

What it says about weights is its word. It commits to it: whoever has question, answer and preimage
recomputes the weights and compares them with the receipt on the chain.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from attribution.client import ReceiptLog
from attribution.client.exchange import Included
from attribution.preimages import Preimage
from attribution.records import Influence, Method, Record
from attribution.voucher_book import EscrowState, VoucherBook
from attribution.vouchers import SignedVoucher
from medical.cast import Person
from medical.corpus import Document, tokens_of
from medical.language_model import LanguageModel
from medical.weights import Attribution, Attributor
from node.types.primitives import Address, Hash32


@dataclass(frozen=True)
class Answer:
    """What a user gets, and what the gateway keeps of it."""

    question: str
    text: str
    attribution: Attribution
    preimage: Preimage
    record: Record


@dataclass(frozen=True)
class Offer:
    """A model as it is registered: its key and hash, its price in gwei of OPEN an answer.

    `datasets` are the numbers that the datasets of the corpus have on the chain.
    """

    model_key: Hash32
    model_hash: Hash32
    price_gwei: int
    datasets: Mapping[int, int]


class Gateway:
    """Serves one model, as its logger on the chain."""

    def __init__(self, person: Person, offer: Offer, model: LanguageModel, weigh: Attributor):
        self.answers: list[Answer] = []
        self._client = person.client
        self._offer = offer
        self._model = model
        self._attributor = weigh
        self._book = VoucherBook(offer.model_key, person.client.party.chain_id)
        self._log = ReceiptLog(offer.model_key, person.address)
        self._escrows: dict[Address, EscrowState] = {}
        self._now = 0

    def look_at_escrows(self, payers: list[Address]) -> None:
        """Ask the chain what payers have set aside. Now and then: one may want it back."""
        self._now = self._client.w3.eth.get_block("latest")["timestamp"]
        for payer in payers:
            self._escrows[payer] = self._client.escrow_of(payer, self._offer.model_key)

    def ask(self, question: str, voucher: SignedVoucher) -> Answer:
        """Answer a question; a voucher that does not pay for it is refused (`VoucherRefusal`)."""
        payer = voucher.voucher.payer
        self._book.accept(voucher, self._escrows[payer], self._now)
        self._book.serve(payer, self._offer.price_gwei)
        answer = self._answer(question)
        self._log.add(answer.record)
        self.answers.append(answer)
        return answer

    def log_receipts(self) -> tuple[Included, ...]:
        """Append what has been answered since the last time, in one transaction."""
        return self._client.flush(self._log)

    @property
    def documents(self) -> tuple[Document, ...]:
        """What the model can answer about."""
        return self._attributor.documents

    @property
    def vouchers(self) -> tuple[SignedVoucher, ...]:
        """The last voucher of each payer: all that a settlement needs."""
        return self._book.vouchers()

    def _answer(self, question: str) -> Answer:
        text = self._model.answer(question)
        found = self._attributor.attribute(tokens_of(text))
        preimage = Preimage.of(
            self._offer.model_hash,
            question,
            text,
            prompt_tokens=len(tokens_of(question)),
            completion_tokens=len(tokens_of(text)),
            method=Method.SPAN,
            evidence_root=found.evidence_root,
        )
        weights = {self._offer.datasets[at]: weight for at, weight in found.by_dataset.items()}
        influences = tuple(Influence(*entry) for entry in sorted(weights.items()))
        record = Record(self._offer.price_gwei, influences, preimage.commitment)
        return Answer(question, text, found, preimage, record)

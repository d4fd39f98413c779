"""What can be checked afterwards, by whom, and what it comes to."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from audit import audit

from attribution.client.escrow import Paid
from attribution.client.hub_views import stream_of
from attribution.economics import Outcome
from medical.cast import Cast, Person
from medical.fifty_queries import PLAN, RATES, Month, months_of
from medical.gateway import Answer, Gateway, Offer
from medical.node import Node
from medical.proving import prove, recompute, run_command, verify, wait_until_proven
from medical.tables import chapter, open_of, percent, table
from medical.weights import Attributor
from node.types.primitives import Address


def show_receipt(gateway: Gateway, corpus: Attributor) -> int:
    """Show one answer with its spans, and return its number: the first that has three datasets."""
    chapter(7, "One receipt, proven on L1")
    answers = gateway.answers
    seq = next(at for at, answer in enumerate(answers) if len(answer.record.influences) == 3)
    answer = answers[seq]
    print(f"receipt {seq}: {answer.question}\n{answer.text}\n")
    words = answer.text.replace(".", " .").replace(",", " ,").replace(":", " :").split()
    rows = []
    for span in answer.attribution.spans:
        titles = sorted(corpus.documents[place].title for place in span.documents)
        rows.append((" ".join(words[span.start : span.end])[:56], ", ".join(titles)[:40]))
    print(table(("words of the answer", "are in"), rows))
    return seq


def prove_receipt(node: Node, cast: Cast, offer: Offer, answer: Answer, seq: int, out: Path) -> str:
    """Prove a receipt on L1, and return the verdict of a process that knows nothing else."""
    logger, stream = cast.gateway.account.address, stream_of(offer.model_key)
    wait_until_proven(cast.gateway.w3, logger, stream, seq)
    print("\n$ openrollup attribution prove --l2 URL ... --out proof.json\n")
    print(prove(node, logger, stream, seq, out))
    verdict = verify(node, answer, out)
    print("$ openrollup attribution verify proof.json --l1 URL --preimage preimages.json\n")
    print(verdict)
    return verdict


def show_recomputed(answer: Answer, offer: Offer, corpus: Attributor) -> None:
    """Say whether the gateway's word about the weights holds for one receipt."""
    if not recompute(answer, offer, corpus):
        raise AssertionError("the receipt is not what its answer and preimage give")
    print("\nThe weights are the gateway's word. Whoever has the answer and its preimage can")
    print("recompute them; the user has done so, and they are what the receipt says.")


def audit_payouts(cast: Cast, claims: Mapping[Person, Paid]) -> Mapping[Address, int]:
    """Recompute from logs and call data who earned what, and compare it with the claims."""
    chapter(8, "An auditor counts again, from logs and call data alone (audit.py)")
    earned = {account: models.total() for account, models in audit(cast.gateway.w3.eth).items()}
    for person, paid in claims.items():
        if earned.get(person.address) != paid.amount_wei:
            raise AssertionError(f"{person.name} has claimed something else")
        print(f"{person.name}: {open_of(earned[person.address])}, as claimed to the last wei")
    return earned


def show_statistics(node: Node, offer: Offer) -> None:
    """Print what any node says of the model: raw, and without the builder's friend."""
    chapter(9, "What everybody sees of the model")
    print(run_command("stats", "--l2", node.l2_url, "--model", f"0x{offer.model_key.hex()}"))


def answer_the_question(node: Node, cast: Cast) -> None:
    """Say what fifty questions a month come to, here and on an L1 with other prices."""
    chapter(10, "And at fifty questions a month, a cent each?")
    print("Here, where L1 costs nearly nothing:\n")
    rates = ("--open-usd", str(RATES.open_usd), "--eth-usd", str(RATES.eth_usd))
    print(run_command("economics", "--l2", node.l2_url, *rates).split("\n\n")[1])
    months = list(months_of(cast.gateway.w3))
    rows = [
        (f"{month.gas_gwei} gwei", f"{month.blob_gas_gwei} gwei", *map(_left, month.outcomes))
        for month in months
    ]
    print("\nOn a dearer L1, with ETH at $3,000: what is left of 0.50 dollars after all costs\n")
    print(table(("gas on L1", "blob gas", "data in blobs", "data in calldata"), rows))
    print()
    print(*_conclusion(months), sep="\n")


def _left(outcome: Outcome) -> str:
    even = outcome.break_even_queries
    pays = "never pays" if even is None else f"pays from {even:,} on"
    return f"{float(outcome.together_usd):8.4f} ({pays})"


def _conclusion(months: Sequence[Month]) -> Iterator[str]:
    for place, where in enumerate(("in blobs", "in calldata")):
        pays = [month.gas_gwei for month in months if month.outcomes[place].closes]
        if len(pays) == len(months):
            yield f"With L2's data {where}: yes, at each of these prices."
        elif pays:
            yield f"With L2's data {where}: yes, as long as gas costs up to {max(pays)} gwei on L1."
        else:
            yield f"With L2's data {where}: no, at none of these prices."
    dearest = months[-1].outcomes[0]
    kept = 10_000 * dearest.together_usd / PLAN.income_usd
    yield (
        f"At the highest of them, in blobs, {percent(float(kept))} of what users pay for answers\n"
        f"is left. Registration costs {float(dearest.setup_usd):.4f} dollars then, once."
    )

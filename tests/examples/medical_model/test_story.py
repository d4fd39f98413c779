"""The whole story on a real rollup, told once, and what must be true in the end."""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from medical.chapters import DEPOSIT_GWEI, OWNER_BPS, PRICE_GWEI, QUESTIONS
from medical.corpus import load_corpus
from medical.node import Node, own_node
from medical.proving import CommandFailed, recompute, run_command, verify
from medical.story import Outcome, tell
from medical.weights import Attributor

from attribution.client.hub_views import stream_of
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS

GWEI = 10**9
ANSWERS = sum(QUESTIONS)


@dataclass(frozen=True)
class Told:
    """A story that has been told, and the rollup on which it was."""

    node: Node
    outcome: Outcome
    files: Path
    text: str


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    files, text = tmp_path_factory.mktemp("story"), io.StringIO()
    with own_node() as node:
        with redirect_stdout(text):
            outcome = tell(node, files)
        yield Told(node, outcome, files, text.getvalue())


def test_money_is_conserved(told: Told) -> None:
    outcome = told.outcome
    client = outcome.cast.gateway.client
    claimed = sum(paid.amount_wei for paid in outcome.claims.values())
    assert outcome.deposited == len(QUESTIONS) * DEPOSIT_GWEI * GWEI
    assert outcome.charged == claimed == ANSWERS * PRICE_GWEI * GWEI
    assert outcome.left_in_escrow == outcome.deposited - outcome.charged
    assert client.w3.eth.get_balance(ATTRIBUTION_HUB_ADDRESS) == outcome.left_in_escrow
    assert [client.owed(person.address) for person in outcome.claims] == [0, 0, 0, 0]


def test_every_answer_has_a_receipt_that_is_paid(told: Told) -> None:
    outcome = told.outcome
    client, logger = outcome.cast.gateway.client, outcome.cast.gateway.address
    head = client.head(logger, stream_of(outcome.offer.model_key))
    assert (head.count, head.amount) == (ANSWERS, ANSWERS * PRICE_GWEI)
    assert client.unsettled(outcome.offer.model_key, logger).amount_gwei == 0
    assert len(outcome.answers) == ANSWERS
    for number, user in enumerate(outcome.cast.users):
        escrow = client.escrow_of(user.address, outcome.offer.model_key)
        assert escrow.spent_gwei == QUESTIONS[number] * PRICE_GWEI


def test_everybody_is_paid_by_the_weights(told: Told) -> None:
    """The builder its share, each dataset its credit and a third of what is unattributed."""
    outcome = told.outcome
    builder, *contributors = outcome.claims.values()
    assert builder.amount_wei == outcome.charged * OWNER_BPS // 10_000
    weights = [answer.attribution.by_dataset for answer in outcome.answers]
    rest = sum(10_000 - sum(weight.values()) for weight in weights)
    for place, paid in enumerate(contributors):
        points = sum(weight.get(place, 0) for weight in weights) + rest / 3
        share = PRICE_GWEI * GWEI * points / 10_000 * (10_000 - OWNER_BPS) / 10_000
        assert paid.amount_wei == pytest.approx(share, rel=1e-9)


def test_the_auditor_gets_the_same(told: Told, folder: Path) -> None:
    outcome = told.outcome
    claims = {person.address: paid.amount_wei for person, paid in outcome.claims.items()}
    assert outcome.audited == claims
    command = [sys.executable, str(folder / "audit.py"), told.node.l2_url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for account, wei in claims.items():
        assert f"0x{account.hex()} {{'0x{outcome.offer.model_key.hex()}': {wei}}}" in done.stdout


def test_the_proof_is_true_and_a_changed_one_is_not(told: Told, tmp_path: Path) -> None:
    assert told.outcome.verdict.startswith("true: receipt ")
    proof = (told.files / "proof.json").read_text()
    at = proof.index('"record":"0x') + len('"record":"0x')
    changed = proof[:at] + ("1" if proof[at] != "1" else "2") + proof[at + 1 :]
    (tmp_path / "proof.json").write_text(changed)
    with pytest.raises(CommandFailed, match="verify"):
        verify(told.node, told.outcome.answers[told.outcome.proven], tmp_path)


def test_another_answers_preimage_is_refused(told: Told) -> None:
    with pytest.raises(CommandFailed, match="verify"):
        verify(told.node, told.outcome.answers[-1], told.files)


def test_weights_that_are_not_recomputed_are_found(told: Told) -> None:
    outcome = told.outcome
    answer, other = outcome.answers[outcome.proven], outcome.answers[-1]
    corpus = Attributor(load_corpus())
    assert recompute(answer, outcome.offer, corpus)
    for wrong in (
        replace(answer, text=other.text),
        replace(answer, question=other.question),
        replace(answer, preimage=other.preimage),
        replace(answer, record=replace(answer.record, influences=())),
    ):
        assert not recompute(wrong, outcome.offer, corpus)


@pytest.mark.parametrize(
    "pattern",
    [
        "user 2 tries to let user 1 pay: WrongSigner",
        f"{ANSWERS} answers are {ANSWERS} receipts in 3 transactions",
        rf"receipts +{ANSWERS}\n",
        r"paying addresses +10 +9\n",
        r"known self-dealt payers +1\n",
        "With L2's data in blobs: yes, at each of these prices.",
    ],
)
def test_what_is_told(told: Told, pattern: str) -> None:
    assert re.search(pattern, told.text)


def test_a_command_that_fails_is_an_error() -> None:
    with pytest.raises(CommandFailed, match="stats"):
        run_command("stats", "--l2", "http://127.0.0.1:1", "--dataset", "1")

"""One receipt, proven to somebody who has nothing but L1's URL."""

import subprocess
import sys
import time
from pathlib import Path

from web3 import Web3

from attribution.preimages import write_preimages
from attribution.records import Influence
from medical.corpus import tokens_of
from medical.gateway import Answer, Offer
from medical.node import Node
from medical.weights import Attributor

_PATIENCE_S = 60
_LOOK_AGAIN_S = 0.5


class ProofFailed(Exception):
    """There is no proof, or it is not true."""


def recompute(answer: Answer, offer: Offer, corpus: Attributor) -> bool:
    """Whether a receipt says what its answer and preimage give: anybody who has them may ask."""
    found = corpus.attribute(tokens_of(answer.text))
    weights = sorted((offer.datasets[at], points) for at, points in found.by_dataset.items())
    return (
        answer.preimage.commitment == answer.record.commitment
        and answer.preimage.request_hash == Web3.keccak(text=answer.question)
        and answer.preimage.response_hash == Web3.keccak(text=answer.text)
        and answer.preimage.evidence_root == found.evidence_root
        and answer.record.influences == tuple(Influence(*entry) for entry in weights)
    )


def wait_until_proven(w3: Web3, logger: str, stream: int, seq: int) -> None:
    """Return once L1 has an output that covers the receipt's block."""
    give_up = time.monotonic() + _PATIENCE_S
    parameters = [logger, hex(stream), hex(seq)]
    while "result" not in (answer := w3.provider.make_request("attribution_getProof", parameters)):
        if time.monotonic() > give_up:
            raise ProofFailed(answer["error"]["message"])
        time.sleep(_LOOK_AGAIN_S)


def prove(node: Node, logger: str, stream: int, seq: int, out: Path) -> str:
    """Write the proof of a receipt to a file."""
    place = ("--logger", logger, "--stream", str(stream), "--seq", str(seq))
    return run_command("prove", "--l2", node.l2_url, *place, "--out", str(out))


def verify(node: Node, proof: Path, preimages: Path, answer: Answer) -> str:
    """Check it in a process that knows L1's URL, and from the gateway the answer's preimage."""
    write_preimages(preimages, [answer.preimage])
    trusted = () if node.oracle is None else ("--oracle", node.oracle)
    files = (str(proof), "--preimage", str(preimages))
    return run_command("verify", *files, "--l1", node.l1_url, *trusted)


def run_command(action: str, *arguments: str) -> str:
    """Run `openrollup attribution`, and return what it printed; ProofFailed if it failed."""
    command = [sys.executable, "-m", "openrollup", "attribution", action, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ProofFailed(f"{action}: {done.stdout}{done.stderr}")
    return done.stdout

"""One receipt, proven to somebody who has nothing but L1's URL."""

import subprocess
import sys
import time
from pathlib import Path

from web3 import Web3
from web3.types import RPCEndpoint

from attribution.preimages import write_preimages
from attribution.records import Influence
from medical.corpus import tokens_of
from medical.gateway import Answer, Offer
from medical.node import Node
from medical.weights import Attributor
from node.types.primitives import keccak256

_PATIENCE_S = 120
_LOOK_AGAIN_S = 0.5


class CommandFailed(Exception):
    """A command has ended with an error; the message is what it said."""


def recompute(answer: Answer, offer: Offer, corpus: Attributor) -> bool:
    """Whether a receipt says what its answer and preimage give: anybody who has them may ask."""
    found = corpus.attribute(tokens_of(answer.text))
    weights = sorted((offer.datasets[at], points) for at, points in found.by_dataset.items())
    return (
        answer.preimage.commitment == answer.record.commitment
        and answer.preimage.request_hash == keccak256(answer.question.encode())
        and answer.preimage.response_hash == keccak256(answer.text.encode())
        and answer.preimage.evidence_root == found.evidence_root
        and answer.record.influences == tuple(Influence(*entry) for entry in weights)
    )


def wait_until_proven(w3: Web3, logger: str, stream: int, seq: int) -> None:
    """Return once L1 has an output that covers the receipt's block."""
    give_up = time.monotonic() + _PATIENCE_S
    method, parameters = RPCEndpoint("attribution_getProof"), [logger, hex(stream), hex(seq)]
    while "result" not in (answer := w3.provider.make_request(method, parameters)):
        if time.monotonic() > give_up:
            raise CommandFailed(answer["error"]["message"])
        time.sleep(_LOOK_AGAIN_S)


def prove(node: Node, logger: str, stream: int, seq: int, folder: Path) -> str:
    """Write proof.json, the proof of a receipt."""
    place = ("--logger", logger, "--stream", hex(stream), "--seq", str(seq))
    return run_command("prove", "--l2", node.l2_url, *place, "--out", "proof.json", folder=folder)


def verify(node: Node, answer: Answer, folder: Path) -> str:
    """Check proof.json in a process that knows L1's URL, and the preimage from the user."""
    write_preimages(folder / "preimages.json", [answer.preimage])
    trusted = () if node.oracle is None else ("--oracle", node.oracle)
    rest = ("--preimage", "preimages.json", "--l1", node.l1_url, *trusted)
    return run_command("verify", "proof.json", *rest, folder=folder)


def run_command(action: str, *arguments: str, folder: Path | None = None) -> str:
    """Run `openrollup attribution`, and return what it printed; CommandFailed if it failed."""
    command = [sys.executable, "-m", "openrollup", "attribution", action, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode != 0:
        raise CommandFailed(f"openrollup attribution {action}: {done.stdout}{done.stderr}")
    return done.stdout

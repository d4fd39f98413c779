"""The rollup on which the story happens: one of its own, in memory, or one that runs already."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import PIPE, Popen
from tempfile import TemporaryFile
from threading import Thread
from typing import Any


@dataclass(frozen=True)
class Node:
    """Where L2 and L1 answer. `bank_key` is of an account with OPEN on L2 to set out with.

    `oracle` is the contract on L1 that has L2's outputs; None: the one that proofs name.
    """

    l2_url: str
    l1_url: str
    bank_key: str
    oracle: str | None = None


class NodeFailed(Exception):
    """The rollup did not start; the message is what it said."""


@contextmanager
def own_node() -> Iterator[Node]:
    """Start `openrollup dev` in memory, on free ports; it ends with the block."""
    command = [sys.executable, "-m", "openrollup", "dev", "--json", "--l1-block-time", "1"]
    for option in ("--port", "--verifier-port", "--l1-port"):
        command += [option, "0"]
    with TemporaryFile() as log, Popen(command, stdout=PIPE, stderr=log) as process:
        assert process.stdout is not None, "it is a pipe"
        line = process.stdout.readline()
        if not line:
            log.seek(0)
            raise NodeFailed(log.read().decode(errors="replace"))
        # It goes on to say how it is, and would stop if nobody read that.
        reader = Thread(target=process.stdout.read)
        reader.start()
        try:
            yield _node_of(json.loads(line))
        finally:
            process.terminate()
            reader.join()


def _node_of(started: dict[str, Any]) -> Node:
    return Node(
        l2_url=started["l2"]["url"],
        l1_url=started["l1"]["url"],
        bank_key=started["accounts"][0]["privateKey"],
        oracle=started["contracts"]["L2OutputOracle"],
    )

"""What the writer of a crash test announces before each commit, and the chain that follows."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from node.chain import Heads
from node.safe_heads import SafeHead, safe_head_at
from node.storage.database import Database
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32, keccak256


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: a new unsafe head on the canonical block `parent`, with safe and finalized heads.

    `number` counts the commits of a store from 1. `parent` equal to the head's number: nothing is
    inserted, the chain is unwound to the head (or stays). All three heads are block numbers.
    """

    number: int
    parent: int
    head: int
    hash: str
    safe: int
    finalized: int

    def to_line(self) -> bytes:
        """Return what the writer sends."""
        return json.dumps({"commit": asdict(self)}).encode() + b"\n"


class Model:
    """The canonical chain after some commits, as hashes by number."""

    def __init__(self, genesis: Hash32) -> None:
        self.hashes = [genesis]
        self.commits = 0
        self.highest = 0
        self.safe = 0
        self.finalized = 0

    def apply(self, commits: Sequence[Commit]) -> None:
        """Follow commits, in order."""
        for commit in commits:
            assert commit.number == self.commits + 1, (commit, self.commits)
            del self.hashes[commit.parent + 1 :]
            if commit.head > commit.parent:
                self.hashes.append(Hash32(bytes.fromhex(commit.hash)))
            assert len(self.hashes) == commit.head + 1, commit
            assert self.hashes[-1].hex() == commit.hash, commit
            self.commits = commit.number
            self.highest = max(self.highest, commit.head)
            self.safe, self.finalized = commit.safe, commit.finalized

    @property
    def heads(self) -> Heads:
        """The three heads."""
        return Heads(self.ref(len(self.hashes) - 1), self.ref(self.safe), self.ref(self.finalized))

    @property
    def safe_head(self) -> SafeHead | None:
        """What the last commit noted beside the chain."""
        if not self.commits:
            return None
        return SafeHead(self.heads.safe, origin_of(self.commits, self.heads))

    def ref(self, number: int) -> BlockRef:
        """Return the canonical block at a height."""
        return BlockRef(self.hashes[number], BlockNumber(number))


def origin_of(number: int, heads: Heads) -> BlockRef:
    """Return an L1 block that says which commit derived from it, and which heads it set."""
    hashes = b"".join(ref.hash for ref in (heads.unsafe, heads.safe, heads.finalized))
    return BlockRef(keccak256(number.to_bytes(8, "big") + hashes), BlockNumber(number))


def newest_safe_head(database: Database) -> SafeHead | None:
    """Return the safe head that was noted last, None in a new store."""
    with database.read() as snapshot:
        return safe_head_at(snapshot, 2**64 - 1)


def commit_number(newest: SafeHead | None) -> int:
    """Return the number of the commit that a safe head was noted in; 0 without one."""
    return 0 if newest is None else newest.derived_from.number

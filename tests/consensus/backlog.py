"""A backlog, drained: `python -m tests.consensus.backlog --blocks 10000 --transactions 20`.

A sequencer builds blocks while its batcher stands still, in virtual time. Then the batcher starts:
how many channels it makes of them, how full they are, how many L1 blocks and how much time and
memory that takes, and whether a verifier with an empty store derives the same head from them.
"""

import argparse
import asyncio
import logging
import sys
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from consensus.batcher.batcher import BatcherSettings
from consensus.batcher.channel_builder import ChannelLimits
from consensus.batcher.data_availability import CAPACITIES, Capacity, DataAvailability
from consensus.codec.blob import decode_blob
from consensus.codec.frame import decode_batcher_data
from node.clock import VirtualClock
from node.evm.blob_proofs import load_trusted_setup
from node.types.primitives import Address, keccak256
from node.types.transaction import Transaction, sign_dynamic_fee
from tests.consensus.passing_time import settle
from tests.consensus.rollup import BATCHER, INBOX, USER_KEY
from tests.consensus.rollup_node import RollupNode, make_genesis
from tests.fakes.pool_l1 import PoolL1

L1_BLOCK_TIME = 12
TRANSACTIONS_PER_L1_BLOCK = {DataAvailability.CALLDATA: 6, DataAvailability.BLOBS: 1}
"""What Ethereum takes of 120,000 bytes each at 36,000,000 gas, and of six blobs each."""
_LONGEST = 5_000


@dataclass(frozen=True, slots=True)
class Drained:
    """What became of a backlog. Times in seconds, of which the batcher's own is CPU time."""

    blocks: int
    transactions: int
    channels: int
    fill: tuple[float, ...]
    """Of each L1 transaction (each blob) in order: its bytes, as a share of what it can carry."""
    l1_blocks: int
    building_s: float
    draining_s: float
    batcher_cpu_s: float
    deriving_s: float
    memory_mib: int
    """Anonymous: what is mapped of the stores' files is the system's to take back."""

    @property
    def channel_fill(self) -> float:
        """The mean share of all but the last one, which holds what was left."""
        return sum(self.fill[:-1]) / max(1, len(self.fill) - 1)

    def table(self) -> str:
        """Return all figures, one a line."""
        rows = {
            "blocks, transactions": f"{self.blocks:,}, {self.transactions:,}",
            "channels": str(self.channels),
            "L1 transactions (blobs)": str(len(self.fill)),
            "of their room used": f"{self.channel_fill:.1%}, least {min(self.fill[:-1]):.1%}"
            if len(self.fill) > 1
            else f"{self.fill[0]:.1%}",
            "L1 blocks until all is safe": str(self.l1_blocks),
            "building it, s": f"{self.building_s:.1f}",
            "draining it, s": f"{self.draining_s:.1f}, of it the batcher {self.batcher_cpu_s:.1f}",
            "deriving it anew, s": f"{self.deriving_s:.1f}",
            "anonymous memory, MiB": str(self.memory_mib),
        }
        return "\n".join(f"{name:28} {value}" for name, value in rows.items())


class Backlog:
    """A sequencer node, and an L1 of limited room."""

    def __init__(self, place: DataAvailability, capacity: Capacity) -> None:
        self._place = place
        self._capacity = capacity
        self._l1 = PoolL1(block_time=L1_BLOCK_TIME)
        self._config, self._genesis = make_genesis(self._l1, seq_window_size=3600)
        self._clock = VirtualClock(self._l1.genesis.timestamp)
        self._node = self._new_node()
        self._nonces = count()
        self._transactions = 0
        self._memory_mib = 0

    async def run(self, blocks: int, transactions: int) -> Drained:
        """Build so many blocks of so many transactions each, drain them, derive them again.

        AssertionError if an empty verifier comes to another head.
        """
        try:
            began = time.monotonic()
            await self._build(blocks, transactions)
            built = time.monotonic()
            l1_blocks, cpu_s = await self._drain()
            drained = time.monotonic()
            await self._derive_again()
            derived = time.monotonic()
        finally:
            self._node.close()
        channels, fill = self._posted()
        return Drained(
            blocks=blocks,
            transactions=self._transactions,
            channels=channels,
            fill=fill,
            l1_blocks=l1_blocks,
            building_s=built - began,
            draining_s=drained - built,
            batcher_cpu_s=cpu_s,
            deriving_s=derived - drained,
            memory_mib=self._memory_mib,
        )

    async def _build(self, blocks: int, transactions: int) -> None:
        await self._node.derive()
        while (head := self._node.reader.heads().unsafe.number) < blocks:
            self._note_memory()
            self._l1.mine()
            self._clock.advance(L1_BLOCK_TIME)
            self._node.watcher.keep_from((await self._node.l2.unsafe()).l1_origin)
            await self._node.watcher.poll()
            for _ in range(min(L1_BLOCK_TIME // self._config.block_time, blocks - head)):
                for _ in range(transactions):
                    self._node.mempool.add(self._transaction())
                self._transactions += transactions
                await self._node.sequencer.step()
        assert self._node.reader.heads().unsafe.number == blocks
        assert len(self._node.mempool) == 0, "blocks have left transactions behind"

    async def _drain(self) -> tuple[int, float]:
        """Return how many L1 blocks it takes until all is safe, and the batcher's CPU seconds."""
        await self._node.derive()
        batcher = self._node.batcher(
            BatcherSettings(
                limits=ChannelLimits(
                    max_bytes=self._capacity.channel_bytes,
                    max_frame_bytes=self._capacity.frame_bytes,
                ),
                data_availability=self._place,
            )
        )
        target, cpu_s, l1_blocks = self._node.reader.heads().unsafe.number, 0.0, 0
        while self._node.reader.heads().safe.number < target:
            began = time.process_time()
            await batcher.step()
            await settle()
            cpu_s += time.process_time() - began
            self._note_memory()
            self._l1.mine_pool(TRANSACTIONS_PER_L1_BLOCK[self._place])
            self._clock.advance(L1_BLOCK_TIME)
            await settle()
            await self._node.watcher.poll()
            await self._node.derive()
            l1_blocks += 1
            assert l1_blocks < _LONGEST, "it does not end"
        batcher.close()
        return l1_blocks, cpu_s

    async def _derive_again(self) -> None:
        verifier = self._new_node()
        try:
            await verifier.derive()
            assert verifier.reader.heads().safe == self._node.reader.heads().safe
        finally:
            verifier.close()

    def _posted(self) -> tuple[int, tuple[float, ...]]:
        """Return the number of channels on L1, and how full each transaction or blob is."""
        channels, fill = set(), []
        for data in self._carried():
            channels |= {frame.channel_id for frame in decode_batcher_data(data)}
            fill.append(len(data) / self._capacity.frame_bytes)
        return len(channels), tuple(fill)

    def _carried(self) -> list[bytes]:
        carriers = [
            tx
            for block in self._l1._chain()
            for tx in block.transactions
            if isinstance(tx, Transaction) and (tx.to, tx.sender) == (INBOX, BATCHER)
        ]
        if self._place is DataAvailability.CALLDATA:
            return [tx.data for tx in carriers]
        names = [name for tx in carriers for name in tx.blob_versioned_hashes]
        return [decode_blob(self._l1.published_blobs[name]) for name in names]

    def _transaction(self) -> bytes:
        nonce = next(self._nonces)
        to = Address(keccak256(nonce.to_bytes(8, "big"))[:20])
        # Like a token's transfer: half of it is zeros.
        call = bytes.fromhex("a9059cbb") + to.rjust(32, b"\0") + nonce.to_bytes(32, "big")
        return sign_dynamic_fee(
            USER_KEY,
            chain_id=self._config.l2_chain_id,
            nonce=nonce,
            max_priority_fee_per_gas=10**6,
            max_fee_per_gas=10**10,
            gas=30_000,
            to=to,
            value=nonce % 7,
            data=call if nonce % 2 else b"",
        ).raw

    def _note_memory(self) -> None:
        status = Path("/proc/self/status").read_text()
        (now,) = (line.split()[1] for line in status.splitlines() if line.startswith("RssAnon"))
        self._memory_mib = max(self._memory_mib, int(now) // 1024)

    def _new_node(self) -> RollupNode:
        return RollupNode(self._l1, self._config, self._genesis, self._clock)


def main() -> int:
    """Run what the options ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.consensus.backlog", description=__doc__)
    parser.add_argument("--blocks", type=int, default=10_000)
    parser.add_argument("--transactions", type=int, default=20, help="in each block")
    parser.add_argument("--da", choices=["calldata", "blobs"], default="calldata")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    place = DataAvailability(options.da)
    if place is DataAvailability.BLOBS:
        load_trusted_setup()
    backlog = Backlog(place, CAPACITIES[place])
    print(asyncio.run(backlog.run(options.blocks, options.transactions)).table(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A whole rollup for a test: synchronous, in virtual time, and set back in milliseconds."""

import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from node.chain_file import export_blocks
from node.errors import ConfigError
from node.genesis import Genesis, dev_accounts, genesis_to_json
from node.json_file import write_json
from node.types.block import Block
from node.types.primitives import Address, BlockNumber, Hash32, hex_address
from openrollup.testing import contracts, deposits, proposals, web3_client
from openrollup.testing.chain import Chain
from openrollup.testing.errors import DevnetError
from openrollup.testing.image import Image
from openrollup.testing.loop_thread import LoopThread
from openrollup.testing.network import Network
from openrollup.testing.options import DevnetOptions
from openrollup.testing.stepper import Stepper

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3
    from web3.contract import Contract

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What `Devnet.snapshot` gives, for `Devnet.revert`."""

    image: Image


class Devnet:
    """L1, sequencer, batcher and verifier: `with Devnet() as devnet:`.

    Nothing happens by itself. Transactions wait until `mine` builds a block, until somebody waits
    for a receipt through `w3`, or with `automine` for no time at all; L1 stands still until
    `advance_l1` or `derive`. All methods block, and may be called from any thread but that of a
    running event loop.
    """

    def __init__(self, **options: Any) -> None:
        """Take the fields of DevnetOptions: automine, block_time, gas_limit."""
        self._options = DevnetOptions.parse(options)
        self._thread: LoopThread | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._running: Network | None = None
        self._latest: Snapshot | None = None
        keys = [account.private_key for account in dev_accounts()]
        self._keys = keys
        self.l1 = Chain(
            lambda: self._network.nodes.l1.node.reader,
            lambda: self._network.nodes.l1.url,
            keys,
            lambda tx_hash: self._include("l1", tx_hash),
        )
        """The L1: block by block with `advance_l1`."""
        self.l2 = Chain(
            lambda: self._network.nodes.sequencer.node.reader,
            lambda: self._network.nodes.sequencer.url,
            keys,
            lambda tx_hash: self._include("l2", tx_hash),
        )
        """The sequencer's node."""
        self.verifier = Chain(
            lambda: self._network.nodes.verifier.node.reader,
            lambda: self._network.nodes.verifier.url,
            keys,
            lambda tx_hash: self._include("verifier", tx_hash),
        )
        """The node that knows nothing but L1."""

    def start(self) -> Self:
        """Start the network, which takes about a second; `stop` it in the end."""
        if self._running is not None:
            raise DevnetError("start(): this Devnet runs already")
        self._directory = tempfile.TemporaryDirectory(prefix="openrollup-devnet-")
        self._thread = LoopThread("openrollup-devnet")
        network = Network(self._options, Path(self._directory.name))
        try:
            self._thread.call("start()", network.start)
        except BaseException:
            self._discard()
            raise
        self._running = network
        return self

    def stop(self) -> None:
        """Stop the network, and forget everything."""
        if self._running is None or self._thread is None:
            return
        for chain in (self.l1, self.l2, self.verifier):
            chain.disconnect()
        self._thread.call("stop()", self._running.close)
        self._running = self._latest = None
        self._discard()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def w3(self) -> "Web3":
        """web3.py on L2: signs for `accounts`, and to wait for a receipt builds its block."""
        return self.l2.w3

    @cached_property
    def accounts(self) -> "tuple[LocalAccount, ...]":
        """Ten signers with 10,000 OPEN each on L2, and ether and OPEN on L1."""
        return web3_client.accounts(self._keys)

    @property
    def time(self) -> float:
        """The time of this network, in seconds since the epoch."""
        return self._network.nodes.clock.now()

    def mine(self, count: int = 1) -> list[Block]:
        """Build L2 blocks of what is pending, a block time apart, and return them."""

        async def blocks(stepper: Stepper) -> list[Block]:
            return [await stepper.mine() for _ in range(_checked(count))]

        return self._step("mine()", blocks)

    def advance_l1(self, count: int = 1) -> list[Block]:
        """Produce L1 blocks of what is pending there; both nodes derive from them. Returns them.

        They bear L2's time, or are a second apart where that is later.
        """
        return self._step("advance_l1()", lambda stepper: stepper.advance_l1(_checked(count)))

    def post(self) -> None:
        """Let the batcher bring all blocks that are not safe into L1's pool."""
        self._step("post()", lambda stepper: stepper.post())

    def derive(self) -> None:
        """Post all blocks, and advance L1 until the verifier has derived them.

        DerivationDiffers names the first difference if L1 gives other blocks.
        """
        self._step("derive()", lambda stepper: stepper.derive())

    def reorg_l1(self, depth: int = 1) -> list[Block]:
        """Replace the newest `depth` L1 blocks by one more, and let both nodes follow.

        Their transactions are included again. Returns the new blocks.
        """
        return self._step("reorg_l1()", lambda stepper: stepper.reorg_l1(depth))

    def deposit(self, to: str | bytes, amount: int) -> Hash32:
        """Send OPEN (in 10**-18) from the last account on L1 to `to` on L2; it is there then.

        Returns the hash of the deposit transaction on L2, which uses up a nonce of that account.
        DevnetError if L1 reverts it.
        """
        receiver = hex_address(to) if isinstance(to, str) else Address(bytes(to))
        nodes = self._network.nodes
        sent = self._step(
            "deposit()",
            lambda stepper: deposits.deposit(nodes, stepper, dev_accounts()[-1], receiver, amount),
        )
        return sent.hash

    def propose(self) -> BlockNumber:
        """Put the next output on L1, against which withdrawals are proven; return its L2 block.

        L2 blocks up to that one are built and derived before, where they are missing.
        """
        nodes = self._network.nodes
        return self._step("propose()", lambda stepper: proposals.propose(nodes, stepper))

    def deploy(self, compiled: contracts.Compiled, *arguments: Any) -> "Contract":
        """Create a contract on L2 from the first account, and return it as web3.py has it.

        `deploy(artifact, *arguments)` or `deploy(abi, bytecode, *arguments)`; an artifact is a
        path of Foundry's, Hardhat's or solc's JSON, or its content. DevnetError if the constructor
        fails.
        """
        return contracts.deploy(self.w3, compiled, arguments)

    def export(self, directory: str | Path) -> Path:
        """Write the L2 chain so far as chain.rlp, and genesis.json beside it, to be replayed.

        Returns the path of chain.rlp. InvalidInput or OSError if that cannot be written.
        """
        target = Path(directory) / "chain.rlp"
        reader = self.l2.reader
        write_json(target.with_name("genesis.json"), genesis_to_json(self._genesis))
        last = reader.heads().unsafe.number
        for _ in export_blocks(reader, target, BlockNumber(0), last):
            pass
        return target

    def snapshot(self) -> Snapshot:
        """Remember everything, pending transactions too."""
        self._latest = Snapshot(self._call("snapshot()", self._network.save))
        return self._latest

    def revert(self, snapshot: Snapshot | None = None) -> None:
        """Go back to a snapshot, by default the latest; it may be used again."""
        target = snapshot or self._latest
        if target is None:
            raise DevnetError("revert(): there is no snapshot: call snapshot() before")
        for chain in (self.l1, self.l2, self.verifier):
            chain.disconnect()
        self._call("revert()", lambda: self._network.restore(target.image))

    def begin_again(self, beginning: Snapshot) -> None:
        """Go back to a snapshot as if nothing had happened since: later ones are gone, too."""
        self.revert(beginning)
        self._network.forget_after(beginning.image)
        self._latest = None
        for chain in (self.l1, self.l2, self.verifier):
            chain.forget_client()

    @property
    def _genesis(self) -> Genesis:
        return self._network.nodes.rollup.genesis

    @property
    def _network(self) -> Network:
        if self._running is None:
            raise DevnetError("this Devnet does not run: use `with Devnet() as devnet:`")
        return self._running

    def _include(self, layer: str, tx_hash: Hash32) -> None:
        network = self._network
        include = network.include_on_l1 if layer == "l1" else network.include
        self._call("wait_for_transaction_receipt()", lambda: include(tx_hash))
        if layer == "verifier" and self.verifier.reader.transaction(tx_hash) is None:
            self.derive()

    def _step(self, what: str, work: Callable[[Stepper], Awaitable[T]]) -> T:
        network = self._network
        return self._call(what, lambda: network.step(work))

    def _call(self, what: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if self._thread is None:
            raise DevnetError("this Devnet does not run: use `with Devnet() as devnet:`")
        return self._thread.call(f"devnet.{what}", work)

    def _discard(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.close()
        directory, self._directory = self._directory, None
        if directory is not None:
            directory.cleanup()


def _checked(count: int) -> int:
    if count < 0:
        raise ConfigError(f"count: expected 0 blocks or more, got {count}")
    return count

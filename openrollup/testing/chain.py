"""One chain of the network, as a test looks at it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from node.chain import Heads
from node.errors import InvalidInput
from node.reader import Reader
from node.types.block import Block
from node.types.primitives import Address, BlockNumber, Hash32, hex_address
from node.types.receipt import Receipt
from openrollup.testing.web3_client import connect

if TYPE_CHECKING:
    from web3 import Web3


class Chain:
    """A node's chain and where its JSON-RPC listens.

    `reader` and `url` are asked for each time: the node is another one after a revert.
    """

    def __init__(
        self,
        reader: Callable[[], Reader],
        url: Callable[[], str],
        private_keys: Sequence[bytes],
        include: Callable[[Hash32], None],
    ) -> None:
        self._reader = reader
        self._url = url
        self._private_keys = private_keys
        self._include = include
        self._w3: Web3 | None = None
        self._w3_url = ""
        self._disconnect: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        """The JSON-RPC endpoint, for clients of your own."""
        return self._url()

    @property
    def reader(self) -> Reader:
        """Queries on the node's store, without JSON-RPC in between."""
        return self._reader()

    @property
    def heads(self) -> Heads:
        """The unsafe, the safe and the finalized head: hash and number."""
        return self.reader.heads()

    @property
    def w3(self) -> "Web3":
        """web3.py: signs for `devnet.accounts`, and to wait for a receipt builds its block."""
        if self._w3 is None or self._w3_url != self.url:
            self.disconnect()
            url = self.url
            self._w3, self._disconnect = connect(url, self._private_keys, self._include)
            self._w3_url = url
        return self._w3

    def block(self, which: int | bytes | None = None) -> Block:
        """Return a block by number or hash, by default the newest; else InvalidInput."""
        reader = self.reader
        if which is None:
            which = reader.heads().unsafe.hash
        if isinstance(which, int):
            found = reader.block_by_number(BlockNumber(which))
        else:
            found = reader.block_by_hash(Hash32(bytes(which)))
        if found is None:
            shown = which if isinstance(which, int) else "0x" + which.hex()
            raise InvalidInput(
                f"there is no block {shown}: the newest is {reader.heads().unsafe.number}"
            )
        return found

    def receipts(self, block: Block) -> tuple[Receipt, ...]:
        """Return the receipts of a block's transactions."""
        found = self.reader.receipts(block.hash)
        if found is None:
            raise InvalidInput(f"block 0x{block.hash.hex()} is not of this chain")
        return found

    def balance(self, address: str | bytes) -> int:
        """Return what an account owns at the unsafe head, in wei."""
        key = hex_address(address) if isinstance(address, str) else Address(bytes(address))
        account = self.reader.account(key, self.reader.head_header())
        return 0 if account is None else account.balance

    def forget_client(self) -> None:
        """Let `w3` be made anew, without what a test has changed in it."""
        self.disconnect()
        self._w3 = None

    def disconnect(self) -> None:
        """Close the connections of `w3`; it makes new ones when it is used again."""
        self._disconnect()

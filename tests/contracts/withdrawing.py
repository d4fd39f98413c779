"""Withdrawals made on a real L2, block by block, and their proofs as the node gives them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from eth_abi import encode

from consensus.bridge.withdrawal import Withdrawal, withdrawals_of
from node.genesis.genesis import MESSAGE_PASSER
from node.output_root import Output, output_of
from node.types.block import BlockRef, Header
from node.types.deposit import DepositTransaction, make_deposit
from node.types.primitives import Address, Hash32, keccak256
from tests.contracts.local_chain import address_text
from tests.node.chains import ROLLUP_GENESIS, Chain, open_chain

USER = Address(b"\x05" * 20)
TARGET = Address(b"\x7a" * 20)
# How many withdrawals there are at the end of each block; the last two are of the pair below.
STAGES = (1, 2, 17, 150, 300, 302)
# Gas limits with which withdrawals 300 and 301 have trie keys that agree in 32 bits, found by
# trying. So deep in a trie a leaf takes less than 32 bytes and sits inside its parent.
EMBEDDED_GAS_LIMITS = (55_192, 54_246)
_INITIATE = keccak256(b"initiateWithdrawal(address,uint256,bytes)")[:4]
_GAS = 1_000_000
_SELECTOR_AND_MORE = 36


@dataclass(frozen=True, slots=True)
class Order:
    """What a user of L2 asks the message passer for."""

    sender: Address
    target: Address
    value: int = 0
    gas_limit: int = 0
    data: bytes = b""

    def deposit(self, number: int) -> DepositTransaction:
        """Bring the value and ask, both by a deposit, as L2 accounts of tests have no keys."""
        types = ("address", "uint256", "bytes")
        arguments = (address_text(self.target), self.gas_limit, self.data)
        return make_deposit(
            source_hash=Hash32(number.to_bytes(32, "big")),
            sender=self.sender,
            to=MESSAGE_PASSER,
            mint=self.value,
            value=self.value,
            gas=_GAS,
            data=_INITIATE + encode(types, arguments),
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """What the portal is given beside the withdrawal."""

    output: Output
    nodes: tuple[bytes, ...]


@dataclass(slots=True)
class WithdrawingChain:
    """L2 and all withdrawals on it so far, oldest first."""

    chain: Chain
    sent: list[Withdrawal]
    stages: dict[int, Header]

    def withdraw(self, *orders: Order) -> list[Withdrawal]:
        """Make a block of withdrawals."""
        first = len(self.sent)
        deposits = (order.deposit(first + i) for i, order in enumerate(orders))
        executed = self.chain.extend(*deposits)
        new = [w for receipt in executed.receipts for w in withdrawals_of(receipt.logs)]
        assert len(new) == len(orders)
        self.sent += new
        self.stages[len(self.sent)] = executed.block.header
        return new

    def proof(self, withdrawal: Withdrawal, header: Header | None = None) -> Proof:
        """What eth_getProof says of the withdrawal after a block, the newest if none is named."""
        header = header or self.chain.head()
        proof = self.chain.reader.proof(MESSAGE_PASSER, (withdrawal.slot,), header)
        return Proof(output_of(self.chain.reader, header), proof.storage[0].proof)

    def head(self) -> BlockRef:
        return self.chain.head().ref


@contextmanager
def open_withdrawing(genesis_only: bool = False) -> Iterator[WithdrawingChain]:
    """Open an L2; it has run through all STAGES unless only its genesis is wanted."""
    with open_chain(genesis=ROLLUP_GENESIS) as chain:
        l2 = WithdrawingChain(chain, [], {})
        if not genesis_only:
            _run_through_stages(l2)
        yield l2


def _run_through_stages(l2: WithdrawingChain) -> None:
    random = Random(1)
    for before, count in zip((0, *STAGES[:-2]), STAGES[:-1], strict=True):
        orders = [_random_order(random) for _ in range(count - before)]
        # A block has room for some twenty deposits of this size.
        for part in _parts(orders, 20):
            l2.withdraw(*part)
    l2.withdraw(*(Order(USER, TARGET, gas_limit=gas) for gas in EMBEDDED_GAS_LIMITS))


def _random_order(random: Random) -> Order:
    return Order(
        sender=Address(random.randbytes(20)),
        target=Address(random.randbytes(20)),
        value=random.choice((0, 1, 10**18, random.randrange(10**21))),
        gas_limit=random.choice((0, 21_000, 2**256 - 1, random.randrange(10**7))),
        data=random.randbytes(random.choice((0, 0, 4, _SELECTOR_AND_MORE, 300))),
    )


def _parts(orders: Sequence[Order], size: int) -> Iterator[Sequence[Order]]:
    for start in range(0, len(orders), size):
        yield orders[start : start + size]

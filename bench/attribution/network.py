"""The rollup that is measured: a Devnet, with real blocks, its own L1 and its batcher."""

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from attribution.calldata import encode_append
from attribution.records import Record
from node.artifacts import load_artifact
from node.evm.rules import Rules, rules_at
from node.execution.intrinsic import gas_bounds
from node.execution.simulate import GAS_CAP, CallRequest
from node.genesis import dev_accounts
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.block import Block
from node.types.deposit import DepositTransaction
from node.types.primitives import Address, hex_address, keccak256
from node.types.receipt import Receipt
from node.types.rlp_codec import encode, encode_uint
from node.types.transaction import Transaction, address_of_key, decode_signed_transaction
from node.types.transaction import sign_dynamic_fee as sign
from openrollup.testing import Devnet

_TIP = 10**6
_FEE_CAP = 10**11
_GAS = 12_000_000


class TransactionFailed(Exception):
    """A measured transaction failed, so that its gas says nothing."""


@dataclass(frozen=True, slots=True)
class User:
    """An account with its key."""

    key: bytes
    address: Address

    @classmethod
    def named(cls, name: str) -> "User":
        """Return the account of a name."""
        key = keccak256(b"bench " + name.encode())
        return cls(key, address_of_key(key))


class Network:
    """A running rollup. Transactions wait until `mine`."""

    def __init__(self, devnet: Devnet) -> None:
        self.devnet = devnet
        self.users = [User(one.private_key, one.address) for one in dev_accounts()]
        self._nonces: dict[Address, int] = {}
        self._chain_id = devnet.l2.reader.config.chain_id

    @property
    def rules(self) -> Rules:
        """The rules of the newest block."""
        head = self.devnet.l2.reader.head_header()
        return rules_at(self.devnet.l2.reader.config, head.timestamp)

    def sign(
        self, user: User, to: Address | None, data: bytes = b"", *, value: int = 0, gas: int = _GAS
    ) -> Transaction:
        """Sign a user's next transaction."""
        nonce = self._nonces.get(user.address, 0)
        self._nonces[user.address] = nonce + 1
        signed = sign(
            user.key,
            chain_id=self._chain_id,
            nonce=nonce,
            max_priority_fee_per_gas=_TIP,
            max_fee_per_gas=_FEE_CAP,
            gas=gas,
            to=to,
            value=value,
            data=data,
        )
        return decode_signed_transaction(signed.raw)

    def send(self, tx: Transaction) -> None:
        """Bring a transaction into the pool."""
        self.rpc("eth_sendRawTransaction", "0x" + tx.raw.hex())

    def mine(self) -> list[Receipt]:
        """Build a block of what is pending and return its receipts; all have to be successes."""
        (block,) = self.devnet.mine()
        receipts = self.devnet.l2.receipts(block)[1:]
        failed = [index for index, receipt in enumerate(receipts) if not receipt.status]
        if failed:
            raise TransactionFailed(f"block {block.number}: transactions {failed} fail")
        return list(receipts)

    def run(self, user: User, to: Address | None, data: bytes = b"", *, value: int = 0) -> Receipt:
        """Send one transaction in a block of its own and return its receipt."""
        self.send(self.sign(user, to, data, value=value))
        (receipt,) = self.mine()
        return receipt

    def deploy(self, name: str) -> Address:
        """Create a contract without arguments, and return where it is."""
        user = self.users[0]
        nonce = self._nonces.get(user.address, 0)
        self.run(user, None, load_artifact(name).bytecode)
        return Address(keccak256(encode([user.address, encode_uint(nonce)]))[12:])

    def append(self, user: User, stream: int, first: int, records: list[Record]) -> Receipt:
        """Append receipts by a transaction of the lane."""
        return self.run(user, ATTRIBUTION_ADDRESS, encode_append(stream, first, records))

    def execution_gas(self, user: User, to: Address, data: bytes) -> int:
        """Return the gas of running a message on the newest state, its calldata left out."""
        reader = self.devnet.l2.reader
        request = CallRequest(sender=user.address, to=to, data=data, gas=GAS_CAP)
        outcome = reader.call(request, reader.head_header())
        tx = sign(
            user.key,
            chain_id=self._chain_id,
            nonce=0,
            max_priority_fee_per_gas=0,
            max_fee_per_gas=0,
            gas=GAS_CAP,
            to=to,
            value=0,
            data=data,
        )
        return GAS_CAP - gas_bounds(tx, self.rules).intrinsic - outcome.gas_left

    def l1_bytes(self, work: Callable[[], object]) -> int:
        """Return the bytes of the batcher's transactions on L1 for the blocks that `work` makes."""
        self.devnet.derive()
        before = self.devnet.l1.heads.unsafe.number
        work()
        self.devnet.derive()
        after = self.devnet.l1.heads.unsafe.number
        blocks = [self.devnet.l1.block(number) for number in range(before + 1, after + 1)]
        return sum(len(tx.raw) for block in blocks for tx in self._carriers(block))

    def _carriers(self, block: Block) -> list[Transaction]:
        return [
            tx
            for tx in block.transactions
            if not isinstance(tx, DepositTransaction) and tx.to == self._inbox
        ]

    @cached_property
    def _inbox(self) -> Address:
        return hex_address(self.rpc("optimism_rollupConfig")["batch_inbox_address"])

    def rpc(self, method: str, *params: Any) -> Any:
        """Ask the sequencer's node."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.devnet.l2.url, body.encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            answered = json.load(answer)
        if "error" in answered:
            raise TransactionFailed(f"{method}: {answered['error']}")
        return answered["result"]

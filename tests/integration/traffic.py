"""Mixed transactions of several users, and a record of what they were told became of them."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_account import Account as EthAccount

from attribution.calldata import encode_append
from attribution.records import Influence, Record
from consensus.l1.deposit_logs import DEPOSIT_TOPIC
from node.artifacts import load_artifact
from node.types.attribution_call import ATTRIBUTION_ADDRESS, selector
from node.types.deposit import make_deposit, user_source_hash
from node.types.primitives import Address, Hash32, checksum_address, create_address
from tests.integration.json_rpc import Rpc
from tests.integration.nodes import Started
from tests.integration.users import GWEI, MAX_FEE, STREAM, User

ETHER = 10**18
_DEPOSIT_GAS = 100_000
_BULK_BYTES = 90_000


class Kind(StrEnum):
    """What a transaction is for."""

    TRANSFER = "transfer"
    TOKEN_TRANSFER = "token transfer"
    DEPLOYMENT = "deployment"
    FAILING_CALL = "failing call"
    APPEND = "append"
    DEPOSIT = "deposit"
    LEGACY = "legacy"
    ACCESS_LIST = "with access list"
    SET_CODE = "set code"
    BULK = "bulk transfer"


_WEIGHTS = {
    Kind.TRANSFER: 32,
    Kind.TOKEN_TRANSFER: 25,
    Kind.APPEND: 20,
    Kind.FAILING_CALL: 8,
    Kind.DEPLOYMENT: 7,
    Kind.LEGACY: 4,
    Kind.ACCESS_LIST: 3,
    Kind.SET_CODE: 3,
}


@dataclass(frozen=True, slots=True)
class Deposit:
    """A deposit that was sent to L1, in the L1 transaction `hash`."""

    hash: str
    sender: Address
    to: Address
    amount: int

    def hash_on_l2(self, receipt: Mapping[str, Any]) -> str:
        """Return its hash as a transaction of L2, which depends on the L1 block that has it."""
        return _deposit_hash(receipt, self.sender, self.to, self.amount)


@dataclass(slots=True)
class Acknowledged:
    """What the node has shown: it must stand whatever happens to the node afterwards."""

    transactions: dict[str, str] = field(default_factory=dict)
    """Transaction hash -> hash of the L2 block that its receipt named."""
    blocks: dict[int, str] = field(default_factory=dict)
    """L2 block number -> hash."""
    kinds: Counter[Kind] = field(default_factory=Counter)
    deposit_epochs: set[int] = field(default_factory=set)
    """Numbers of the L1 blocks that hold deposits."""

    @property
    def head(self) -> int:
        """The highest block number shown."""
        return max(self.blocks, default=0)

    def see_block(self, number: int, block_hash: str) -> None:
        """Note a block, and that a height once shown has not changed."""
        known = self.blocks.setdefault(number, block_hash)
        assert known == block_hash, f"block {number} was {known} and is now {block_hash}"

    def see_receipt(self, kind: Kind, receipt: Mapping[str, Any]) -> None:
        """Note an included transaction; AssertionError if its status is not as meant."""
        expected = "0x0" if kind is Kind.FAILING_CALL else "0x1"
        assert receipt["status"] == expected, f"{kind}: {receipt}"
        self.transactions[receipt["transactionHash"]] = receipt["blockHash"]
        self.see_block(int(receipt["blockNumber"], 16), receipt["blockHash"])
        self.kinds[kind] += 1


class Traffic:
    """Users of a rollup. Deterministic but for the node's timing: the same seed, the same acts."""

    def __init__(
        self, started: Started, l1: Rpc, l2: Rpc, *, in_flight: int = 12, seed: int = 1
    ) -> None:
        self._in_flight = in_flight
        self.acknowledged = Acknowledged()
        self._random = random.Random(seed)
        self._contracts = started.contracts
        self._token = self._greeter = Address(bytes(20))
        self._users: list[User] = []
        self.connect(started, l1, l2)

    def connect(self, started: Started, l1: Rpc, l2: Rpc) -> None:
        """Use these connections from now on."""
        self._l2 = l2
        # A deposit counts as a transaction of its sender on L2: the depositor sends no others
        # there, or it could not keep count of its nonce.
        *accounts, depositor = started.accounts
        self._users = [User(account, l2, started.l2_chain_id) for account in accounts]
        self._depositor = User(depositor, l1, started.l1_chain_id)

    @property
    def users(self) -> Sequence[User]:
        """Who sends on L2."""
        return self._users

    @property
    def depositor(self) -> User:
        """Who sends on L1."""
        return self._depositor

    async def resynchronise(self) -> None:
        """Take nonces and sequence numbers from the chains."""
        for user in self._users:
            await user.resynchronise()
            await user.resynchronise_stream()
        await self._depositor.resynchronise()

    async def prepare(self) -> None:
        """Deploy the contracts that the traffic calls, and give every user tokens."""
        await self.resynchronise()
        first = self._users[0]
        arguments = abi_encode(["string", "string", "uint256"], ["Test", "TST", 10**30])
        creation = load_artifact("TestToken").bytecode + arguments
        self._token = create_address(first.account.address, first.nonce)
        sent = [await first.send(None, data=creation, gas=3_000_000)]
        self._greeter = create_address(first.account.address, first.nonce)
        sent.append(await first.send(None, data=_greeter_creation("hello"), gas=3_000_000))
        for user in self._users[1:]:
            data = _transfer(user.account.address, 10**24)
            sent.append(await first.send(self._token, data=data, gas=100_000))
        for transaction_hash in sent:
            receipt = await first.receipt(transaction_hash)
            assert receipt["status"] == "0x1", receipt

    async def run(self, count: int, deposits: int = 0, bulk: int = 0) -> None:
        """Send `count` mixed transactions on L2 and `deposits` on L1; wait for all receipts.

        `bulk` transactions of 90 kB come before, so that a channel needs several L1 transactions.
        Unreachable as soon as a node no longer answers.
        """
        shares = [count // len(self._users)] * len(self._users)
        for index in range(count % len(self._users)):
            shares[index] += 1
        async with asyncio.TaskGroup() as tasks:
            for index, (user, share) in enumerate(zip(self._users, shares, strict=True)):
                kinds = [Kind.BULK] * len(range(index, bulk, len(self._users)))
                tasks.create_task(self._act(user, [*kinds, *self.choose(share)]))
            if deposits:
                tasks.create_task(self._deposit(deposits))

    async def watch(self) -> None:
        """Note every new head, forever."""
        while True:
            block = await self._l2.call("eth_getBlockByNumber", "latest", False)
            self.acknowledged.see_block(int(block["number"], 16), block["hash"])
            await asyncio.sleep(0.05)

    def choose(self, count: int) -> list[Kind]:
        """Return the kinds of `count` transactions, as mixed as ever."""
        return self._random.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=count)

    async def _act(self, user: User, kinds: Sequence[Kind]) -> None:
        waiting: deque[tuple[Kind, str]] = deque()
        for kind in kinds:
            if len(waiting) >= self._in_flight:
                await self._settle(user, *waiting.popleft())
            waiting.append((kind, await self.send(user, kind)))
        for entry in waiting:
            await self._settle(user, *entry)

    async def _settle(self, user: User, kind: Kind, transaction_hash: str) -> None:
        self.acknowledged.see_receipt(kind, await user.receipt(transaction_hash))

    async def send(self, user: User, kind: Kind) -> str:
        """Let a user send a transaction of this kind, and return its hash."""
        senders: dict[Kind, Callable[[User], Any]] = {
            Kind.TRANSFER: self._send_transfer,
            Kind.TOKEN_TRANSFER: self._send_token_transfer,
            Kind.DEPLOYMENT: self._send_deployment,
            Kind.FAILING_CALL: self._send_failing_call,
            Kind.APPEND: self._send_append,
            Kind.LEGACY: self._send_legacy,
            Kind.ACCESS_LIST: self._send_with_access_list,
            Kind.SET_CODE: self._send_set_code,
            Kind.BULK: self._send_bulk,
        }
        return str(await senders[kind](user))

    async def _send_transfer(self, user: User) -> str:
        return await user.send(self._stranger(), value=self._random.randrange(1, ETHER))

    async def _send_token_transfer(self, user: User) -> str:
        data = _transfer(self._stranger(), self._random.randrange(1, 10**18))
        return await user.send(self._token, data=data, gas=100_000)

    async def _send_deployment(self, user: User) -> str:
        greeting = self._random.randbytes(20).hex()
        return await user.send(None, data=_greeter_creation(greeting), gas=2_000_000)

    async def _send_failing_call(self, user: User) -> str:
        data = selector("fail(string)") + abi_encode(["string"], ["as meant"])
        return await user.send(self._greeter, data=data, gas=100_000)

    async def _send_append(self, user: User) -> str:
        records = [self._record() for _ in range(self._random.randrange(1, 20))]
        data = encode_append(STREAM, user.next_seq, records)
        user.next_seq += len(records)
        return await user.send(ATTRIBUTION_ADDRESS, data=data, gas=2_000_000)

    async def _send_legacy(self, user: User) -> str:
        return await user.send_other_type(self._stranger(), 21_000, gasPrice=MAX_FEE)

    async def _send_with_access_list(self, user: User) -> str:
        entry = {"address": checksum_address(self._greeter), "storageKeys": ["0x" + "00" * 32]}
        greet = "0x" + selector("greet()").hex()
        return await user.send_other_type(
            self._greeter, 100_000, gasPrice=MAX_FEE, data=greet, accessList=[entry]
        )

    async def _send_set_code(self, user: User) -> str:
        """A stranger lets the greeter's code be its own, and is greeted."""
        stranger = EthAccount.from_key(self._random.randbytes(32))
        authorization = {"chainId": user.chain_id, "address": self._greeter, "nonce": 0}
        return await user.send_other_type(
            Address(bytes.fromhex(stranger.address[2:])),
            150_000,
            maxPriorityFeePerGas=GWEI,
            maxFeePerGas=MAX_FEE,
            data="0x" + selector("greet()").hex(),
            authorizationList=[stranger.sign_authorization(authorization)],
        )

    async def _send_bulk(self, user: User) -> str:
        """Bytes that no compression makes smaller."""
        data = self._random.randbytes(_BULK_BYTES)
        return await user.send(self._stranger(), data=data, gas=21_000 + 40 * len(data))

    def _record(self) -> Record:
        datasets = sorted(self._random.sample(range(50), self._random.randrange(4)))
        influences = tuple(
            Influence(dataset, self._random.randrange(1, 3_000)) for dataset in datasets
        )
        amount = self._random.randrange(10**7)
        return Record(amount, influences, Hash32(self._random.randbytes(32)))

    def _stranger(self) -> Address:
        return Address(self._random.randbytes(20))

    async def allow_deposits(self) -> None:
        """Let the portal take the depositor's OPEN on L1."""
        portal, token = self._contracts["OptimismPortal"], self._contracts["OpenToken"]
        data = selector("approve(address,uint256)")
        data += abi_encode(["address", "uint256"], ["0x" + portal.hex(), 10**30])
        sent = await self._depositor.send(token, data=data, gas=200_000)
        approved = await self._depositor.receipt(sent)
        assert approved["status"] == "0x1", approved

    async def send_deposit(self) -> Deposit:
        """Deposit some OPEN for a stranger."""
        depositor, portal = self._depositor, self._contracts["OptimismPortal"]
        amount, to = self._random.randrange(1, ETHER), self._stranger()
        sent = await depositor.send(portal, data=_deposit_call(to, amount), gas=1_500_000)
        return Deposit(sent, depositor.account.address, to, amount)

    async def _deposit(self, count: int) -> None:
        """Make deposits one after the other, so that they fall into several L1 blocks."""
        await self.allow_deposits()
        for _ in range(count):
            deposit = await self.send_deposit()
            on_l1 = await self._depositor.receipt(deposit.hash)
            assert on_l1["status"] == "0x1", on_l1
            on_l2 = await self._users[0].receipt(deposit.hash_on_l2(on_l1))
            self.acknowledged.see_receipt(Kind.DEPOSIT, on_l2)
            self.acknowledged.deposit_epochs.add(int(on_l1["blockNumber"], 16))


def _greeter_creation(greeting: str) -> bytes:
    return load_artifact("Greeter").bytecode + abi_encode(["string"], [greeting])


def _transfer(to: Address, amount: int) -> bytes:
    arguments = abi_encode(["address", "uint256"], ["0x" + to.hex(), amount])
    return selector("transfer(address,uint256)") + arguments


def _deposit_call(to: Address, amount: int) -> bytes:
    name = "depositERC20Transaction(address,uint256,uint256,uint64,bool,bytes)"
    types = ["address", "uint256", "uint256", "uint64", "bool", "bytes"]
    values = ["0x" + to.hex(), amount, amount, _DEPOSIT_GAS, False, b""]
    return selector(name) + abi_encode(types, values)


def _deposit_hash(on_l1: Mapping[str, Any], sender: Address, to: Address, amount: int) -> str:
    """Return the hash that the deposit of an L1 transaction has on L2."""
    topic = "0x" + DEPOSIT_TOPIC.hex()
    index = next(int(log["logIndex"], 16) for log in on_l1["logs"] if log["topics"][0] == topic)
    source = user_source_hash(Hash32(bytes.fromhex(on_l1["blockHash"][2:])), index)
    deposit = make_deposit(
        source_hash=source,
        sender=sender,
        to=to,
        mint=amount,
        value=amount,
        gas=_DEPOSIT_GAS,
        data=b"",
    )
    return "0x" + deposit.hash.hex()

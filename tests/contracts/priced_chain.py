"""A rollup whose blocks tell prices of L1, with signed transactions of all types in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random

from coincurve import PrivateKey

from node.execution.transition import ExecutedBlock
from node.genesis import GenesisAccount, dev_accounts, l2_genesis
from node.genesis.predeploys import L1_BLOCK_ADDRESS, SEQUENCER_FEE_VAULT_ADDRESS
from node.types.deposit import l1_attributes_source_hash, make_deposit
from node.types.primitives import Address, hex_address, keccak256
from node.types.rlp_codec import RlpItem, encode, encode_uint
from node.types.transaction import Transaction, decode_signed_transaction, sign_typed
from tests.contracts.rollup import CHAIN_ID, GENESIS_TIME, Rollup
from tests.node.chains import open_chain

DEPOSITOR = hex_address("0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001")
ALICE, BOB = dev_accounts()[:2]
GAS = 1_000_000


@dataclass(frozen=True, slots=True)
class L1Prices:
    """What an L1-attributes deposit says about fees."""

    base_fee_scalar: int = 0
    blob_base_fee_scalar: int = 0
    base_fee: int = 0
    blob_base_fee: int = 0
    operator_fee_scalar: int = 0
    operator_fee_constant: int = 0

    @classmethod
    def random(cls, random: Random) -> "L1Prices":
        """Prices that keep a fee below the balance of a development account."""
        return cls(
            base_fee_scalar=random.choice([0, 1368, random.getrandbits(20)]),
            blob_base_fee_scalar=random.choice([0, 810_949, random.getrandbits(20)]),
            base_fee=random.getrandbits(random.choice([1, 20, 36])),
            blob_base_fee=random.getrandbits(random.choice([1, 20, 36])),
            operator_fee_scalar=random.getrandbits(20),
            operator_fee_constant=random.getrandbits(40),
        )

    def calldata(self, *, is_jovian: bool) -> bytes:
        selector = bytes.fromhex("3db6be2b" if is_jovian else "098999be")
        scalars = self.base_fee_scalar.to_bytes(4, "big") + self.blob_base_fee_scalar.to_bytes(4)
        prices = self.base_fee.to_bytes(32, "big") + self.blob_base_fee.to_bytes(32, "big")
        operator = self.operator_fee_scalar.to_bytes(4, "big")
        operator += self.operator_fee_constant.to_bytes(8, "big")
        footprint_scalar = (1).to_bytes(2, "big") if is_jovian else b""
        return selector + scalars + bytes(24) + prices + bytes(64) + operator + footprint_scalar


@dataclass(slots=True)
class PricedChain(Rollup):
    """A rollup whose next blocks have `prices`."""

    prices: L1Prices = L1Prices()

    @property
    def is_jovian(self) -> bool:
        return self.chain.reader.config.is_jovian(self.chain.head().timestamp)

    def nonce(self) -> int:
        account = self.chain.reader.account(ALICE.address, self.chain.head())
        assert account is not None
        return account.nonce

    def balance(self, address: Address) -> int:
        account = self.chain.reader.account(address, self.chain.head())
        return 0 if account is None else account.balance

    def extend(self, *transactions: Transaction) -> ExecutedBlock:
        """Insert a block on the head."""
        head = self.chain.head()
        opening = make_deposit(
            source_hash=l1_attributes_source_hash(head.hash, 0),
            sender=DEPOSITOR,
            to=L1_BLOCK_ADDRESS,
            mint=0,
            value=0,
            gas=1_000_000,
            data=self.prices.calldata(is_jovian=self.is_jovian),
        )
        attributes = replace(
            self.chain.attributes(head),
            transactions=(opening, *transactions),
            fee_recipient=SEQUENCER_FEE_VAULT_ADDRESS,
        )
        executed = self.chain.engine.build(head, attributes)
        self.chain.engine.insert(executed)
        return executed


@contextmanager
def open_priced_chain(
    *, is_jovian: bool, contracts: dict[Address, GenesisAccount] | None = None
) -> Iterator[PricedChain]:
    """Start a rollup in a temporary store."""
    genesis = l2_genesis(
        chain_id=CHAIN_ID,
        timestamp=GENESIS_TIME,
        min_base_fee=0 if is_jovian else None,
        contracts=contracts,
    )
    with open_chain(genesis=genesis) as chain:
        yield PricedChain(chain)


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction before it is signed: its type and the fields that are signed."""

    kind: int
    fields: list[RlpItem]

    @classmethod
    def random(cls, random: Random, nonce: int) -> "Draft":
        """One of any type that Alice may send; the call has no effect but its fees."""
        kind = random.choice([0, 0, 1, 2, 4])
        price = [random.getrandbits(30)] * 2 if kind >= 2 else []
        numbers = [nonce, *price[1:], random.randrange(2, 9) * 10**9, GAS]
        to = bytes(random.randbytes(19)) + b"\xee"
        value = encode_uint(random.getrandbits(random.choice([1, 30])))
        fields: list[RlpItem] = [*map(encode_uint, numbers), to, value, random_data(random)]
        if kind == 0:
            # With replay protection (EIP-155) or without.
            protection: list[RlpItem] = [encode_uint(CHAIN_ID), b"", b""]
            return cls(0, fields + random.choice([[], protection]))
        fields = [encode_uint(CHAIN_ID), *fields, random_access_list(random)]
        return cls(kind, [*fields, [random_authorization(random)]] if kind == 4 else fields)

    @property
    def unsigned(self) -> bytes:
        """The encoding that wallets hand to the oracle before they sign."""
        return (bytes([self.kind]) if self.kind else b"") + encode(self.fields)

    def signed(self) -> Transaction:
        if self.kind:
            return sign_typed(ALICE.private_key, self.kind, self.fields)
        key = PrivateKey(ALICE.private_key)
        signature = key.sign_recoverable(keccak256(encode(self.fields)), hasher=None)
        v = signature[64] + (27 if len(self.fields) == 6 else 35 + 2 * CHAIN_ID)
        tail = (v, int.from_bytes(signature[:32]), int.from_bytes(signature[32:64]))
        return decode_signed_transaction(encode([*self.fields[:6], *map(encode_uint, tail)]))


def random_data(random: Random) -> bytes:
    """Calldata from empty to kilobytes: noise, repetitions, words with zeros, mixtures."""
    size = random.choice([0, 4, 30, 100, 200, 400, 900, 2_500])
    parts = {
        "noise": lambda: random.randbytes(random.randrange(1, 60)),
        "zeros": lambda: bytes(random.randrange(1, 300)),
        "words": lambda: random.getrandbits(160).to_bytes(32, "big"),
        "repeat": lambda: random.randbytes(random.randrange(1, 5)) * random.randrange(1, 90),
    }
    chosen = random.sample(sorted(parts), random.randrange(1, 5))
    data = b""
    while len(data) < size:
        data += parts[random.choice(chosen)]()
        if data and random.random() < 0.2:
            data += data[: random.randrange(1, 300)]
    return data[:size]


def random_access_list(random: Random) -> list[RlpItem]:
    return [
        [random.randbytes(20), [random.randbytes(32) for _ in range(random.randrange(3))]]
        for _ in range(random.choice([0, 0, 1, 3]))
    ]


def random_authorization(random: Random) -> list[RlpItem]:
    numbers = [random.getrandbits(size) for size in (64, 1, 256, 256)]
    return [encode_uint(CHAIN_ID + 1), random.randbytes(20), *map(encode_uint, numbers)]

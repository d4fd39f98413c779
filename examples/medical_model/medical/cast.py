"""Who takes part: a builder, a gateway, three contributors, ten users. All keys are new."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import HTTPProvider, Web3

from attribution.client import AttributionClient
from node.types.primitives import Address

OPEN = 10**18
GWEI = 10**9

T = TypeVar("T")


class Person:
    """Somebody with an account on L2. The client acts for it."""

    def __init__(self, name: str, url: str, key: str | None = None) -> None:
        self.name = name
        self.account: LocalAccount = Account.create() if key is None else Account.from_key(key)
        self.w3 = Web3(HTTPProvider(url))
        self.client = AttributionClient(self.w3, self.account, pause_s=0.5)

    @property
    def address(self) -> Address:
        """The account."""
        return self.client.address

    def pay(self, amounts: Mapping["Person", int]) -> None:
        """Send wei of OPEN, and wait until all of it has arrived."""
        eth, nonce = self.w3.eth, self.w3.eth.get_transaction_count(self.account.address)
        sent = []
        for place, (person, amount) in enumerate(amounts.items()):
            transaction: dict[str, Any] = {
                "to": person.account.address,
                "value": amount,
                "nonce": nonce + place,
                "gas": 21_000,
                "maxFeePerGas": 2 * eth.gas_price,
                "maxPriorityFeePerGas": eth.max_priority_fee,
                "chainId": eth.chain_id,
            }
            signed = self.account.sign_transaction(transaction)
            sent.append(eth.send_raw_transaction(signed.raw_transaction))
        for transaction_hash in sent:
            eth.wait_for_transaction_receipt(transaction_hash)


@dataclass(frozen=True)
class Cast:
    """Everybody. The last user has its OPEN from the builder, which the chain does not forget."""

    builder: Person
    gateway: Person
    contributors: tuple[Person, ...]
    users: tuple[Person, ...]


def assemble(url: str, bank_key: str, contributors: int, users: int) -> Cast:
    """Make accounts, and give them OPEN from the bank's."""
    cast = Cast(
        Person("the builder", url),
        Person("the gateway", url),
        tuple(Person(f"contributor {number}", url) for number in range(1, contributors + 1)),
        tuple(Person(f"user {number}", url) for number in range(1, users + 1)),
    )
    *others, friend = cast.users
    bank = Person("the bank", url, bank_key)
    funded = (cast.builder, cast.gateway, *cast.contributors, *others)
    bank.pay(dict.fromkeys(funded, 5 * OPEN))
    cast.builder.pay({friend: OPEN})
    return cast


def all_at_once(people: Iterable[Person], act: Callable[[Person], T]) -> list[T]:
    """Let people act at the same time, each waiting for its own transaction."""
    people = list(people)
    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(act, people))

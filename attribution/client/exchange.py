"""What an operation asks of a chain, and what it gets.

An operation is a generator: it yields requests and is sent the answers, so that it says what is to
be done and not how. The blocking client, the asynchronous one and the commands carry the same
operations out. What a contract refuses is thrown into the operation as `Refused`.
"""

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias, TypeVar

from attribution.refusals import NoKey, Refused
from node.types.primitives import Address, Hash32
from node.types.receipt import Log

T = TypeVar("T")

Label: TypeAlias = Literal["latest", "safe", "finalized"]


@dataclass(frozen=True, slots=True)
class Read:
    """Call a view of `to` in the state of a block, the newest one by default.

    The answer is what it returned, in bytes.
    """

    to: Address
    data: bytes
    at: Label = "latest"


@dataclass(frozen=True, slots=True)
class Send:
    """Send a transaction with `value` wei of OPEN; the answer is an `Included`.

    `what` says in a few words what it is for.
    """

    what: str
    to: Address
    data: bytes
    value: int = 0


@dataclass(frozen=True, slots=True)
class AskBlock:
    """The answer is a `BlockTime`."""

    label: Label


@dataclass(frozen=True, slots=True)
class AskLogs:
    """Logs of blocks `first` to `last`; None as a topic matches any. The answer: `FoundLog`s."""

    address: Address
    topics: tuple[bytes | None, ...]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class AskCallData:
    """What a transaction of this hash was sent with; the answer is None if there is none."""

    transaction: Hash32


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait about as long as a block takes; there is no answer."""


Request: TypeAlias = Read | Send | AskBlock | AskLogs | AskCallData | Pause
Operation: TypeAlias = Generator[Request, Any, T]


@dataclass(frozen=True, slots=True)
class Included:
    """A transaction that succeeded: the number of its block, the gas it used, its logs."""

    transaction: Hash32
    block: int
    gas_used: int
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class BlockTime:
    """A block's number and its time in seconds since the epoch."""

    number: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class FoundLog:
    """A log and the transaction and block that it comes from."""

    log: Log
    block: int
    transaction: Hash32


@dataclass(frozen=True, slots=True)
class Party:
    """Who acts, on which chain; without an account it can only read."""

    chain_id: int
    account: Address | None = None

    @property
    def address(self) -> Address:
        """The account that sends; NoKey if there is none."""
        if self.account is None:
            raise NoKey
        return self.account


def carry_out(operation: Operation[T], answer: Callable[[Request], Any]) -> T:
    """Do what an operation asks for, and return its result."""
    step: Callable[[], Request] = partial(next, operation)
    while True:
        try:
            request = step()
        except StopIteration as done:
            result: T = done.value
            return result
        try:
            step = partial(operation.send, answer(request))
        except Refused as refused:
            step = partial(operation.throw, refused)


async def carry_out_async(
    operation: Operation[T], answer: Callable[[Request], Awaitable[Any]]
) -> T:
    """Do what an operation asks for, and return its result."""
    step: Callable[[], Request] = partial(next, operation)
    while True:
        try:
            request = step()
        except StopIteration as done:
            result: T = done.value
            return result
        try:
            step = partial(operation.send, await answer(request))
        except Refused as refused:
            step = partial(operation.throw, refused)

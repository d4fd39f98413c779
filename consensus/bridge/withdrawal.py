"""Withdrawals: what a user of L2 wants done on L1, and how L2 commits to it.

Source: specs/protocol/withdrawals, "Withdrawal Flow" and "The L2ToL1MessagePasser Contract".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError as AbiDecodingError

from node.errors import DecodingError
from node.genesis.genesis import MESSAGE_PASSER
from node.types.primitives import Address, Hash32, keccak256
from node.types.receipt import Log

MESSAGE_PASSED_TOPIC: Final = keccak256(
    b"MessagePassed(uint256,address,address,uint256,uint256,bytes,bytes32)"
)

_FIELD_TYPES = ("uint256", "address", "address", "uint256", "uint256", "bytes")
_SENT_MESSAGES_SLOT = 0


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A call that L1's portal makes once it is proven and final.

    `value` is OPEN in units of 10**-18, paid to `target` before it is called with `data` and at
    least `gas_limit`. `nonce` has the encoding's version in its two highest bytes.
    """

    nonce: int
    sender: Address
    target: Address
    value: int
    gas_limit: int
    data: bytes

    @property
    def fields(self) -> tuple[int, Address, Address, int, int, bytes]:
        """The fields in the order of the contracts' struct."""
        return self.nonce, self.sender, self.target, self.value, self.gas_limit, self.data

    @property
    def hash(self) -> Hash32:
        """The key under which the message passer notes it."""
        return keccak256(abi_encode(_FIELD_TYPES, self.fields))

    @property
    def slot(self) -> int:
        """The message passer's storage slot that holds 1 for it."""
        place = self.hash + _SENT_MESSAGES_SLOT.to_bytes(32, "big")
        return int.from_bytes(keccak256(place), "big")


def withdrawals_of(logs: Sequence[Log]) -> tuple[Withdrawal, ...]:
    """Return the withdrawals that a transaction's logs tell of, in their order.

    DecodingError for an event that the message passer cannot emit.
    """
    return tuple(
        _withdrawal(log)
        for log in logs
        if log.address == MESSAGE_PASSER and log.topics[:1] == (MESSAGE_PASSED_TOPIC,)
    )


def _withdrawal(log: Log) -> Withdrawal:
    if len(log.topics) != 4:
        raise DecodingError(f"MessagePassed: expected 4 topics, got {len(log.topics)}")
    try:
        value, gas_limit, data, claimed = abi_decode(
            ("uint256", "uint256", "bytes", "bytes32"), log.data
        )
    except AbiDecodingError as error:
        raise DecodingError(f"MessagePassed: {error}") from error
    nonce, sender, target = log.topics[1:]
    withdrawal = Withdrawal(
        nonce=int.from_bytes(nonce, "big"),
        sender=Address(sender[12:]),
        target=Address(target[12:]),
        value=value,
        gas_limit=gas_limit,
        data=data,
    )
    if withdrawal.hash != claimed:
        raise DecodingError(
            f"MessagePassed: expected withdrawal hash 0x{withdrawal.hash.hex()}, "
            f"got 0x{claimed.hex()}"
        )
    return withdrawal

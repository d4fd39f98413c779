"""User deposits: what the portal's events of one L1 block force onto L2.

Source: specs/protocol/deposits, "Deriving the Transaction from the TransactionDeposited event".
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from node.errors import CriticalError
from node.types.deposit import DepositTransaction, make_deposit, user_source_hash
from node.types.primitives import Address, Hash32, keccak256
from node.types.receipt import Log, Receipt

DEPOSIT_TOPIC: Final = keccak256(b"TransactionDeposited(address,address,uint256,bytes)")

# mint u256, value u256, gas u64, is_creation u8; the rest is calldata.
_FIXED_SIZE: Final = 32 + 32 + 8 + 1


def derive_deposits(
    l1_block_hash: Hash32, receipts: Sequence[Receipt], portal: Address
) -> tuple[DepositTransaction, ...]:
    """Return the deposits of an L1 block in log order.

    CriticalError for a malformed event: the portal cannot emit one, and to skip a deposit would
    fork the rollup. Sender addresses are as logged; L1 has aliased contracts already.
    """
    return tuple(
        parse_deposit(l1_block_hash, index, log)
        for index, log in successful_logs(receipts)
        if log.address == portal and log.topics[:1] == (DEPOSIT_TOPIC,)
    )


def successful_logs(receipts: Iterable[Receipt]) -> Iterator[tuple[int, Log]]:
    """Yield (index in the whole block, log) for the transactions that succeeded."""
    index = 0
    for receipt in receipts:
        for log in receipt.logs:
            if receipt.status == 1:
                yield index, log
            index += 1


def parse_deposit(l1_block_hash: Hash32, index: int, log: Log) -> DepositTransaction:
    """Return the deposit of the portal's event that is log `index` of the whole L1 block.

    CriticalError if it is malformed.
    """

    def malformed(reason: str) -> CriticalError:
        return CriticalError(f"deposit in L1 block 0x{l1_block_hash.hex()}, log {index}: {reason}")

    if len(log.topics) != 4:
        raise malformed(f"expected 4 topics, got {len(log.topics)}")
    sender, to, version = log.topics[1:]
    if any(version):
        raise malformed(f"expected version 0, got {int.from_bytes(version, 'big')}")
    opaque = _opaque_data(log.data)
    if opaque is None:
        raise malformed("expected one ABI-encoded byte string with minimal padding")
    if len(opaque) < _FIXED_SIZE:
        raise malformed(f"expected at least {_FIXED_SIZE} bytes of data, got {len(opaque)}")
    is_creation = opaque[72] != 0
    return make_deposit(
        source_hash=user_source_hash(l1_block_hash, index),
        sender=Address(sender[12:]),
        to=None if is_creation else Address(to[12:]),
        mint=int.from_bytes(opaque[:32], "big"),
        value=int.from_bytes(opaque[32:64], "big"),
        gas=int.from_bytes(opaque[64:72], "big"),
        data=opaque[_FIXED_SIZE:],
    )


def _opaque_data(data: bytes) -> bytes | None:
    if len(data) < 64 or len(data) % 32 or int.from_bytes(data[:32], "big") != 32:
        return None
    size = int.from_bytes(data[32:64], "big")
    if len(data) != 64 + -(-size // 32) * 32:
        return None
    return data[64 : 64 + size]

"""What the measured blocks hold. A workload gives the same bytes in every run."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.accounts import CHAIN_ID, TOKEN, WORK, Accounts
from node.types.attribution_call import APPEND, ATTRIBUTION_ADDRESS, padded_size, selector, words
from node.types.attribution_record import Influence, Record, encode_records
from node.types.primitives import Address, keccak256
from node.types.transaction import sign_dynamic_fee

_TRANSFER = selector("transfer(address,uint256)")
_MIXED = selector("mixed(uint256)")
_MIXED_ROUNDS = 200
_PRIORITY_FEE = 10**6
_FEE_CAP = 10**11
_BATCH = 100
_DATASETS = 10
_RECEIPT_GWEI = 10_000


@dataclass(frozen=True, slots=True)
class Message:
    """What one transaction does; `value` is in wei, `gas` its limit."""

    to: Address
    gas: int
    value: int = 0
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Workload:
    """Blocks of `transactions`, each by another sender.

    `message(accounts, round, index)` is what sender `index` does in round `round`.
    """

    name: str
    title: str
    transactions: int
    message: Callable[[Accounts, int, int], Message]

    def block(self, accounts: Accounts, nonces: list[int], round_number: int) -> list[bytes]:
        """Return the signed transactions of a round, encoded; counts them in `nonces`."""
        raw = []
        for index, key in enumerate(accounts.keys[: self.transactions]):
            message = self.message(accounts, round_number, index)
            tx = sign_dynamic_fee(
                key,
                chain_id=CHAIN_ID,
                nonce=nonces[index],
                max_priority_fee_per_gas=_PRIORITY_FEE,
                max_fee_per_gas=_FEE_CAP,
                gas=message.gas,
                to=message.to,
                value=message.value,
                data=message.data,
            )
            nonces[index] += 1
            raw.append(tx.raw)
        return raw


def _recipient(accounts: Accounts, round_number: int, index: int) -> Address:
    """Another recipient for each sender, and others again in the next round."""
    place = round_number * accounts.senders + index
    return accounts.recipients[place % len(accounts.recipients)]


def _transfer(accounts: Accounts, round_number: int, index: int) -> Message:
    return Message(_recipient(accounts, round_number, index), gas=21_000, value=1000 + index)


def _token_transfer(accounts: Accounts, round_number: int, index: int) -> Message:
    recipient = _recipient(accounts, round_number, index)
    data = _TRANSFER + recipient.rjust(32, b"\x00") + words(1000 + index)
    return Message(TOKEN, gas=100_000, data=data)


def _one_receipt(accounts: Accounts, round_number: int, index: int) -> Message:
    data = _append(1, round_number, [_record(index, round_number, ())])
    return Message(ATTRIBUTION_ADDRESS, gas=200_000, data=data)


def _receipt_batch(accounts: Accounts, round_number: int, index: int) -> Message:
    first = round_number * _BATCH
    records = [_record(index, seq, _influences(seq)) for seq in range(first, first + _BATCH)]
    return Message(ATTRIBUTION_ADDRESS, gas=1_000_000, data=_append(2, first, records))


def _influences(seq: int) -> tuple[Influence, ...]:
    low, high = sorted({seq % _DATASETS, (3 * seq + 1) % _DATASETS, (seq + 1) % _DATASETS})[:2]
    return Influence(low, 6000), Influence(high, 2500)


def _record(sender: int, seq: int, influences: tuple[Influence, ...]) -> Record:
    return Record(_RECEIPT_GWEI + seq, influences, keccak256(b"%d %d" % (sender, seq)))


def _append(stream: int, from_seq: int, records: list[Record]) -> bytes:
    encoded = encode_records(records)
    padded = encoded.ljust(padded_size(len(encoded)), b"\x00")
    return APPEND + words(stream, from_seq, 96, len(encoded)) + padded


def _mixed(accounts: Accounts, round_number: int, index: int) -> Message:
    return Message(WORK, gas=2_000_000, data=_MIXED + words(_MIXED_ROUNDS))


WORKLOADS = (
    Workload("transfers", "native transfers", 1000, _transfer),
    Workload("erc20", "ERC-20 transfers", 1000, _token_transfer),
    Workload("receipt", "append, 1 receipt each", 1000, _one_receipt),
    Workload("receipts", f"append, {_BATCH} receipts each", 200, _receipt_batch),
    Workload("mixed", f"Work.mixed({_MIXED_ROUNDS})", 20, _mixed),
)

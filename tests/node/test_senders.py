"""Many senders at once are those of the transactions one by one."""

import pytest

from node.errors import InvalidTransaction
from node.senders import recover_senders
from node.types.block import AnyTransaction
from node.types.primitives import keccak256
from node.types.transaction import Transaction, address_of_key
from tests.node.execution.memory_chain import l1_attributes
from tests.node.execution.signing import sign

KEYS = [keccak256(b"%d" % number) for number in range(40)]


def test_every_transaction_remembers_its_own_sender() -> None:
    transactions = [sign(key=key) for key in KEYS]
    recover_senders(transactions)
    assert all(tx.is_sender_known for tx in transactions)
    assert [tx.sender for tx in transactions] == [address_of_key(key) for key in KEYS]


def test_a_signature_of_nobody_is_an_error_only_where_its_sender_is_asked_for() -> None:
    good = [sign(key=key) for key in KEYS]
    bad = sign(high_s=True)
    transactions: list[AnyTransaction] = [l1_attributes(), *good[:20], bad, *good[20:]]
    recover_senders(transactions)
    assert all(tx.is_sender_known for tx in good)
    assert not bad.is_sender_known
    with pytest.raises(InvalidTransaction, match="invalid sender"):
        _ = bad.sender


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_are_left_to_whoever_asks(count: int) -> None:
    transactions: list[Transaction] = [sign(key=key) for key in KEYS[:count]]
    recover_senders(transactions)
    assert [tx.sender for tx in transactions] == [address_of_key(key) for key in KEYS[:count]]

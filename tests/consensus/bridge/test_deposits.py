from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.bridge.chain import Inclusion, PlacedLog
from consensus.bridge.deposits import default_gas, deposit_call, deposits_of, gas_limits
from consensus.l1.contract_call import decode_output
from node.errors import CriticalError
from node.types.block import BlockRef
from node.types.deposit import user_source_hash
from node.types.primitives import Address, BlockNumber, Hash32
from tests.consensus.bridge.withdrawals import addresses
from tests.consensus.rollup import PORTAL, deposit_log

ALIAS_OFFSET = 0x1111000000000000000000000000000000001111
BLOCK = BlockRef(Hash32(b"\x0b" * 32), BlockNumber(7))
USER, FRIEND = Address(b"\x01" * 20), Address(b"\x02" * 20)


def alias_of(contract: Address) -> Address:
    """Return who a contract of L1 is on L2."""
    aliased = (int.from_bytes(contract, "big") + ALIAS_OFFSET) % 2**160
    return Address(aliased.to_bytes(20, "big"))


def test_an_l1_transaction_s_deposits_are_those_of_the_portal() -> None:
    mine = deposit_log(sender=USER, to=FRIEND, mint=5, value=4)
    foreign = replace(mine, address=FRIEND)
    other = replace(mine, topics=mine.topics[1:])
    logs = tuple(PlacedLog(3 + i, log) for i, log in enumerate((foreign, other, mine, mine)))
    first, second = deposits_of(Inclusion(BLOCK, True, 1, logs), PORTAL)
    assert (first.sender, first.to, first.mint, first.value) == (USER, FRIEND, 5, 4)
    assert first.source_hash == user_source_hash(BLOCK.hash, 5)
    assert second.source_hash == user_source_hash(BLOCK.hash, 6)


def test_what_no_portal_emits() -> None:
    wrong = replace(deposit_log(sender=USER, to=FRIEND, mint=5, value=4), data=b"")
    with pytest.raises(CriticalError, match="log 3: expected one ABI-encoded byte string"):
        deposits_of(Inclusion(BLOCK, True, 1, (PlacedLog(3, wrong),)), PORTAL)


@given(addresses, st.integers(0, 2**256 - 1), st.integers(0, 2**64 - 1), st.binary(max_size=100))
def test_a_call_mints_and_sends_the_same(to: Address, amount: int, gas: int, data: bytes) -> None:
    call = deposit_call(to, amount, gas, data)
    types = "(address,uint256,uint256,uint64,bool,bytes)"
    assert decode_output(types, call[4:], "deposit") == (
        "0x" + to.hex(),
        amount,
        amount,
        gas,
        False,
        data,
    )


@given(st.binary(max_size=1_000))
def test_the_default_is_within_the_limits(data: bytes) -> None:
    assert default_gas(data) in gas_limits(data)
    assert gas_limits(b"") == range(21_000, 20_000_001)

from dataclasses import dataclass, field

import pytest
from eth_abi.abi import decode as abi_decode

from consensus.l1.client import TransactionInclusion
from consensus.l1.tx_sender import TransactionRequest
from node.errors import CriticalError
from node.types.block import BlockRef
from node.types.primitives import Address, BlockNumber, Hash32, checksum_address
from openrollup.open_supply import give_open

TOKEN = Address(b"\x01" * 20)
FIRST, SECOND = Address(b"\x02" * 20), Address(b"\x03" * 20)


@dataclass
class Sender:
    """Takes what is sent; the token refuses whoever is in `refused`."""

    refused: frozenset[str] = frozenset()
    sent: list[tuple[Address | None, str, int]] = field(default_factory=list)

    async def send(self, request: TransactionRequest) -> TransactionInclusion:
        assert request.data[:4] == bytes.fromhex("a9059cbb")  # transfer(address,uint256)
        receiver, amount = abi_decode(("address", "uint256"), request.data[4:])
        self.sent.append((request.to, receiver, amount))
        block = BlockRef(Hash32(bytes(32)), BlockNumber(1))
        status = 0 if receiver in self.refused else 1
        return TransactionInclusion(Hash32(bytes(32)), block, status, 50_000)


async def test_each_account_gets_its_share() -> None:
    sender = Sender()
    await give_open(sender, TOKEN, (FIRST, SECOND), 10**22)  # type: ignore[arg-type]
    assert sender.sent == [(TOKEN, "0x" + who.hex(), 10**22) for who in (FIRST, SECOND)]


async def test_a_refusal_is_told() -> None:
    sender = Sender(refused=frozenset({"0x" + SECOND.hex()}))
    expected = f"OPEN for {checksum_address(SECOND)} was refused by the token"
    with pytest.raises(CriticalError, match=expected):
        await give_open(sender, TOKEN, (FIRST, SECOND), 1)  # type: ignore[arg-type]

"""A chain of real blocks with the Hub, on which accounts sign their transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from attribution.calldata import encode_append
from node.config import AttributionConfig
from node.execution.simulate import CallRequest
from node.genesis import l2_genesis
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.attribution_record import Record
from node.types.primitives import Address, Hash32
from node.types.receipt import Receipt
from node.types.transaction import Transaction, sign_dynamic_fee
from tests.contracts.attribution.hub_machine import HUB, Key
from tests.contracts.local_chain import encode_call
from tests.node.chains import Chain, open_chain

CHAIN_ID = 901


@dataclass(slots=True)
class HubChain:
    """Each transaction has a block of its own, on the head."""

    chain: Chain

    @classmethod
    @contextmanager
    def opened(cls, *users: Key) -> Iterator["HubChain"]:
        """Open a chain on which these accounts have OPEN."""
        genesis = l2_genesis(
            chain_id=CHAIN_ID,
            timestamp=1_700_000_000,
            attribution=AttributionConfig(0, calldata_gas=4, block_calldata_limit=2**20),
            funded=[user.address for user in users],
        )
        with open_chain(genesis=genesis) as chain:
            yield cls(chain)

    def hub(self, sender: Key, function: str, *arguments: Any, value: int = 0) -> Receipt:
        """Call the Hub."""
        data = encode_call("AttributionHub", function, *arguments)
        return self.send(self.signed(sender, HUB, data, value))

    def model_key(self, owner: Address, model_hash: bytes, salt: bytes) -> Hash32:
        """The key of a model."""
        data = encode_call("AttributionHub", "modelKeyOf", owner, model_hash, salt)
        return Hash32(self.ask(data))

    def ask(self, data: bytes) -> bytes:
        """Call a view of the Hub."""
        return self.chain.reader.call(CallRequest(to=HUB, data=data), self.chain.head()).output

    def append(self, logger: Key, stream: int, from_seq: int, *records: Record) -> Receipt:
        """Append records on the lane."""
        data = encode_append(stream, from_seq, records)
        return self.send(self.signed(logger, ATTRIBUTION_ADDRESS, data))

    def send(self, transaction: Transaction) -> Receipt:
        _, mined = self.chain.extend(transaction).receipts
        assert mined.status == 1
        return mined

    def signed(self, sender: Key, to: Address, data: bytes, value: int = 0) -> Transaction:
        """Sign a transaction that can come next."""
        account = self.chain.reader.account(sender.address, self.chain.head())
        assert account is not None
        return sign_dynamic_fee(
            sender.private_key,
            chain_id=CHAIN_ID,
            nonce=account.nonce,
            max_priority_fee_per_gas=0,
            max_fee_per_gas=10**11,
            gas=3_000_000,
            to=to,
            value=value,
            data=data,
        )

"""Who sends, who receives, and the state that the blocks start from: fixed, from constants."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from node.artifacts import load_artifact
from node.config import DEFAULT_LANE_BLOCK_LIMIT, LANE_GAS_RANGE, AttributionConfig
from node.genesis import Genesis, GenesisAccount, l2_genesis
from node.types.primitives import Address, hex_address, keccak256
from node.types.transaction import address_of_key

CHAIN_ID = 901
GAS_LIMIT = 1_000_000_000
"""Gas that a block may use: room for every workload, so that none is cut off."""
TOKEN = hex_address("c0dec0dec0dec0dec0dec0dec0dec0dec0dec0de")
WORK = hex_address("c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff")

_TIMESTAMP = 1_700_000_000
_BALANCE = 10**24
_TOKENS = 10**24
_LANE = AttributionConfig(
    time=0, calldata_gas=LANE_GAS_RANGE.start, block_calldata_limit=DEFAULT_LANE_BLOCK_LIMIT
)


@dataclass(frozen=True)
class Accounts:
    """`senders` keys that sign, and as many other accounts as make `total`, all of them funded."""

    total: int
    senders: int

    @cached_property
    def keys(self) -> Sequence[bytes]:
        """The senders' private keys."""
        return [keccak256(b"bench sender %d" % index) for index in range(self.senders)]

    @cached_property
    def sender_addresses(self) -> Sequence[Address]:
        """The senders, in the order of their keys."""
        return [address_of_key(key) for key in self.keys]

    @cached_property
    def recipients(self) -> Sequence[Address]:
        """The accounts that only receive."""
        return [recipient(index) for index in range(self.total - self.senders)]

    def genesis(self) -> Genesis:
        """Return a rollup in which every account has OPEN and tokens, with the contracts."""
        everyone = [*self.sender_addresses, *self.recipients]
        contracts = {
            TOKEN: GenesisAccount(
                nonce=1,
                code=load_artifact("TestToken").deployed_bytecode,
                storage={_balance_slot(address): _TOKENS for address in everyone},
            ),
            WORK: GenesisAccount(nonce=1, code=load_artifact("Work").deployed_bytecode),
        }
        contracts |= {address: GenesisAccount(balance=_BALANCE) for address in everyone}
        return l2_genesis(
            chain_id=CHAIN_ID,
            timestamp=_TIMESTAMP,
            gas_limit=GAS_LIMIT,
            attribution=_LANE,
            funded=(),
            contracts=contracts,
        )

    def plain_genesis(self) -> Genesis:
        """Return a rollup in which every account has OPEN, and nothing else is."""
        recipients = map(recipient, range(self.total - self.senders))
        return l2_genesis(
            chain_id=CHAIN_ID,
            timestamp=_TIMESTAMP,
            gas_limit=GAS_LIMIT,
            funded=chain(self.sender_addresses, recipients),
        )


def recipient(index: int) -> Address:
    """Return an account that only receives."""
    return Address(keccak256(b"bench recipient %d" % index)[12:])


def _balance_slot(address: Address) -> int:
    """Where an ERC-20 of OpenZeppelin keeps a balance: a mapping in slot 0."""
    return int.from_bytes(keccak256(address.rjust(32, b"\x00") + bytes(32)), "big")

"""What a deployment does on L1: transactions in order, and the addresses that follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from eth_abi.abi import encode as abi_encode

from consensus.deploy.addresses import L1Contracts
from consensus.deploy.settings import DeploySettings
from consensus.l1.tx_sender import TransactionRequest
from node.artifacts import Artifact, load_artifact
from node.types.primitives import ZERO_ADDRESS, Address, create_address, keccak256

_TRANSFER = keccak256(b"transfer(address,uint256)")[:4]
_TRANSFER_GAS = 100_000
# What a constructor may cost besides the code that it leaves: eight new slots, checks, a margin.
_CONSTRUCTOR_GAS = 400_000
_CREATION_GAS = 53_000
_GAS_PER_BYTE_SENT = 16
_GAS_PER_BYTE_LEFT = 200


@dataclass(frozen=True, slots=True)
class Creation:
    """A contract to create. Its constructor takes `values` by the names of its parameters."""

    nonce: int
    name: str
    address: Address
    values: Mapping[str, Any]

    @property
    def artifact(self) -> Artifact:
        """The compiled contract."""
        return load_artifact(self.name)

    def parameters(self) -> list[tuple[str, str, Any]]:
        """Return name, type and value of what the constructor takes, in order."""
        constructor = next(entry for entry in self.artifact.abi if entry["type"] == "constructor")
        return [
            (entry["name"], entry["type"], self.values[entry["name"]])
            for entry in constructor["inputs"]
        ]

    def request(self) -> TransactionRequest:
        """Return the transaction that creates it."""
        types = [kind for _, kind, _ in self.parameters()]
        values = [value for _, _, value in self.parameters()]
        data = self.artifact.bytecode + abi_encode(types, values)
        return TransactionRequest(to=None, data=data, gas=self.gas)

    @property
    def gas(self) -> int:
        """Gas that suffices. No estimate of L1's: it cannot run what is not there yet."""
        sent = len(self.artifact.bytecode) + 32 * len(self.parameters())
        left = len(self.artifact.deployed_bytecode)
        code = _GAS_PER_BYTE_SENT * sent + _GAS_PER_BYTE_LEFT * left
        return _CREATION_GAS + code + _CONSTRUCTOR_GAS


@dataclass(frozen=True, slots=True)
class Transfer:
    """OPEN to send, `amount` in units of 10**-18."""

    nonce: int
    name: str
    token: Address
    receiver: Address
    amount: int

    gas = _TRANSFER_GAS

    def request(self) -> TransactionRequest:
        """Return the transaction that sends it."""
        data = _TRANSFER + abi_encode(("address", "uint256"), (self.receiver, self.amount))
        return TransactionRequest(to=self.token, data=data, gas=self.gas)


Step: TypeAlias = Creation | Transfer


@dataclass(frozen=True, slots=True)
class Plan:
    """All transactions of a deployment, which its deployer sends with consecutive nonces.

    `gifts` are amounts of OPEN that accounts get on L1, in units of 10**-18.
    """

    settings: DeploySettings
    deployer: Address
    first_nonce: int
    gifts: Mapping[Address, int]

    @property
    def contracts(self) -> L1Contracts:
        """Where the contracts will be."""
        oracle = self.oracle_nonce - self.first_nonce
        indices = (*range(len(_FOUNDATION)), oracle)
        contracts = L1Contracts(*(self._address(index) for index in indices))
        if self._has_verifier:
            return replace(contracts, attribution_verifier=self._address(oracle - 1))
        return contracts

    @property
    def size(self) -> int:
        """How many steps there are."""
        return self.oracle_nonce - self.first_nonce + 1

    @property
    def oracle_nonce(self) -> int:
        """The nonce of the last step, the output oracle's creation."""
        return self.first_nonce + len(_FOUNDATION) + 1 + len(self.gifts) + self._has_verifier

    @property
    def _has_verifier(self) -> bool:
        return self.settings.attribution is not None

    def foundation(self) -> list[Step]:
        """Return what is there before the rollup begins: all but the oracle."""
        contracts, values = self.contracts, self._values(starting_timestamp=0)
        steps: list[Step] = [
            Creation(self.first_nonce + index, name, self._address(index), values)
            for index, name in enumerate(_FOUNDATION)
        ]
        # The lock is there even of nothing: addresses do not depend on the allocation.
        portal, locked = contracts.optimism_portal, self.settings.locked
        payments = [("the lock of the allocation", portal, locked)]
        payments += [("OPEN on L1", receiver, amount) for receiver, amount in self.gifts.items()]
        steps += [
            Transfer(nonce, name, contracts.open_token, receiver, amount)
            for nonce, (name, receiver, amount) in enumerate(payments, steps[-1].nonce + 1)
        ]
        if contracts.attribution_verifier is not None:
            nonce, address = self.oracle_nonce - 1, contracts.attribution_verifier
            steps.append(Creation(nonce, "AttributionVerifier", address, values))
        return steps

    def oracle(self, starting_timestamp: int) -> Creation:
        """Return the last step, known once it is when the rollup begins (seconds since 1970)."""
        values = self._values(starting_timestamp)
        address = self.contracts.l2_output_oracle
        return Creation(self.oracle_nonce, "L2OutputOracle", address, values)

    def _address(self, index: int) -> Address:
        return create_address(self.deployer, self.first_nonce + index)

    def _values(self, starting_timestamp: int) -> dict[str, Any]:
        """Return what constructors may ask for, by the names that their parameters have."""
        settings, contracts = self.settings, self.contracts
        return {
            "initialHolder": self.deployer,
            "initialSupply": settings.open_supply,
            "owner_": settings.owner,
            "batcher_": settings.batcher,
            "basefeeScalar_": settings.base_fee_scalar,
            "blobbasefeeScalar_": settings.blob_base_fee_scalar,
            "gasLimit_": settings.gas_limit,
            # Unsafe blocks travel over no network that would need a signer.
            "unsafeBlockSigner_": ZERO_ADDRESS,
            "batchInbox_": settings.batch_inbox,
            "openToken_": contracts.open_token,
            "systemConfig_": contracts.system_config,
            "optimismPortal_": contracts.optimism_portal,
            "portal_": contracts.optimism_portal,
            "messenger_": contracts.l1_cross_domain_messenger,
            "bridge_": contracts.l1_standard_bridge,
            "l2OutputOracle_": contracts.l2_output_oracle,
            "l2Oracle_": contracts.l2_output_oracle,
            "submissionInterval_": settings.submission_interval,
            "l2BlockTime_": settings.block_time,
            "startingBlockNumber_": 0,
            "startingTimestamp_": starting_timestamp,
            "proposer_": settings.proposer,
            "challenger_": settings.challenger,
            "finalizationPeriodSeconds_": settings.finalization_period_s,
        }


# In the order of L1Contracts' fields; the oracle is the last of these.
_FOUNDATION = (
    "OpenToken",
    "SystemConfig",
    "OptimismPortal",
    "L1CrossDomainMessenger",
    "L1StandardBridge",
)

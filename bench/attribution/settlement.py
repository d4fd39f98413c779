"""Fifty receipts of ten payers, from the append to the money of four payees."""

from collections.abc import Sequence
from dataclasses import dataclass

from attribution.gas_use import (
    CLAIM,
    DEPOSIT,
    FIRST_DEPOSIT,
    REGISTER_DATASET,
    REGISTER_MODEL,
    append_use,
    settle_use,
)
from attribution.hub_calls import hub_call
from attribution.vouchers import Voucher, sign_voucher
from bench.attribution.batches import shaped
from bench.attribution.figure import Bound, Figure
from bench.attribution.network import Network, User
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS as HUB
from node.types.primitives import UINT64_MAX, Hash32, checksum_address, keccak256

RECEIPTS = 50
_DATASETS = 3
_ETHER = 10**18
_URI = "ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf"
_SALT = bytes(32)


@dataclass(frozen=True, slots=True)
class Step:
    """Gas of a step of a model's life, measured; `assumed` is what the economics count for it."""

    what: str
    gas: int
    assumed: int


@dataclass(frozen=True, slots=True)
class SettlementMeasured:
    """The figure, its parts, and what happens once."""

    figure: Figure
    steps: tuple[Step, ...]


class Model:
    """A model of an owner, whose answers three datasets share, and who pays for them."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.payers = network.users
        self.owner, self.logger = User.named("owner"), User.named("logger")
        self.payees = [self.owner, *(User.named(f"author {index}") for index in range(_DATASETS))]
        for user in (*self.payees, self.logger):
            network.send(network.sign(self.payers[0], user.address, value=10 * _ETHER))
        network.mine()
        self.datasets: list[int] = []
        self.registrations = [self._register_dataset(author) for author in self.payees[1:]]
        self.registration, self.key = self._register()
        self.stream = int.from_bytes(self.key[:8], "big")
        self.count = 0
        self._spent = [0] * len(self.payers)

    def _register_dataset(self, author: User) -> int:
        data = hub_call("registerDataset", author.address, _URI, checksum_address(author.address))
        self.datasets.append(len(self.datasets) + 1)
        return self.network.run(author, HUB, data).gas_used

    def _register(self) -> tuple[int, Hash32]:
        data = hub_call(
            "registerModel",
            keccak256(b"weights"),
            _URI,
            _SALT,
            checksum_address(self.logger.address),
            10**7,
            2_500,
            checksum_address(self.owner.address),
            [],
        )
        receipt = self.network.run(self.owner, HUB, data)
        return receipt.gas_used, Hash32(receipt.logs[0].topics[1])

    def deposit(self) -> int:
        """Let each payer deposit, in one block; return the gas of one."""
        data = hub_call("deposit", self.key, checksum_address(bytes(20)))
        for payer in self.payers:
            self.network.send(self.network.sign(payer, HUB, data, value=20 * _ETHER))
        return max(receipt.gas_used for receipt in self.network.mine())

    def append(self, seed: int) -> int:
        """Append receipts that name the datasets; return the gas."""
        records = shaped(RECEIPTS, seed, self.datasets, influences=_DATASETS)
        receipt = self.network.append(self.logger, self.stream, self.count, records)
        self.count += RECEIPTS
        # Receipts are dealt out to the payers in turn.
        for index, record in enumerate(records):
            self._spent[index % len(self._spent)] += record.amount
        return receipt.gas_used

    def settle(self) -> int:
        """Charge everybody for everything; return the gas."""
        chain_id = self.network.devnet.l2.reader.config.chain_id
        vouchers = [
            sign_voucher(
                payer.key, Voucher(payer.address, self.key, spent, UINT64_MAX), chain_id
            ).argument()
            for payer, spent in zip(self.payers, self._spent, strict=True)
        ]
        logger = checksum_address(self.logger.address)
        data = hub_call("settle", self.key, logger, self.datasets, vouchers)
        return self.network.run(self.owner, HUB, data).gas_used

    def claim(self) -> Sequence[int]:
        """Let each payee claim, in one block; return the gas of each."""
        for payee in self.payees:
            self.network.send(self.network.sign(payee, HUB, hub_call("claim")))
        return [receipt.gas_used for receipt in self.network.mine()]


def measure_settlement(model: Model) -> SettlementMeasured:
    """Go through it twice: the first time brings the storage into use."""
    first_deposit, deposit = model.deposit(), model.deposit()
    model.append(10)
    model.settle()
    model.claim()
    append, settle, claims = model.append(11), model.settle(), model.claim()
    datasets, payers = len(model.datasets), len(model.payers)
    each = (append + settle + sum(claims)) / RECEIPTS
    figure = Figure(
        f"gas each, {RECEIPTS} receipts of {payers} payers over {len(model.payees)} payees: "
        "append, settle, claims",
        Bound.AT_MOST,
        12_000,
        each,
        f"append {append:,}, settle {settle:,}, {len(claims)} claims {sum(claims):,}",
    )
    return SettlementMeasured(
        figure,
        (
            Step("registering a dataset", model.registrations[-1], REGISTER_DATASET.gas),
            Step("registering the model", model.registration, REGISTER_MODEL.gas),
            Step("a payer's first deposit", first_deposit, FIRST_DEPOSIT.gas),
            Step("a later deposit", deposit, DEPOSIT.gas),
            Step(
                f"an append of {RECEIPTS} with {datasets} influences",
                append,
                append_use(RECEIPTS, datasets, datasets).gas,
            ),
            Step(f"settling {payers} vouchers", settle, settle_use(payers, datasets).gas),
            Step("a claim", max(claims), CLAIM.gas),
        ),
    )

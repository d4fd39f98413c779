"""A model, datasets, payers and their settlements on a real chain in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

from attribution.calldata import encode_append
from attribution.chain_facts import ChainFacts
from attribution.registry import Model
from attribution.vouchers import SignedVoucher, Voucher, sign_voucher
from node.config import AttributionConfig
from node.genesis import DevAccount, l2_genesis
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.attribution_record import Influence, Record
from node.types.block import Block
from node.types.primitives import ZERO_ADDRESS, Address, Hash32, checksum_address, keccak256
from node.types.receipt import Receipt
from node.types.transaction import Transaction, address_of_key
from tests.node.hub_calls import hub_call, register_dataset, register_model
from tests.rpc.chain import ALICE, GENESIS_TIME, Chain

GWEI = 10**9
OPEN = 10**18
NEVER = 2**64 - 1
GENESIS = l2_genesis(
    chain_id=901,
    timestamp=GENESIS_TIME,
    attribution=AttributionConfig(time=0, calldata_gas=4, block_calldata_limit=2**20),
)


def account(name: str) -> DevAccount:
    """Return an account whose key only its name tells."""
    key = keccak256(name.encode())
    return DevAccount(0, address_of_key(key), key)


OWNER, LOGGER, AUTHOR = account("owner"), account("logger"), account("author")


@dataclass(frozen=True, slots=True)
class Offer:
    """A registered model."""

    key: Hash32
    owner: DevAccount

    @property
    def stream(self) -> int:
        return int.from_bytes(self.key[:8], "big")


class Market(Chain):
    """A chain with attribution. What is sent waits for `mine`, in the order of sending."""

    def __init__(self) -> None:
        super().__init__(GENESIS)
        self._sequences: dict[tuple[Address, int], int] = {}
        self._spent: dict[tuple[Address, Hash32], int] = {}

    def fund(self, *accounts: DevAccount, sender: DevAccount = ALICE, wei: int = 10 * OPEN) -> None:
        """Pay accounts, in a block of its own."""
        for entry in accounts:
            self.submit(sender, entry.address, value=wei)
        self.mine_all()

    def submit(
        self, sender: DevAccount, to: Address, data: bytes = b"", value: int = 0
    ) -> Transaction:
        """Put a transaction into the pool."""
        tx = self.transfer(sender=sender, to=to, data=data, value=value, gas=5_000_000)
        self.mempool.add_transaction(tx)
        return tx

    def hub(self, sender: DevAccount, name: str, *arguments: object, value: int = 0) -> Transaction:
        """Call the Hub."""
        return self.submit(sender, ATTRIBUTION_HUB_ADDRESS, hub_call(name, *arguments), value)

    def mine_all(self) -> Block:
        """Make a block of all that was sent; everything has to succeed."""
        block = self.mine()
        assert all(receipt.status for receipt in self.receipts(block))
        return block

    def receipts(self, block: Block) -> tuple[Receipt, ...]:
        """Return the receipts of a block."""
        receipts = self.reader.receipts(block.hash)
        assert receipts is not None
        return receipts

    def receipt(self, tx: Transaction) -> Receipt:
        """Return the receipt of a mined transaction."""
        location = self.reader.transaction(tx.hash)
        assert location is not None
        return self.receipts(location.block)[location.index]

    def register_dataset(self, sender: DevAccount = AUTHOR, uri: str = "ipfs://d") -> Transaction:
        """Register a dataset that pays its owner."""
        call = register_dataset(keccak256(b"content"), uri, sender.address)
        return self.submit(sender, ATTRIBUTION_HUB_ADDRESS, call)

    def register_model(
        self,
        owner: DevAccount = OWNER,
        logger: Address = LOGGER.address,
        *,
        owner_bps: int = 4_000,
        datasets: Sequence[int] = (),
        name: str = "model",
    ) -> Offer:
        """Register a model that pays its owner."""
        model_hash = keccak256(name.encode())
        call = register_model(
            model_hash,
            logger=logger,
            owner=owner.address,
            owner_bps=owner_bps,
            datasets=datasets,
        )
        self.submit(owner, ATTRIBUTION_HUB_ADDRESS, call)
        words = (self.config.chain_id.to_bytes(32, "big"), ATTRIBUTION_HUB_ADDRESS.rjust(32, b"\0"))
        key = keccak256(b"".join(words) + owner.address.rjust(32, b"\0") + model_hash + bytes(32))
        return Offer(key, owner)

    def append(
        self, offer: Offer, records: Sequence[Record], logger: DevAccount = LOGGER
    ) -> Transaction:
        """Write receipts behind those that were sent before."""
        place = (logger.address, offer.stream)
        seq = self._sequences.get(place, 0)
        self._sequences[place] = seq + len(records)
        data = encode_append(offer.stream, seq, records)
        return self.submit(logger, ATTRIBUTION_ADDRESS, data)

    def deposit(self, offer: Offer, payer: DevAccount, gwei: int) -> Transaction:
        """Put money into escrow."""
        signer = checksum_address(ZERO_ADDRESS)
        return self.hub(payer, "deposit", offer.key, signer, value=gwei * GWEI)

    def voucher(self, offer: Offer, payer: DevAccount, gwei: int) -> SignedVoucher:
        """Sign for so much more than before."""
        place = (payer.address, offer.key)
        self._spent[place] = self._spent.get(place, 0) + gwei
        voucher = Voucher(payer.address, offer.key, self._spent[place], NEVER)
        return sign_voucher(payer.private_key, voucher, self.config.chain_id)

    def charge(
        self,
        offer: Offer,
        datasets: Sequence[int],
        vouchers: Sequence[SignedVoucher],
        *,
        logger: Address = LOGGER.address,
        sender: DevAccount = LOGGER,
    ) -> Transaction:
        """Charge vouchers."""
        arguments = [voucher.argument() for voucher in vouchers]
        name = checksum_address(logger)
        return self.hub(sender, "settle", offer.key, name, list(datasets), arguments)

    def model(self, offer: Offer) -> Model:
        """Return what the index says of a model."""
        with self.reader.snapshot() as snapshot:
            model = ChainFacts(snapshot).model(offer.key)
        assert model is not None
        return model


def record(gwei: int, **weights: int) -> Record:
    """Return a receipt; weights are by dataset: d1=3000."""
    influences = [Influence(int(name[1:]), weight) for name, weight in weights.items()]
    return Record(gwei, tuple(influences), keccak256(repr((gwei, weights)).encode()))

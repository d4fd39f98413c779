"""What calls of the Hub cost, as transactions in blocks of our own chain."""

from collections.abc import Iterator

import pytest

from attribution.vouchers import SignedVoucher
from node.types.primitives import ZERO_ADDRESS, Hash32
from tests.contracts.attribution.hub_chain import CHAIN_ID, HubChain
from tests.contracts.attribution.hub_machine import GWEI, Key, arguments, receipt

OWNER, LOGGER, NEXT, AUTHOR = (Key.named(n) for n in ("owner", "logger", "next", "author"))
OWNER_PAYOUT = Key.named("owner payout")
PAYOUTS = [Key.named(f"payout {number}") for number in range(3)]
PAYERS = [Key.named(f"payer {number}") for number in range(10)]
HASH = b"\x4a" * 32
URI = "ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"
PRICE = 1_000_000
"""Gwei for an answer: the least realistic price has the longest encodings."""
RECEIPTS = [receipt(PRICE, (1 + number % 2, 4000), (3, 2500)) for number in range(50)]


class Shop:
    """A model with three datasets and ten payers; `gas` is what each step has cost last."""

    def __init__(self, chain: HubChain) -> None:
        self.chain = chain
        self.gas: dict[str, int] = {}
        self.seq = 0
        for payout in PAYOUTS:
            self.hub(AUTHOR, "registerDataset", HASH, URI, payout.address)
        terms = (PRICE, 4000, OWNER_PAYOUT.address, [1, 2, 3])
        self.hub(OWNER, "registerModel", HASH, URI, bytes(32), LOGGER.address, *terms)
        self.key = Hash32(chain.model_key(OWNER.address, HASH, bytes(32)))
        self.stream = int.from_bytes(self.key[:8], "big")
        for payer in PAYERS:
            self.deposit(payer)

    def hub(self, sender: Key, function: str, *call: object, value: int = 0) -> int:
        gas = self.chain.hub(sender, function, *call, value=value).gas_used
        self.gas[function] = gas
        return gas

    def deposit(self, payer: Key) -> int:
        return self.hub(payer, "deposit", self.key, ZERO_ADDRESS, value=100 * PRICE * GWEI)

    def round(self) -> int:
        """50 receipts of 10 payers are appended and settled, 4 payees claim: the gas of it all."""
        gas = self.chain.append(LOGGER, self.stream, self.seq, *RECEIPTS).gas_used
        self.gas["append of 50"] = gas
        self.seq += len(RECEIPTS)
        gas += self.settle(
            [payer.voucher(self.key, self.seq // 10 * PRICE, chain_id=CHAIN_ID) for payer in PAYERS]
        )
        return gas + sum(self.hub(payee, "claim") for payee in (OWNER_PAYOUT, *PAYOUTS))

    def settle(self, vouchers: list[SignedVoucher]) -> int:
        call = (self.key, LOGGER.address, [1, 2, 3], arguments(vouchers))
        return self.hub(OWNER, "settle", *call)


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    users = (OWNER, LOGGER, AUTHOR, OWNER_PAYOUT, *PAYOUTS, *PAYERS)
    with HubChain.opened(*users) as chain:
        yield Shop(chain)


def test_fifty_receipts_from_the_answer_to_the_claim(shop: Shop) -> None:
    shop.round()
    assert shop.round() <= 50 * 12_000


def test_what_each_call_costs(shop: Shop) -> None:
    """Bounds a little above what was measured: a change that costs more shows here."""
    shop.round()
    shop.deposit(PAYERS[0])
    shop.hub(OWNER, "recordTraining", shop.key, 1, HASH)
    shop.hub(OWNER, "setPrice", shop.key, 7)
    shop.hub(OWNER, "setModelPayout", shop.key, OWNER_PAYOUT.address)
    shop.hub(AUTHOR, "setDatasetPayout", 1, PAYOUTS[0].address)
    shop.hub(PAYERS[0], "requestWithdrawal", shop.key, 1)
    shop.hub(OWNER, "appointLogger", shop.key, NEXT.address, [])
    shop.hub(OWNER, "abandonLogger", shop.key)
    bounds = {
        "registerDataset": 101_000,
        "registerModel": 185_000,
        "recordTraining": 29_500,
        "setPrice": 29_500,
        "setModelPayout": 32_000,
        "setDatasetPayout": 32_000,
        "deposit": 33_000,  # the first one costs 20,000 more, with another's key as signer 42,000
        "append of 50": 61_000,
        "settle": 299_000,
        "claim": 36_500,
        "requestWithdrawal": 30_000,
        "appointLogger": 116_000,
        "abandonLogger": 36_000,
    }
    assert bounds.keys() == shop.gas.keys()
    assert {name: gas for name, gas in shop.gas.items() if gas > bounds[name]} == {}

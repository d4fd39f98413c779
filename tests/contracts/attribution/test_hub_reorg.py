"""The Hub on blocks of our own chain: what a reorg takes back, the Hub has never done."""

from attribution.hub_events import Settled, decode_hub_event
from node.types.primitives import ZERO_ADDRESS, Hash32
from node.types.receipt import Receipt
from tests.contracts.attribution.hub_chain import CHAIN_ID, HubChain
from tests.contracts.attribution.hub_machine import GWEI, HUB, Key, arguments, receipt

OWNER, LOGGER, PAYER, PAYOUT = (Key.named(n) for n in ("owner", "logger", "payer", "payout"))
HASH = b"\x4a" * 32


def last_settled(mined: Receipt) -> Settled:
    event = decode_hub_event(mined.logs[-1])
    assert isinstance(event, Settled)
    return event


def hub_balance(rollup: HubChain) -> int:
    account = rollup.chain.reader.account(HUB, rollup.chain.head())
    assert account is not None
    return account.balance


def test_a_settlement_that_was_reorganized_away() -> None:
    """The other branch has other receipts: its settlement is by those, the voucher still good."""
    with HubChain.opened(OWNER, LOGGER, PAYER, PAYOUT) as rollup:
        rollup.hub(OWNER, "registerDataset", HASH, "", PAYOUT.address)
        terms = (0, 0, OWNER.address, [])
        rollup.hub(OWNER, "registerModel", HASH, "", bytes(32), LOGGER.address, *terms)
        key = Hash32(rollup.model_key(OWNER.address, HASH, bytes(32)))
        stream = int.from_bytes(key[:8], "big")
        rollup.hub(PAYER, "deposit", key, ZERO_ADDRESS, value=10 * GWEI)
        voucher = arguments([PAYER.voucher(key, 10, chain_id=CHAIN_ID)])
        fork = rollup.chain.head()

        rollup.append(LOGGER, stream, 0, receipt(10, (1, 10_000)))
        settled = last_settled(rollup.hub(OWNER, "settle", key, LOGGER.address, [1], voucher))
        assert settled.owner_wei == 0
        rollup.hub(PAYOUT, "claim")
        assert hub_balance(rollup) == 0

        empty = rollup.chain.build(parent=fork, salt=1)
        rollup.chain.engine.insert(empty)
        assert rollup.chain.head().hash == empty.block.hash
        rollup.append(LOGGER, stream, 0, receipt(11, (1, 1000)))
        settled = last_settled(rollup.hub(OWNER, "settle", key, LOGGER.address, [1], voucher))
        assert (settled.unsettled_gwei, settled.charged_gwei) == (11, 10)
        # The dataset has a tenth, 1 gwei of the 10 that were paid.
        assert settled.owner_wei == 9 * GWEI
        rollup.hub(PAYOUT, "claim")
        assert hub_balance(rollup) == settled.owner_wei

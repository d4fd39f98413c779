"""Money out of the Hub, as its events tell it."""

from eth_abi.abi import encode

from attribution.client.escrow import Paid, claim, withdraw
from attribution.client.exchange import Included, Party, Request, Send, carry_out
from attribution.hub_calls import hub_call
from attribution.hub_events import event_topic
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS
from node.types.primitives import Address, Hash32
from node.types.receipt import Log

ME, KEY = Address(b"\x0a" * 20), Hash32(b"\x01" * 32)
PARTY = Party(901, ME)


def word(address: Address) -> Hash32:
    return Hash32(address.rjust(32, b"\x00"))


def included(*topics: Hash32, data: bytes) -> Included:
    return Included(KEY, 1, 0, (Log(ATTRIBUTION_HUB_ADDRESS, topics, data),))


def test_a_withdrawal_says_what_it_paid() -> None:
    def answer(request: Request) -> Included:
        assert isinstance(request, Send)
        assert (request.to, request.value) == (ATTRIBUTION_HUB_ADDRESS, 0)
        assert request.data == hub_call("withdraw", KEY)
        return included(event_topic("Withdrawn"), KEY, word(ME), data=encode(["uint64"], [7]))

    paid = carry_out(withdraw(PARTY, KEY), answer)
    assert isinstance(paid, Paid)
    assert paid.amount_wei == 7 * 10**9


def test_a_claim_says_what_it_paid() -> None:
    to = Address(b"\x0b" * 20)

    def answer(request: Request) -> Included:
        assert isinstance(request, Send)
        assert request.data == hub_call("claimTo", to)
        data = encode(["uint256"], [2**70])
        return included(event_topic("Claimed"), word(ME), word(to), data=data)

    assert carry_out(claim(PARTY, to), answer).amount_wei == 2**70

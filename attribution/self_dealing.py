"""Who is known to pay oneself: the rules, by the number of their set.

Whoever wants to hide it can, by money from elsewhere. What is left is therefore called "not known
self-dealt", and stands beside the raw numbers.
"""

from collections.abc import Callable, Collection

from node.genesis.dev_accounts import dev_accounts
from node.genesis.predeploys import ATTRIBUTION_ADDRESS
from node.types.primitives import Address

RULE_SET_VERSION = "1"
FUNDING_HOPS = 2
RULES = (
    "Receipts count while their writer was the model's appointed logger.",
    "System transactions and deposits from L1 are never counted as use.",
    "A payer is known self-dealt if it is an owner, a logger or a payout (past ones included), or "
    f"if one of them funded it within {FUNDING_HOPS} hops.",
    "An account's funders are the senders of transactions that gave it more OPEN than it had, or "
    "that created it. What contracts pass on is not followed.",
    "Predeploys (the AttributionHub, bridge and messenger, fee vaults) and the accounts whose keys "
    "are public (the faucet of development chains) are no funders.",
)

Funders = Callable[[Address], Collection[Address]]
"""Who has funded an account, as far as that is known."""

MAX_FUNDERS = 1_000
"""Of one payer, over all hops: who has more of them is looked at no further."""

_PREDEPLOYS = bytes.fromhex("42") + bytes(17)
_PUBLIC = frozenset(account.address for account in dev_accounts())


def is_no_funder(account: Address) -> bool:
    """Whether money from this account says nothing about whose it is."""
    is_ours = account.startswith(_PREDEPLOYS) or account == ATTRIBUTION_ADDRESS
    return is_ours or account in _PUBLIC


def is_known_self_dealt(payer: Address, insiders: Collection[Address], funders: Funders) -> bool:
    """Whether a payer is one of the insiders, or has money from one of them."""
    if payer in insiders:
        return True
    seen, hop = {payer}, {payer}
    for _ in range(FUNDING_HOPS):
        above = (funder for account in hop for funder in funders(account))
        hop = {funder for funder in above if not is_no_funder(funder)} - seen
        if not hop.isdisjoint(insiders):
            return True
        seen |= hop
        if len(seen) > MAX_FUNDERS:
            return False
    return False

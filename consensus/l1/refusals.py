"""Why L1 refused a transaction, read from the messages of the clients that are out there."""

from enum import Enum, auto

from consensus.l1.json_rpc import RpcFault


class Refusal(Enum):
    """What a refusal asks of the sender."""

    ALREADY_KNOWN = auto()
    NONCE_TOO_LOW = auto()
    UNDERPRICED = auto()
    NO_FUNDS = auto()
    LATER = auto()
    OTHER = auto()


# Lower-case parts of the messages of geth, reth, erigon, nethermind, besu and anvil. JSON-RPC has
# no codes for these. The first match decides, so "replacement ... underpriced" needs no own entry.
_PHRASES = (
    ("already known", Refusal.ALREADY_KNOWN),
    ("already imported", Refusal.ALREADY_KNOWN),
    ("alreadyknown", Refusal.ALREADY_KNOWN),
    ("known transaction", Refusal.ALREADY_KNOWN),
    ("nonce too low", Refusal.NONCE_TOO_LOW),
    ("nonce is too low", Refusal.NONCE_TOO_LOW),
    ("oldnonce", Refusal.NONCE_TOO_LOW),
    ("underpriced", Refusal.UNDERPRICED),
    ("replacementnotallowed", Refusal.UNDERPRICED),
    ("feetoolow", Refusal.UNDERPRICED),
    ("less than block base fee", Refusal.UNDERPRICED),
    ("fee too low", Refusal.UNDERPRICED),
    ("fee cap too low", Refusal.UNDERPRICED),
    ("blob fee cap", Refusal.UNDERPRICED),
    ("less than block blob gas fee", Refusal.UNDERPRICED),
    ("blob base fee", Refusal.UNDERPRICED),
    ("already reserved", Refusal.LATER),
    ("nonce gap", Refusal.LATER),
    ("gapped nonce", Refusal.LATER),
    ("insufficient funds", Refusal.NO_FUNDS),
    ("insufficientfunds", Refusal.NO_FUNDS),
    ("upfront cost exceeds", Refusal.NO_FUNDS),
    ("txpool is full", Refusal.LATER),
    ("nonce too high", Refusal.LATER),
    ("queue", Refusal.LATER),
)
_INTERNAL_ERROR = -32603


def refusal_of(fault: RpcFault) -> Refusal:
    """Return what the answer to eth_sendRawTransaction means."""
    message = fault.message.lower()
    for phrase, refusal in _PHRASES:
        if phrase in message:
            return refusal
    return Refusal.LATER if fault.code == _INTERNAL_ERROR else Refusal.OTHER

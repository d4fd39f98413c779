"""web3.py on one of the network's chains: signs for the accounts, and waits without waiting."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from node.types.primitives import Hash32
from openrollup.testing.errors import DevnetError

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3

_TIMEOUT_S = 60
MISSING = "{} needs web3.py and eth-account: pip install 'openrollup[testing]'"


def accounts(private_keys: Sequence[bytes]) -> "tuple[LocalAccount, ...]":
    """Return signers for the keys; DevnetError if eth-account is not installed."""
    try:
        from eth_account import Account
    except ImportError as error:
        raise DevnetError(MISSING.format("devnet.accounts")) from error
    return tuple(Account.from_key(key) for key in private_keys)


def connect(
    url: str, private_keys: Sequence[bytes], include: Callable[[Hash32], None]
) -> "tuple[Web3, Callable[[], None]]":
    """Return a client that signs what the owners of the keys send (the first is the default), and
    what closes its connections: it may be used again after that.

    To wait for a receipt is to let time pass: `include` is asked to bring the transaction into a
    block. DevnetError if web3.py is not installed.
    """
    try:
        import requests
        from hexbytes import HexBytes
        from web3 import HTTPProvider, Web3
        from web3.eth import Eth
        from web3.main import get_default_modules
        from web3.middleware import SignAndSendRawMiddlewareBuilder
    except ImportError as error:
        raise DevnetError(MISSING.format("w3")) from error

    class EthInVirtualTime(Eth):
        """eth_*, but that nobody has to wait for a block."""

        def wait_for_transaction_receipt(
            self, transaction_hash: Any, timeout: float = 120, poll_latency: float = 0.1
        ) -> Any:
            """Return the receipt, building blocks if need be; NotIncluded says why there is none.

            Time does not pass by itself here, so `timeout` and `poll_latency` mean nothing.
            """
            include(Hash32(bytes(HexBytes(transaction_hash))))
            return self.get_transaction_receipt(transaction_hash)

    modules = {**get_default_modules(), "eth": EthInVirtualTime}
    session = requests.Session()
    provider = HTTPProvider(url, {"timeout": _TIMEOUT_S}, session)
    w3 = Web3(provider, modules=modules)
    signers = accounts(private_keys)
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(list(signers)), layer=0)
    w3.eth.default_account = signers[0].address
    return w3, session.close

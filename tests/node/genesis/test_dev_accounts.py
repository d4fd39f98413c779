from eth_account import Account

from node.genesis.dev_accounts import (
    DERIVATION_PATH,
    MNEMONIC,
    OPERATOR_ACCOUNTS,
    USER_ACCOUNTS,
    dev_accounts,
)
from node.types.transaction import address_of_key


def test_accounts_are_those_of_the_mnemonic() -> None:
    Account.enable_unaudited_hdwallet_features()
    for account in (*USER_ACCOUNTS, *OPERATOR_ACCOUNTS):
        derived = Account.from_mnemonic(MNEMONIC, account_path=f"{DERIVATION_PATH}{account.index}")
        assert bytes(derived.key) == account.private_key


def test_addresses_belong_to_the_keys() -> None:
    for account in (*USER_ACCOUNTS, *OPERATOR_ACCOUNTS):
        assert address_of_key(account.private_key) == account.address


def test_operators_are_not_among_the_users() -> None:
    users = {account.address for account in dev_accounts()}
    assert len(users) == 10
    assert users.isdisjoint(account.address for account in OPERATOR_ACCOUNTS)

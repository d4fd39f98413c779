"""The fee vaults: settings from genesis, payments on both layers, changes by one account only."""

from collections.abc import Iterator

import pytest
from eth_abi import decode
from eth_utils import keccak

from node.genesis import PredeploySettings, l2_genesis
from node.genesis.predeploy_settings import FeeVaultSettings, WithdrawalNetwork
from node.genesis.predeploys import (
    BASE_FEE_VAULT_ADDRESS,
    L1_FEE_VAULT_ADDRESS,
    MESSAGE_PASSER_ADDRESS,
    OPERATOR_FEE_VAULT_ADDRESS,
    SEQUENCER_FEE_VAULT_ADDRESS,
)
from node.types.primitives import Address
from node.types.receipt import Log, Receipt
from tests.contracts.local_chain import Reverted, address_text
from tests.contracts.priced_chain import ALICE as PAYER
from tests.contracts.priced_chain import L1Prices, PricedChain
from tests.contracts.rollup import CHAIN_ID, GENESIS_TIME, L2Contract, Rollup
from tests.node.chains import open_chain

OWNER = Address(b"\x01" * 20)
ANYBODY = Address(b"\xa1" * 20)
RECIPIENTS = [Address(bytes([0xE0 + i]) * 20) for i in range(4)]
MINIMUM = 10**18
VAULTS = {
    "SequencerFeeVault": SEQUENCER_FEE_VAULT_ADDRESS,
    "BaseFeeVault": BASE_FEE_VAULT_ADDRESS,
    "L1FeeVault": L1_FEE_VAULT_ADDRESS,
    "OperatorFeeVault": OPERATOR_FEE_VAULT_ADDRESS,
}
EACH = pytest.mark.parametrize("name", VAULTS)
SHORT_EVENT = keccak(text="Withdrawal(uint256,address,address)")
LONG_EVENT = keccak(text="Withdrawal(uint256,address,address,uint8)")


@pytest.fixture
def rollup() -> Iterator[Rollup]:
    first, second, third, fourth = (
        FeeVaultSettings(recipient, WithdrawalNetwork.L2, MINIMUM + i)
        for i, recipient in enumerate(RECIPIENTS)
    )
    genesis = l2_genesis(
        chain_id=CHAIN_ID,
        timestamp=GENESIS_TIME,
        predeploy_settings=PredeploySettings(OWNER, first, second, third, fourth),
    )
    with open_chain(genesis=genesis) as chain:
        yield Rollup(chain)


def vault(rollup: Rollup, name: str) -> L2Contract:
    return L2Contract(rollup, name, VAULTS[name])


def balance(rollup: Rollup, address: bytes) -> int:
    account = rollup.chain.reader.account(Address(address), rollup.chain.head())
    return 0 if account is None else account.balance


def fill(rollup: Rollup, name: str, amount: int) -> None:
    """As fees come, in a way that anybody may use, too."""
    assert rollup.transact(ANYBODY, VAULTS[name], b"", value=amount).status == 1


def withdrawals(receipt: Receipt, address: bytes) -> list[Log]:
    return [log for log in receipt.logs if log.address == address]


@EACH
def test_settings_come_from_genesis(rollup: Rollup, name: str) -> None:
    index = list(VAULTS).index(name)
    contract = vault(rollup, name)
    expected = {
        "MIN_WITHDRAWAL_AMOUNT": MINIMUM + index,
        "minWithdrawalAmount": MINIMUM + index,
        "RECIPIENT": address_text(RECIPIENTS[index]),
        "recipient": address_text(RECIPIENTS[index]),
        "WITHDRAWAL_NETWORK": 1,
        "withdrawalNetwork": 1,
        "totalProcessed": 0,
        "version": "1.0.0",
    }
    assert {getter: contract.read(getter) for getter in expected} == expected


def test_the_sequencers_vault_keeps_an_older_name(rollup: Rollup) -> None:
    wallet = vault(rollup, "SequencerFeeVault").read("l1FeeWallet")
    assert wallet == address_text(RECIPIENTS[0])


@EACH
def test_anybody_has_the_fees_paid_out_on_l2(rollup: Rollup, name: str) -> None:
    recipient = RECIPIENTS[list(VAULTS).index(name)]
    total = 0
    for amount in (MINIMUM + 3, 2 * MINIMUM):
        fill(rollup, name, amount)
        receipt = vault(rollup, name).send("withdraw", sender=ANYBODY)
        assert receipt.status == 1
        short, long = withdrawals(receipt, VAULTS[name])
        assert (short.topics, long.topics) == ((SHORT_EVENT,), (LONG_EVENT,))
        values = (amount, address_text(recipient), address_text(ANYBODY))
        assert decode(["uint256", "address", "address"], short.data) == values
        assert decode(["uint256", "address", "address", "uint8"], long.data) == (*values, 1)
        total += amount
        assert balance(rollup, recipient) == total
        assert balance(rollup, VAULTS[name]) == 0
        assert vault(rollup, name).read("totalProcessed") == total


@EACH
def test_less_than_the_minimum_stays(rollup: Rollup, name: str) -> None:
    fill(rollup, name, MINIMUM - 1)
    with pytest.raises(Reverted, match="BelowMinimum") as caught:
        vault(rollup, name).read("withdraw")
    assert caught.value.arguments == (MINIMUM - 1, MINIMUM + list(VAULTS).index(name))
    assert vault(rollup, name).send("withdraw", sender=ANYBODY).status == 0
    assert balance(rollup, VAULTS[name]) == MINIMUM - 1


@pytest.mark.parametrize("min_base_fee", [None, 1_000], ids=["isthmus", "jovian"])
def test_all_that_transactions_pay_reaches_the_recipients(min_base_fee: int | None) -> None:
    first, second, third, fourth = (
        FeeVaultSettings(recipient, min_withdrawal_amount=1) for recipient in RECIPIENTS
    )
    genesis = l2_genesis(
        chain_id=CHAIN_ID,
        timestamp=GENESIS_TIME,
        min_base_fee=min_base_fee,
        predeploy_settings=PredeploySettings(OWNER, first, second, third, fourth),
    )
    with open_chain(genesis=genesis) as chain:
        rollup = PricedChain(chain, prices=L1Prices(1368, 810_949, 10**10, 10**9, 7_000, 10**9))
        before = rollup.balance(PAYER.address)
        for _ in range(3):
            rollup.extend(chain.pay(ANYBODY, 5))
        paid = before - rollup.balance(PAYER.address) - 3 * 5
        held = [rollup.balance(address) for address in VAULTS.values()]
        assert all(held)
        assert sum(held) == paid
        for name in VAULTS:
            assert vault(rollup, name).send("withdraw", sender=ANYBODY).status == 1
        assert [rollup.balance(recipient) for recipient in RECIPIENTS] == held


def test_fees_go_to_l1_by_way_of_the_message_passer(rollup: Rollup) -> None:
    contract = vault(rollup, "L1FeeVault")
    assert contract.send("setWithdrawalNetwork", 0, sender=OWNER).status == 1
    fill(rollup, "L1FeeVault", 5 * MINIMUM)
    receipt = contract.send("withdraw", sender=ANYBODY)
    assert receipt.status == 1
    assert balance(rollup, MESSAGE_PASSER_ADDRESS) == 5 * MINIMUM
    passer = L2Contract(rollup, "L2ToL1MessagePasser", MESSAGE_PASSER_ADDRESS)
    (log,) = passer.events(receipt, "MessagePassed")
    assert log.topics[2][12:] == L1_FEE_VAULT_ADDRESS
    assert log.topics[3][12:] == RECIPIENTS[2]
    value, gas, data, withdrawal_hash = decode(["uint256", "uint256", "bytes", "bytes32"], log.data)
    assert (value, gas, data) == (5 * MINIMUM, 400_000, b"")
    assert passer.read("sentMessages", withdrawal_hash) is True
    _, long = withdrawals(receipt, L1_FEE_VAULT_ADDRESS)
    assert long.data[-1] == 0


def test_the_owner_of_the_proxy_admin_changes_settings(rollup: Rollup) -> None:
    contract = vault(rollup, "BaseFeeVault")
    for setter, value, event, getter in [
        ("setRecipient", address_text(ANYBODY), "RecipientUpdated", "recipient"),
        ("setMinWithdrawalAmount", 7, "MinWithdrawalAmountUpdated", "minWithdrawalAmount"),
        ("setWithdrawalNetwork", 0, "WithdrawalNetworkUpdated", "withdrawalNetwork"),
    ]:
        before = contract.read(getter)
        receipt = contract.send(setter, value, sender=OWNER)
        (log,) = contract.events(receipt, event)
        kind = "address" if setter == "setRecipient" else "uint256"
        assert decode([kind, kind], log.data) == (before, value)
        assert contract.read(getter) == value
    assert contract.read("totalProcessed") == 0


@pytest.mark.parametrize(
    ("setter", "value"),
    [
        ("setRecipient", address_text(ANYBODY)),
        ("setMinWithdrawalAmount", 0),
        ("setWithdrawalNetwork", 0),
    ],
)
def test_nobody_else_changes_settings(rollup: Rollup, setter: str, value: object) -> None:
    for sender in (ANYBODY, RECIPIENTS[0], SEQUENCER_FEE_VAULT_ADDRESS):
        with pytest.raises(Reverted, match="OnlyProxyAdminOwner"):
            vault(rollup, "SequencerFeeVault").read(setter, value, sender=sender)


def test_a_vault_always_has_a_recipient(rollup: Rollup) -> None:
    with pytest.raises(Reverted, match="ZeroRecipient"):
        vault(rollup, "L1FeeVault").read("setRecipient", "0x" + "00" * 20, sender=OWNER)


def test_fees_that_the_recipient_refuses_stay(rollup: Rollup) -> None:
    contract = vault(rollup, "L1FeeVault")
    # The Multicall3 contract takes no plain transfer.
    refusing = "0xca11bde05977b3631167028862be2a173976ca11"
    assert contract.send("setRecipient", refusing, sender=OWNER).status == 1
    fill(rollup, "L1FeeVault", 2 * MINIMUM)
    with pytest.raises(Reverted, match="RecipientRefused"):
        contract.read("withdraw")
    assert contract.send("withdraw", sender=ANYBODY).status == 0
    assert balance(rollup, L1_FEE_VAULT_ADDRESS) == 2 * MINIMUM


def test_the_code_behind_the_proxy_has_no_settings(rollup: Rollup) -> None:
    """Nobody can make the implementation's own address pay anything out."""
    implementation = Address(bytes.fromhex("c0d3" * 9) + L1_FEE_VAULT_ADDRESS[18:])
    bare = L2Contract(rollup, "L1FeeVault", implementation)
    assert bare.read("recipient") == "0x" + "00" * 20
    with pytest.raises(Reverted, match="ZeroRecipient"):
        bare.read("withdraw")

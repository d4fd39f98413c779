"""Which vouchers are charged: the contract's word on each way in which one can be bad."""

from dataclasses import replace

import pytest

from attribution.hub_events import SkipReason, VoucherSkipped
from attribution.vouchers import SignedVoucher, Voucher, domain_separator
from node.types.primitives import Address, checksum_address
from node.types.transaction import SECP256K1_N
from tests.contracts.attribution.hub_machine import (
    CHAIN_ID,
    HUB,
    NEVER,
    HubMachine,
    Key,
    arguments,
    receipt,
)
from tests.contracts.attribution.scene import ANNA, BERT, CARL, HASH, LOGGER, STRANGER, Scene
from tests.contracts.local_chain import Reverted

PAYEE = Address(b"\xcc" * 20)
DELEGATION = b"\xef\x01\x00" + b"\xcc" * 20


@pytest.fixture
def paid(scene: Scene) -> Scene:
    """Anna and Bert have 100 gwei; receipts of 1,000 gwei wait."""
    scene.deposit(ANNA.address, 100)
    scene.deposit(BERT.address, 100)
    scene.log(receipt(1000))
    return scene


def skipped(scene: Scene, voucher: SignedVoucher) -> SkipReason:
    """Why a voucher is left out beside one that is charged; alone it charges nothing."""
    before = scene.machine.ask("escrow", voucher.voucher.payer, scene.model_key)
    with pytest.raises(Reverted, match="NothingCharged"):
        scene.settle([], voucher)
    outcome = scene.settle([], voucher, BERT.voucher(scene.model_key, 1))
    event: VoucherSkipped = outcome.one(VoucherSkipped)
    assert event.index == 0
    assert scene.machine.ask("escrow", voucher.voucher.payer, scene.model_key) == before
    return event.reason


def test_digest_and_domain(machine: HubMachine) -> None:
    voucher = Voucher(ANNA.address, HASH, 7, 9)  # type: ignore[arg-type]
    digest = machine.ask("voucherDigest", ANNA.address, HASH, 7, 9)
    assert digest == voucher.digest(CHAIN_ID)
    assert machine.ask("domainSeparator") == domain_separator(CHAIN_ID)
    fields, name, version, chain_id, hub, salt, extensions = machine.ask("eip712Domain")
    domain = voucher.typed_data(CHAIN_ID)["domain"]
    assert (name, version, chain_id) == (domain["name"], domain["version"], domain["chainId"])
    assert checksum_address(Address(bytes.fromhex(hub[2:]))) == domain["verifyingContract"]
    assert (fields, salt, extensions) == (b"\x0f", bytes(32), ())


def test_vouchers_are_cumulative(paid: Scene) -> None:
    paid.settle([], ANNA.voucher(paid.model_key, 40))
    paid.settle([], ANNA.voucher(paid.model_key, 70))
    assert (paid.balance(ANNA.address), paid.spent(ANNA.address)) == (30, 70)


def test_several_of_one_payer(paid: Scene) -> None:
    amounts = (40, 30, 40, 70)
    outcome = paid.settle([], *[ANNA.voucher(paid.model_key, amount) for amount in amounts])
    reasons = [(event.index, event.reason) for event in outcome.all(VoucherSkipped)]
    assert reasons == [(1, SkipReason.NOTHING_NEW), (2, SkipReason.NOTHING_NEW)]
    assert paid.spent(ANNA.address) == 70


@pytest.mark.parametrize("cumulative", [0, 39, 40])
def test_a_total_that_does_not_grow(paid: Scene, cumulative: int) -> None:
    paid.settle([], ANNA.voucher(paid.model_key, 40))
    assert skipped(paid, ANNA.voucher(paid.model_key, cumulative)) is SkipReason.NOTHING_NEW


def test_an_expired_voucher(paid: Scene) -> None:
    now = paid.machine.now
    late = ANNA.voucher(paid.model_key, 40, expiry=now - 1)
    assert skipped(paid, late) is SkipReason.EXPIRED
    paid.settle([], ANNA.voucher(paid.model_key, 40, expiry=now))


@pytest.mark.parametrize("cumulative", [101, NEVER])
def test_an_escrow_that_is_too_small(paid: Scene, cumulative: int) -> None:
    voucher = ANNA.voucher(paid.model_key, cumulative)
    assert skipped(paid, voucher) is SkipReason.ESCROW_TOO_SMALL


def test_a_payer_without_escrow(paid: Scene) -> None:
    voucher = CARL.voucher(paid.model_key, 1)
    assert skipped(paid, voucher) is SkipReason.ESCROW_TOO_SMALL


def test_missing_receipts(paid: Scene) -> None:
    paid.deposit(ANNA.address, 5000)
    assert skipped(paid, ANNA.voucher(paid.model_key, 1001)) is SkipReason.RECEIPTS_MISSING


def forgeries(scene: Scene) -> dict[str, SignedVoucher]:
    """Vouchers of Anna's that she has not signed so."""
    good = ANNA.voucher(scene.model_key, 40)
    s = good.vs & (2**255 - 1)
    payer = ANNA.address
    return {
        "another's key": CARL.voucher(scene.model_key, 40, payer=payer),
        "another amount": replace(good, voucher=replace(good.voucher, cumulative_gwei=41)),
        "another expiry": replace(good, voucher=replace(good.voucher, expiry=NEVER - 1)),
        "another model": ANNA.voucher(HASH, 40),
        "another payer": ANNA.voucher(scene.model_key, 40, payer=BERT.address),
        "another chain": ANNA.voucher(scene.model_key, 40, chain_id=CHAIN_ID + 1),
        "other parity": replace(good, vs=good.vs ^ 1 << 255),
        "high s": replace(good, vs=(SECP256K1_N - s) | (good.vs ^ 1 << 255) & 1 << 255),
        "nothing": replace(good, r=0, vs=0),
        "r too large": replace(good, r=SECP256K1_N),
        "all ones": replace(good, r=2**256 - 1, vs=2**256 - 1),
    }


FORGERIES = (
    "another's key",
    "another amount",
    "another expiry",
    "another model",
    "another chain",
    "other parity",
    "high s",
    "nothing",
    "r too large",
    "all ones",
)


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_voucher(paid: Scene, forgery: str) -> None:
    voucher = forgeries(paid)[forgery]
    voucher = replace(voucher, voucher=replace(voucher.voucher, payer=ANNA.address))
    assert skipped(paid, voucher) is SkipReason.WRONG_SIGNER


def test_one_signer_of_several_payers(paid: Scene) -> None:
    """A signature names its payer: the same signer's word for one does not charge the other."""
    payers = [Key.named("first"), Key.named("second")]
    for payer in payers:
        paid.deposit(payer.address, 100, CARL.address)
    first = CARL.voucher(paid.model_key, 40, payer=payers[0].address)
    moved = replace(first, voucher=replace(first.voucher, payer=payers[1].address))
    assert skipped(paid, moved) is SkipReason.WRONG_SIGNER
    paid.settle([], first)
    assert paid.spent(payers[0].address) == 40


def test_a_payer_with_another_signer_does_not_sign_itself(paid: Scene) -> None:
    payer = Key.named("payer")
    paid.deposit(payer.address, 100, CARL.address)
    assert skipped(paid, payer.voucher(paid.model_key, 40)) is SkipReason.WRONG_SIGNER
    paid.settle([], CARL.voucher(paid.model_key, 40, payer=payer.address))
    assert paid.balance(payer.address) == 60


def test_a_contract_pays_by_its_signer(paid: Scene) -> None:
    machine = paid.machine
    machine.place_payee(PAYEE)
    for signer in (bytes(20), PAYEE):
        with pytest.raises(Reverted, match="SignerRequired"):
            machine.through(PAYEE, "deposit", paid.model_key, signer, value=10**11)
    machine.through(PAYEE, "deposit", paid.model_key, CARL.address, value=10**11)
    machine.through(PAYEE, "deposit", paid.model_key, bytes(20), value=10**11)
    paid.settle([], CARL.voucher(paid.model_key, 150, payer=PAYEE))
    assert paid.balance(PAYEE) == 50


@pytest.mark.parametrize("is_delegated_before", [True, False])
def test_a_delegated_account_signs_for_itself(paid: Scene, is_delegated_before: bool) -> None:
    """Its code, here a contract's, plays no part: only its key's signature does (EIP-7702)."""
    payer, machine = Key.named("delegated"), paid.machine
    machine.place_payee(PAYEE)
    if is_delegated_before:
        machine.place(payer.address, DELEGATION)
    paid.deposit(payer.address, 100)
    if not is_delegated_before:
        machine.place(payer.address, DELEGATION)
    paid.settle([], payer.voucher(paid.model_key, 60))
    assert paid.balance(payer.address) == 40
    assert skipped(paid, CARL.voucher(paid.model_key, 70, payer=payer.address)) is (
        SkipReason.WRONG_SIGNER
    )
    # The code runs where the account is paid: its own affair.
    machine.hub("requestWithdrawal", paid.model_key, 40, sender=payer.address)
    machine.sleep(machine.escrow_settings.withdrawal_delay_s)
    machine.hub("withdraw", paid.model_key, sender=payer.address)
    assert machine.balance(payer.address) == 40 * 10**9


def test_a_delegated_signer(paid: Scene) -> None:
    paid.machine.place(CARL.address, DELEGATION)
    payer = Key.named("payer")
    paid.deposit(payer.address, 100, CARL.address)
    paid.settle([], CARL.voucher(paid.model_key, 10, payer=payer.address))
    assert paid.spent(payer.address) == 10


def test_a_logger_alone_moves_nothing(paid: Scene) -> None:
    """Whatever it writes and signs, it is no payer's signer."""
    logger = Key.named("logger")
    paid.appoint(logger.address)
    paid.machine.log_receipts(logger.address, paid.stream, receipt(100))
    forged = logger.voucher(paid.model_key, 100, payer=ANNA.address)
    with pytest.raises(Reverted, match="NothingCharged"):
        paid.settle([], forged, logger=logger.address, sender=logger.address)
    assert paid.balance(ANNA.address) == 100


def test_no_vouchers(paid: Scene) -> None:
    with pytest.raises(Reverted, match="NothingCharged"):
        paid.settle([])


def test_the_argument_is_what_the_contract_reads(paid: Scene) -> None:
    """A voucher whose fields exceed their width is refused by the ABI, with nothing changed."""
    payer, _, expiry, r, vs = ANNA.voucher(paid.model_key, 1).argument()
    good = arguments([ANNA.voucher(paid.model_key, 1)])
    data = paid.machine.hub("settle", paid.model_key, LOGGER, [], good, sender=STRANGER).data
    place = data.rindex(expiry.to_bytes(32, "big"))
    wide = data[: place + 23] + b"\x01" + data[place + 24 :]
    outcome = paid.machine.transact(STRANGER, HUB, wide)
    assert (outcome.success, outcome.output) == (False, b"")
    assert payer == checksum_address(ANNA.address)
    assert (len(r), len(vs)) == (32, 32)

"""Which vouchers a gateway takes, and that those it takes can be charged."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.refusals import (
    Expired,
    ExpiresTooSoon,
    NothingNew,
    Refused,
    VoucherRequired,
    VoucherTooLarge,
    WrongSigner,
)
from attribution.voucher_book import EscrowState, VoucherBook, check_charge
from attribution.vouchers import SignedVoucher, Voucher, sign_voucher
from node.errors import InvalidInput
from node.types.primitives import Address, Hash32
from node.types.transaction import address_of_key

KEY, OTHER_KEY = b"\x07" * 32, b"\x08" * 32
PAYER = address_of_key(KEY)
MODEL = Hash32(b"\x01" * 32)
CHAIN = 901
NOW = 1_000_000
FUNDED = EscrowState(10_000, 500, 0, 0, signer=PAYER)


def voucher(
    cumulative: int, expiry: int = NOW + 100, key: bytes = KEY, model: Hash32 = MODEL
) -> SignedVoucher:
    return sign_voucher(key, Voucher(PAYER, model, cumulative, expiry), CHAIN)


def book() -> VoucherBook:
    return VoucherBook(MODEL, CHAIN, least_validity_s=60)


def test_answers_are_covered_by_the_best_voucher() -> None:
    kept = book()
    assert kept.accept(voucher(1_500), FUNDED, NOW) == 1_000
    assert kept.serve(PAYER, 700) == 300
    with pytest.raises(VoucherRequired, match="for 1600 gwei"):
        kept.serve(PAYER, 400)
    assert kept.accept(voucher(1_600), FUNDED, NOW) == 400
    assert kept.serve(PAYER, 400) == 0
    assert kept.best(PAYER) == voucher(1_600)
    assert kept.vouchers() == (voucher(1_600),)


def test_a_book_survives_a_restart() -> None:
    kept = book()
    kept.accept(voucher(1_500), FUNDED, NOW)
    kept.serve(PAYER, 700)
    again = VoucherBook.from_json(json.loads(json.dumps(kept.to_json())))
    assert (again.vouchers(), again.left(PAYER)) == (kept.vouchers(), 300)
    with pytest.raises(NothingNew):
        again.accept(voucher(1_500), FUNDED, NOW)
    assert again.to_json() == kept.to_json()


@pytest.mark.parametrize("content", [None, {}, [], {"modelKey": "0x", "chainId": 1}])
def test_what_is_no_book(content: object) -> None:
    with pytest.raises(InvalidInput, match="voucher book"):
        VoucherBook.from_json(content)


def test_a_stranger_has_nothing() -> None:
    stranger = Address(bytes(20))
    assert (book().left(stranger), book().best(stranger)) == (0, None)
    with pytest.raises(VoucherRequired):
        book().serve(stranger, 1)


@pytest.mark.parametrize(
    ("offered", "escrow", "kind"),
    [
        (voucher(1_500, key=OTHER_KEY), FUNDED, WrongSigner),
        (SignedVoucher(voucher(1_500).voucher, 0, 0), FUNDED, WrongSigner),
        (voucher(1_500), EscrowState(0, 0, 0, 0, None), VoucherTooLarge),
        (voucher(1_500, NOW - 1), FUNDED, Expired),
        (voucher(1_500, NOW + 59), FUNDED, ExpiresTooSoon),
        (voucher(500), FUNDED, NothingNew),
        (voucher(1_200), FUNDED, NothingNew),
        (voucher(10_501), FUNDED, VoucherTooLarge),
        (voucher(10_500), EscrowState(10_000, 500, 1, NOW, PAYER), VoucherTooLarge),
    ],
)
def test_a_bad_voucher_changes_nothing(
    offered: SignedVoucher, escrow: EscrowState, kind: type[Refused]
) -> None:
    kept = book()
    kept.accept(voucher(1_300), FUNDED, NOW)
    with pytest.raises(kind) as raised:
        kept.accept(offered, escrow, NOW)
    assert type(raised.value) is kind
    assert kept.vouchers() == (voucher(1_300),)
    assert kept.left(PAYER) == 800


def test_the_voucher_of_another_model() -> None:
    with pytest.raises(InvalidInput, match="expected model 0x0101"):
        book().accept(voucher(900, model=Hash32(bytes(32))), FUNDED, NOW)


@given(
    st.lists(
        st.tuples(st.integers(0, 4_000), st.integers(NOW - 20, NOW + 200), st.booleans()),
        max_size=12,
    ),
    st.builds(
        EscrowState,
        balance_gwei=st.integers(0, 3_000),
        spent_gwei=st.integers(0, 1_000),
        requested_gwei=st.integers(0, 3_000),
        requested_at=st.just(NOW),
        signer=st.sampled_from([PAYER, None]),
    ),
)
def test_what_a_gateway_keeps_can_be_charged_later(
    offers: list[tuple[int, int, bool]], escrow: EscrowState
) -> None:
    kept = book()
    highest = -1
    for cumulative, expiry, is_forged in offers:
        try:
            kept.accept(voucher(cumulative, expiry, OTHER_KEY if is_forged else KEY), escrow, NOW)
        except Refused:
            continue
        assert cumulative > highest
        highest = cumulative
    best = kept.best(PAYER)
    if best is not None:
        withdrawn = min(escrow.requested_gwei, escrow.balance_gwei)
        left = EscrowState(escrow.balance_gwei - withdrawn, escrow.spent_gwei, 0, 0, PAYER)
        assert best.voucher.cumulative_gwei == highest
        assert check_charge(best, left, CHAIN, NOW + 60) == highest - escrow.spent_gwei

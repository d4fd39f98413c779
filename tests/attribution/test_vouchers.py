"""Vouchers: the same digest as wallets make, and signatures that the Hub takes."""

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from attribution.vouchers import SignedVoucher, Voucher, from_wallet, sign_voucher
from node.errors import InvalidInput
from node.types.primitives import Address, Hash32
from node.types.transaction import SECP256K1_N, address_of_key

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
SIGNER = address_of_key(KEY)

vouchers = st.builds(
    Voucher,
    payer=st.binary(min_size=20, max_size=20).map(Address),
    model_key=st.binary(min_size=32, max_size=32).map(Hash32),
    cumulative_gwei=st.integers(0, 2**64 - 1),
    expiry=st.integers(0, 2**64 - 1),
)


@given(vouchers, st.integers(1, 2**53))
def test_a_wallet_signs_the_same(voucher: Voucher, chain_id: int) -> None:
    message = encode_typed_data(full_message=voucher.typed_data(chain_id))
    signed = Account.sign_message(message, KEY)
    ours = sign_voucher(KEY, voucher, chain_id)
    assert signed.message_hash == voucher.digest(chain_id)
    assert from_wallet(voucher, bytes(signed.signature)) == ours
    assert ours.signer(chain_id) == SIGNER


@given(vouchers, vouchers)
def test_a_signature_is_for_one_voucher_on_one_chain(one: Voucher, other: Voucher) -> None:
    signed = sign_voucher(KEY, one, 901)
    assert signed.signer(902) != SIGNER
    assert signed.signer(901, Address(bytes(20))) != SIGNER
    moved = SignedVoucher(other, signed.r, signed.vs)
    assert (moved.signer(901) == SIGNER) == (one == other)


def test_what_the_hub_takes_for_no_signature() -> None:
    voucher = Voucher(SIGNER, Hash32(bytes(32)), 1, 2)
    signed = sign_voucher(KEY, voucher, 901)
    upper = SECP256K1_N // 2 + 1
    assert SignedVoucher(voucher, signed.r, upper).signer(901) is None
    assert SignedVoucher(voucher, 0, signed.vs).signer(901) is None
    assert SignedVoucher(voucher, signed.r, 1 << 256).signer(901) is None


@pytest.mark.parametrize(
    "signature",
    [b"", bytes(64), bytes(66), bytes(64) + b"\x02", bytes(32) + b"\xff" * 32 + b"\x1b"],
)
def test_what_no_wallet_returns_is_refused(signature: bytes) -> None:
    with pytest.raises(InvalidInput, match="signature"):
        from_wallet(Voucher(SIGNER, Hash32(bytes(32)), 1, 2), signature)


@pytest.mark.parametrize("value", [-1, 2**64])
def test_numbers_have_64_bits(value: int) -> None:
    with pytest.raises(InvalidInput, match="cumulative_gwei"):
        Voucher(SIGNER, Hash32(bytes(32)), value, 0)
    with pytest.raises(InvalidInput, match="expiry"):
        Voucher(SIGNER, Hash32(bytes(32)), 0, value)

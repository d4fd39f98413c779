import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.types.primitives import checksum_address
from openrollup.bridge.arguments import address, amount, gas, hex_data, open_text, transaction_hash


@pytest.mark.parametrize(
    ("text", "units"),
    [("0", 0), ("1.5", 15 * 10**17), ("0.000000000000000001", 1), ("007", 7 * 10**18)],
)
def test_amounts(text: str, units: int) -> None:
    assert amount(text) == units


@pytest.mark.parametrize(
    "text",
    ["", "-1", "1,5", ".5", "1.", "1e18", "0x1", " 1", "1.0000000000000000001", "\uff19", "nan"],
)
def test_no_amounts(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"expected OPEN such as 1\.5"):
        amount(text)


@given(st.integers(0, 10**60))
def test_an_amount_is_read_as_it_is_written(units: int) -> None:
    assert amount(open_text(units)) == units


def test_addresses() -> None:
    known = bytes.fromhex("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")
    text = checksum_address(known)
    assert address(text) == address(text.lower()) == address(known.hex()) == known
    assert address("0x" + known.hex().upper()) == known
    with pytest.raises(argparse.ArgumentTypeError, match="the capitals do not fit"):
        address(text.replace("aA", "Aa"))
    for wrong in ("", "0x", text[:-1], text + "0", "me"):
        with pytest.raises(argparse.ArgumentTypeError, match="expected an address"):
            address(wrong)


def test_hashes_data_and_gas() -> None:
    assert transaction_hash("0x" + "ab" * 32) == b"\xab" * 32
    with pytest.raises(argparse.ArgumentTypeError, match="expected a transaction's hash"):
        transaction_hash("0xab")
    assert hex_data("0x") == b""
    assert hex_data("0x00ff") == b"\x00\xff"
    for wrong in ("", "00", "0x0", "0xzz", "0x00 11"):
        with pytest.raises(argparse.ArgumentTypeError, match="expected hexadecimal data"):
            hex_data(wrong)
    assert gas("21000") == 21_000
    for wrong in ("", "-1", "1.5", str(2**64), "9" * 5_000):
        with pytest.raises(argparse.ArgumentTypeError, match="expected gas"):
            gas(wrong)

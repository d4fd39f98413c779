import argparse

import pytest

from node.types.primitives import hex_address
from openrollup.deploy_command import fund

ACCOUNT = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        (ACCOUNT, 10_000 * 10**18),
        (f"{ACCOUNT}=0", 0),
        (f"{ACCOUNT}=1.5", 15 * 10**17),
        (f"{ACCOUNT.lower()}=1000000000", 10**27),
    ],
)
def test_funds(text: str, amount: int) -> None:
    assert fund(text) == (hex_address(ACCOUNT), amount)


@pytest.mark.parametrize(
    "text", ["", "=5", f"{ACCOUNT}=", f"{ACCOUNT}=-1", f"{ACCOUNT}=1=2", f"{ACCOUNT[:-1]}=1"]
)
def test_no_funds(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected"):
        fund(text)

"""Each error of the contracts has its exception, with the contract's own arguments."""

import re
import string
from typing import Any

import pytest
from eth_abi.abi import encode

from attribution import refusals
from attribution.calldata import _ERRORS as PRECOMPILE_ERRORS
from attribution.hub_calls import HubError, hub_errors
from attribution.hub_events import SkipReason
from attribution.refusals import ContractRefusal, Refused, VoucherRefusal, refusal_of

SAMPLES: dict[str, tuple[Any, Any]] = {
    "address": ("0x" + "11" * 20, b"\x11" * 20),
    "bytes32": (b"\x22" * 32, b"\x22" * 32),
}


def snake(name: str) -> str:
    return re.sub("[A-Z]", lambda capital: "_" + capital.group().lower(), name)


@pytest.mark.parametrize(
    ("selector", "error"), hub_errors().items(), ids=[e.name for e in hub_errors().values()]
)
def test_an_error_of_the_hub(selector: bytes, error: HubError) -> None:
    values = [SAMPLES.get(kind, (7, 7)) for kind in error.types]
    said = refusal_of(selector + encode(error.types, [value for value, _ in values]))
    assert said is not None
    assert type(said).__name__ == error.name
    for name, (_, value) in zip(error.fields, values, strict=True):
        assert getattr(said, snake(name)) == value
    assert str(said).startswith(f"{error.name}: ")


@pytest.mark.parametrize("selector", PRECOMPILE_ERRORS)
def test_an_error_of_the_precompile(selector: bytes) -> None:
    name, types = PRECOMPILE_ERRORS[selector]
    said = refusal_of(selector + encode(types, [9] * len(types)))
    assert type(said).__name__ == name
    assert said is not None
    assert list(said.arguments.values()) == [9] * len(types)


@pytest.mark.parametrize(
    "data", [b"", b"\x01", bytes(4), next(iter(hub_errors())) + b"\x01", b"\xff" * 68]
)
def test_what_is_no_error_of_ours(data: bytes) -> None:
    assert refusal_of(data) is None


def test_every_contract_refusal_is_an_error_of_a_contract() -> None:
    known = {error.name for error in hub_errors().values()}
    known |= {name for name, _ in PRECOMPILE_ERRORS.values()}
    assert {kind.__name__ for kind in ContractRefusal.__subclasses__()} == known


def test_every_reason_to_leave_a_voucher_out_has_its_exception() -> None:
    reasons = {kind.reason for kind in VoucherRefusal.__subclasses__()}
    assert reasons == set(SkipReason)


def test_a_message_is_one_line_with_all_that_the_text_names() -> None:
    for kind in (entry for entry in vars(refusals).values() if isinstance(entry, type)):
        if not issubclass(kind, Refused) or not kind.text:
            continue
        names = [name for _, name, _, _ in string.Formatter().parse(kind.text) if name]
        said = kind("because", **dict.fromkeys(names, b"\x01" * 20))
        assert str(said).startswith(f"{kind.__name__}: ")
        assert str(said).endswith(": because")
        assert "\n" not in str(said)


def test_an_argument_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="NothingOwed has no model_key"):
        _ = refusals.NothingOwed().model_key

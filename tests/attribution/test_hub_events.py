"""The Hub's events: every one of them, there and back."""

import contextlib
from dataclasses import astuple
from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode
from hypothesis import given
from hypothesis import strategies as st

from attribution.hub_events import SkipReason, decode_hub_event, event_topic
from node.artifacts import load_artifact
from node.errors import DecodingError
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS
from node.types.primitives import Address, Hash32, keccak256
from node.types.receipt import Log

EVENTS = [entry for entry in load_artifact("AttributionHub").abi if entry["type"] == "event"]


def value_of(kind: str) -> st.SearchStrategy[Any]:
    if kind == "uint8":
        return st.sampled_from(SkipReason)
    if kind == "address":
        return st.binary(min_size=20, max_size=20)
    if kind == "bytes32":
        return st.binary(min_size=32, max_size=32)
    if kind == "string":
        return st.text(st.characters(exclude_categories=["Cs"]))
    if kind.endswith("[]"):
        return st.lists(value_of(kind[:-2]), max_size=16).map(tuple)
    return st.integers(0, 2 ** int(kind.removeprefix("uint")) - 1)


def log_of(event: dict[str, Any], values: list[Any]) -> Log:
    inputs = event["inputs"]
    types = [entry["type"] for entry in inputs]
    topic = keccak256(f"{event['name']}({','.join(types)})".encode())
    topics = [
        Hash32(abi_encode([entry["type"]], [value]))
        for entry, value in zip(inputs, values, strict=True)
        if entry["indexed"]
    ]
    plain = [place for place, entry in enumerate(inputs) if not entry["indexed"]]
    data = abi_encode([types[place] for place in plain], [values[place] for place in plain])
    return Log(ATTRIBUTION_HUB_ADDRESS, (topic, *topics), data)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["name"])
@given(data=st.data())
def test_each_event_comes_back(event: dict[str, Any], data: st.DataObject) -> None:
    values = [data.draw(value_of(entry["type"])) for entry in event["inputs"]]
    log = log_of(event, values)
    decoded = decode_hub_event(log)
    assert type(decoded).__name__ == event["name"]
    assert list(astuple(decoded)) == values
    assert event_topic(event["name"]) == log.topics[0]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["name"])
@given(data=st.data())
def test_other_bytes_are_refused_or_decoded(event: dict[str, Any], data: st.DataObject) -> None:
    values = [data.draw(value_of(entry["type"])) for entry in event["inputs"]]
    log = log_of(event, values)
    short = Log(log.address, log.topics, log.data[:-1])
    if log.data:
        with pytest.raises(DecodingError):
            decode_hub_event(short)
    garbage = data.draw(st.binary(max_size=300))
    with contextlib.suppress(DecodingError):
        decode_hub_event(Log(log.address, log.topics, garbage))
    with pytest.raises(DecodingError, match="topics"):
        decode_hub_event(Log(log.address, (*log.topics, Hash32(bytes(32))), log.data))


def test_logs_of_others_are_refused() -> None:
    with pytest.raises(DecodingError, match="expected the AttributionHub"):
        decode_hub_event(Log(Address(bytes(20)), (), b""))
    with pytest.raises(DecodingError, match="no event"):
        decode_hub_event(Log(ATTRIBUTION_HUB_ADDRESS, (), b""))
    with pytest.raises(DecodingError, match="no event"):
        decode_hub_event(Log(ATTRIBUTION_HUB_ADDRESS, (Hash32(bytes(32)),), b""))

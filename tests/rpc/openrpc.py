"""Checks values against the result schemas of the execution APIs' OpenRPC document."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_DOCUMENT = Path(__file__).parents[2] / "../shared/vectors/openrpc.json.gz"


def result_schemas() -> dict[str, Any]:
    """Return the result schema of each method; skips the test where the document is absent."""
    if not _DOCUMENT.exists():
        pytest.skip("the OpenRPC document of the execution APIs is not here")
    document = json.loads(gzip.decompress(_DOCUMENT.read_bytes()))
    return {method["name"]: method["result"]["schema"] for method in document["methods"]}


def violations(schema: Any, value: Any, path: str = "result") -> list[str]:
    """Return what breaks a schema, in the subset of JSON Schema that the document uses."""
    found: list[str] = []
    for keyword, demand in schema.items():
        found += _CHECKS.get(keyword, _unknown)(schema, demand, value, path)
    return found


def _unknown(schema: Any, demand: Any, value: Any, path: str) -> list[str]:
    return []


_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _type(schema: Any, demand: str, value: Any, path: str) -> list[str]:
    return [] if _TYPES[demand](value) else [f"{path}: expected {demand}, got {value!r}"]


def _pattern(schema: Any, demand: str, value: Any, path: str) -> list[str]:
    if not isinstance(value, str) or re.search(demand, value):
        return []
    return [f"{path}: {value!r} does not match {demand}"]


def _enum(schema: Any, demand: list[Any], value: Any, path: str) -> list[str]:
    return [] if value in demand else [f"{path}: expected one of {demand}, got {value!r}"]


def _range(schema: Any, demand: float, value: Any, path: str) -> list[str]:
    low, high = schema.get("minimum", value), schema.get("maximum", value)
    return [] if low <= value <= high else [f"{path}: {value} is not within {low} and {high}"]


def _items(schema: Any, demand: Any, value: Any, path: str) -> list[str]:
    if not isinstance(value, list):
        return []
    return [
        text
        for index, item in enumerate(value)
        for text in violations(demand, item, f"{path}[{index}]")
    ]


def _properties(schema: Any, demand: dict[str, Any], value: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return []
    return [
        text
        for name, inner in demand.items()
        if name in value
        for text in violations(inner, value[name], f"{path}.{name}")
    ]


def _required(schema: Any, demand: list[str], value: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return []
    return [f"{path}.{name}: it is missing" for name in demand if name not in value]


def _additional(schema: Any, demand: Any, value: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return []
    others = [name for name in value if name not in schema.get("properties", {})]
    if demand is False:
        return [f"{path}.{name}: it is not expected" for name in others]
    if demand is True:
        return []
    return [text for name in others for text in violations(demand, value[name], f"{path}.{name}")]


def _any_of(schema: Any, demand: list[Any], value: Any, path: str) -> list[str]:
    attempts = [violations(choice, value, path) for choice in demand]
    return [] if any(not attempt for attempt in attempts) else min(attempts, key=len)


_CHECKS: dict[str, Callable[[Any, Any, Any, str], list[str]]] = {
    "type": _type,
    "pattern": _pattern,
    "enum": _enum,
    "minimum": _range,
    "maximum": _range,
    "items": _items,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "oneOf": _any_of,
    "anyOf": _any_of,
}

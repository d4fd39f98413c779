"""Strict reading of a JSON object from a configuration file: every field accounted for."""

from collections.abc import Mapping
from typing import Any

from node.errors import ConfigError
from node.types.primitives import UINT64_MAX, Address, Hash32


class JsonFields:
    """The fields of one object; whatever was not asked for can be refused at the end.

    `path` is the object's own name, put in front of field names in errors. Every getter raises
    ConfigError that names the field.
    """

    def __init__(self, raw: object, path: str) -> None:
        if not isinstance(raw, Mapping):
            raise ConfigError(f"{path or 'the file'}: expected an object, got {raw!r}")
        self._raw: Mapping[str, Any] = raw
        self._path = path
        self._read: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        self._read.add(name)
        return self._raw.get(name) is not None

    def integer(
        self, name: str, *, minimum: int = 0, maximum: int = UINT64_MAX, default: int | None = None
    ) -> int:
        """Return an integer in a range; a missing field is an error without a default."""
        value = self._value(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
            raise ConfigError(
                f"{self.name(name)}: expected an integer from {minimum} to {maximum}, got {value!r}"
            )
        return value

    def optional_integer(self, name: str) -> int | None:
        """Return an unsigned 64-bit integer, or None where the field is absent or null."""
        return self.integer(name) if self.has(name) else None

    def fixed_bytes(self, name: str, size: int, *, default: bytes | None = None) -> bytes:
        """Return 0x-prefixed hexadecimal of exactly `size` bytes."""
        value = self._value(name, default)
        if isinstance(value, bytes):
            return value
        try:
            if not isinstance(value, str) or not value.startswith("0x"):
                raise ValueError
            raw = bytes.fromhex(value[2:])
        except ValueError:
            raw = b""
        if len(raw) != size or not isinstance(value, str) or len(value) != 2 + 2 * size:
            raise ConfigError(
                f"{self.name(name)}: expected 0x and {size} bytes of hexadecimal, got {value!r}"
            )
        return raw

    def hash(self, name: str) -> Hash32:
        """Return a 32-byte hash."""
        return Hash32(self.fixed_bytes(name, 32))

    def address(self, name: str) -> Address:
        """Return a 20-byte address."""
        return Address(self.fixed_bytes(name, 20))

    def object(self, name: str) -> "JsonFields":
        """Return the fields of a nested object."""
        return JsonFields(self._value(name, None), self.name(name))

    def raw(self, name: str) -> Any:
        """Return a field as it is; ConfigError if it is missing."""
        return self._value(name, None)

    def refuse_unknown(self) -> None:
        """Raise ConfigError for the first field that nobody asked for."""
        for name in self._raw:
            if name not in self._read:
                raise ConfigError(f"{self.name(name)}: unknown field")

    def name(self, field: str) -> str:
        """Return the full name of a field, for messages."""
        return f"{self._path}.{field}" if self._path else field

    def _value(self, name: str, default: Any) -> Any:
        self._read.add(name)
        value = self._raw.get(name)
        if value is not None:
            return value
        if default is None:
            raise ConfigError(f"{self.name(name)}: expected a value, it is missing")
        return default

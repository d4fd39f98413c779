"""Where things are on disk."""

from dataclasses import dataclass
from pathlib import Path

from node.errors import ConfigError


@dataclass(frozen=True, slots=True)
class DevPaths:
    """The stores of a dev network. With no root each store is in memory."""

    root: Path | None

    @property
    def l1(self) -> Path | None:
        """The embedded L1's store."""
        return self._child("l1")

    @property
    def l2(self) -> Path | None:
        """The sequencer's store."""
        return self._child("l2")

    @property
    def verifier(self) -> Path | None:
        """The verifier's own store."""
        return self._child("verifier")

    def _child(self, name: str) -> Path | None:
        return None if self.root is None else self.root / name


def read_key(path: Path) -> bytes:
    """Read a private key: 32 bytes in hexadecimal; the message never shows the content."""
    try:
        key = bytes.fromhex(path.read_text().strip().removeprefix("0x"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such key file") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: expected a private key of 64 hexadecimal digits") from error
    if len(key) != 32:
        raise ConfigError(f"{path}: expected a private key of 32 bytes, got {len(key)}")
    return key

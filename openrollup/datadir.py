"""Where things are on disk."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from node.errors import ConfigError
from node.types.transaction import address_of_key


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
        if len(key) != 32:
            raise ValueError("not 32 bytes")
        address_of_key(key)  # zero, or beyond the curve's order: no key
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such key file") from error
    except OSError as error:
        raise ConfigError(f"{path}: the key file cannot be read: {error.strerror}") from error
    except ValueError:  # its text may hold a part of the key
        raise ConfigError(f"{path}: expected a private key of 64 hexadecimal digits") from None
    return key


def check_writable(directory: Path) -> None:
    """Make a folder if it is not there; OSError, before anything is done, if it cannot be used."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory):
        pass

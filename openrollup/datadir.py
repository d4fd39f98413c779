"""Where things are on disk, and how small files get there whole."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

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


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file so that a reader sees the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_json(path: Path) -> Any:
    """Read a JSON file; ConfigError names the file when it is absent or broken."""
    try:
        return orjson.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error


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

"""Small JSON files: read with errors that name the file, written whole or not at all."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import orjson

from node.errors import ConfigError


def read_json(path: Path) -> Any:
    """Decode a JSON file; ConfigError names the file when it is absent, unreadable or broken."""
    try:
        content = path.read_bytes()
        # orjson bounds nesting, which overflows json's stack; json reads numbers above 64 bits.
        orjson.loads(content)
        return json.loads(content)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: expected JSON: {error}") from error


def write_json(path: Path, content: object) -> None:
    """Write a JSON file as `write_whole` does. Its folder is made if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    write_whole(path, data)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, and a crash, leaves the old one or the new one.

    It is on the disk when this returns. OSError if it cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp's are for their owner alone
        temporary.replace(path)
        sync_directory(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync_directory(path: Path) -> None:
    """Put the names in a folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

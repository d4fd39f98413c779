"""Structured logs on standard error: readable text on a terminal, JSON with `--json`."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import orjson

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# What others sent must not look like a line of ours, nor move the cursor.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


class TextFormatter(logging.Formatter):
    """One line: time, level, logger, message, then key=value for what was passed as `extra`.

    With `over_status_line` each line first wipes the one that the cursor stands on.
    """

    def __init__(self, *, over_status_line: bool = False) -> None:
        super().__init__()
        self._start = "\r\x1b[2K" if over_status_line else ""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        fields = "".join(f" {key}={value}" for key, value in _extra(record).items())
        said = f"{record.getMessage()}{fields}".translate(_CONTROL)
        line = f"{self._start}{moment} {record.levelname:<7} {record.name}: {said}"
        return (
            line if record.exc_info is None else f"{line}\n{self.formatException(record.exc_info)}"
        )


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            **_extra(record),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info is not None:
            entry["exception"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(entry, default=str).decode()
        except TypeError:  # numbers above 64 bits, text that is not Unicode
            return json.dumps(entry, default=str)


def configure_logging(*, json: bool, level: int = logging.INFO) -> None:
    """Send every logger of the process to standard error in the chosen format."""
    handler = logging.StreamHandler(sys.stderr)
    is_terminal = sys.stderr.isatty()
    handler.setFormatter(JsonFormatter() if json else TextFormatter(over_status_line=is_terminal))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("aiohttp", "eth", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _extra(record: logging.LogRecord) -> Mapping[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}

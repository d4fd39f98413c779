"""Where a measurement was made."""

import os
import platform
from importlib.metadata import version
from pathlib import Path


def machine() -> str:
    """Return one line: interpreter, processors and their model, system."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python}, {os.cpu_count()} CPUs ({_processor()}), {platform.system()}"


def versions(*distributions: str) -> str:
    """Return names and versions of installed distributions."""
    return ", ".join(f"{name} {version(name)}" for name in distributions)


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

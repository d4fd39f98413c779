"""web3.py and eth-account are an extra: what the node and the commands import works without."""

import subprocess
import sys

_BLOCKED = """
import sys
for name in ("web3", "eth_account", "requests"):
    sys.modules[name] = None
"""


_MODULES = (
    "rpc.api",
    "openrollup.commands",
    "openrollup.attribution.payer_acts",
    "openrollup.attribution.payment_acts",
    "openrollup.attribution.registry_acts",
    "openrollup.attribution.remote",
)


def test_without_the_extra() -> None:
    code = _BLOCKED + "\n".join(f"import {module}" for module in _MODULES)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_a_client_says_what_it_needs() -> None:
    code = f"{_BLOCKED}from attribution.client import AttributionClient"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert last.endswith(
        "AttributionClient needs web3.py and eth-account: pip install 'openrollup[sdk]'"
    )

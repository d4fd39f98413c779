"""What an answer shows has been synced before, as the system has seen it."""

import json
import signal
import sys
import urllib.request
from pathlib import Path

import pytest

from node.genesis import dev_accounts
from node.types.transaction import sign_dynamic_fee
from tests.crash.trace import SyncCheck, read_trace, strace_command
from tests.integration.json_rpc import call
from tests.integration.processes import Process, json_line

_BLOCKS = 3


@pytest.mark.parametrize(
    ("program", "is_synced"), [("openrollup", True), ("tests.crash.unsynced", False)]
)
def test_answers_come_after_the_sync(tmp_path: Path, program: str, is_synced: bool) -> None:
    check = SyncCheck(_trace(tmp_path, program))
    with (tmp_path / "trace").open() as lines:
        check.follow(read_trace(lines))
    assert check.answers > 2 * _BLOCKS
    assert len(check._first_seen) >= _BLOCKS
    assert bool(check.early) is not is_synced, check.early
    if not is_synced:
        assert all("before it was synced" in text for text in check.early), check.early


def _trace(tmp_path: Path, program: str) -> dict[int, bytes]:
    """Run a chain under strace, and ask it without a pause; return what it has shown."""
    options = ["l1", "--json", "--port", "0", "--block-time", "1", "--datadir"]
    command = [sys.executable, "-m", program, *options, str(tmp_path / "chain")]
    traced = strace_command(tmp_path / "trace", command)
    if traced is None:
        pytest.skip("strace is not installed (package strace)")
    with Process(traced) as process:
        started = json_line(process.wait_for_line(lambda line: "started" in line))
        shown = _ask(started["l1"]["url"], started["l1"]["chainId"])
        process._signal_group(signal.SIGTERM)  # strace itself does not heed it
        assert process.wait() == 0, process.errors
    return shown


def _ask_number(url: str) -> int:
    """Ask for the newest block's number under an id that the trace is searched for."""
    body = b'{"jsonrpc":"2.0","id":"number","method":"eth_blockNumber","params":[]}'
    headers = {"content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as response:
        return int(json.load(response)["result"], 16)


def _ask(url: str, chain_id: int) -> dict[int, bytes]:
    """Ask for everything that shows a block, over and over, until there are a few."""
    account = dev_accounts()[0]
    polled, nonce = call(url, "eth_newBlockFilter"), 0
    shown: dict[int, bytes] = {}
    sent: list[str] = []
    while len(shown) < _BLOCKS:
        number = _ask_number(url)
        for block_hash in call(url, "eth_getFilterChanges", polled):
            block = call(url, "eth_getBlockByHash", block_hash, False)
            shown[int(block["number"], 16)] = bytes.fromhex(block_hash[2:])
        for tx_hash in sent:
            call(url, "eth_getTransactionReceipt", tx_hash)
        latest = call(url, "eth_getBlockByNumber", "latest", False)
        shown |= {int(latest["number"], 16): bytes.fromhex(latest["hash"][2:])} if number else {}
        if len(sent) <= number:
            raw = sign_dynamic_fee(
                account.private_key,
                chain_id=chain_id,
                nonce=nonce,
                max_priority_fee_per_gas=10**9,
                max_fee_per_gas=10**11,
                gas=21_000,
                to=account.address,
                value=1,
                data=b"",
            ).raw
            sent.append(call(url, "eth_sendRawTransaction", "0x" + raw.hex()))
            nonce += 1
    return shown

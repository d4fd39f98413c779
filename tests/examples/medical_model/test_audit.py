"""The auditor's script, on random histories: settlements, dust, rotations, changed payouts."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from audit import audit

from node.types.primitives import checksum_address
from tests.contracts.attribution.hub_machine import Entry
from tests.contracts.attribution.walk import LOGGERS, OWNERS, PAYEES, Walk


class History:
    """Answers what the script asks of a node, from the transactions of a walk."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    def get_logs(self, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for number, entry in enumerate(self._entries):
            for log in entry.logs:
                if log.address in wanted["address"]:
                    yield {
                        "address": checksum_address(log.address),
                        "topics": log.topics,
                        "data": log.data,
                        "blockNumber": number,
                        "transactionHash": number.to_bytes(32, "big"),
                    }

    def get_transaction(self, transaction_hash: bytes) -> SimpleNamespace:
        return SimpleNamespace(input=self._entries[int.from_bytes(transaction_hash, "big")].data)


@pytest.mark.parametrize("seed", range(400, 406))
def test_it_gets_the_contracts_numbers(seed: int) -> None:
    walk = Walk(seed)
    for _ in range(200):
        walk.step()
    walk.settle_everything()
    earned = audit(History(walk.machine.history))
    assert earned
    for account in {*PAYEES, *OWNERS, *LOGGERS, *earned}:
        wei, _ = walk.machine.ask("earnings", account)
        assert sum(earned.get(account, {}).values()) == wei


def test_it_is_short_and_leans_on_codecs_only(folder: Path) -> None:
    lines = (folder / "audit.py").read_text().splitlines()
    assert len(lines) < 60
    ours = [line for line in lines if line.startswith("from attribution")]
    assert ours == [
        "from attribution import calldata, hub_calls",
        "from attribution import hub_events as hub",
        "from attribution.client.web3_forms import found_log",
    ]

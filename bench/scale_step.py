"""One side of the scale benchmark, in a process of its own: `python -m bench.scale_step`.

It prints one JSON object for each thing done. `build` writes a genesis; `open` opens the store as a
node does and reads from it; `blocks` makes a block whenever a line comes in, and ends with input.
"""

import argparse
import json
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from bench.accounts import CHAIN_ID, Accounts, recipient
from bench.our_node import OurNode
from node.engine import Engine
from node.genesis import Genesis
from node.reader import Reader
from node.storage.database import Database
from node.types.transaction import sign_dynamic_fee
from openrollup.collector import tune_collector

_Report = dict[str, object]


@dataclass(frozen=True, slots=True)
class Setting:
    """A store, its number of accounts, and the size of the blocks to make."""

    datadir: Path
    total: int
    transactions: int

    @property
    def senders(self) -> int:
        """How many accounts send; all others receive."""
        return 6 * self.transactions


def build(setting: Setting) -> Iterator[_Report]:
    """Write the genesis of all accounts."""
    genesis = Accounts(setting.total, setting.senders).plain_genesis()
    start = perf_counter()
    OurNode(genesis, setting.datadir).close()
    seconds = perf_counter() - start
    yield {"seconds": seconds, "most_resident": _most_resident()}


def open_store(setting: Setting) -> Iterator[_Report]:
    """Open a store for writing and for queries, and read the newest account there is."""
    config = _config().config
    with Database.open(setting.datadir) as database:
        engine, reader = Engine(database, config), Reader(database, config)
        head = reader.head_header()
        assert engine.heads.unsafe.hash == head.hash
        account = reader.account(recipient(setting.total - setting.senders - 1), head)
        assert account is not None
        yield {"balance": account.balance}


def blocks(setting: Setting) -> Iterator[_Report]:
    """Make blocks of transfers between accounts that no block had before, as far as there are."""
    node = OurNode(_config(), setting.datadir)
    keys = Accounts(setting.total, setting.senders).keys
    nonces = [0] * setting.senders
    recipients = setting.total - setting.senders
    for number, _ in enumerate(sys.stdin):
        raw = []
        for index in range(number * setting.transactions, (number + 1) * setting.transactions):
            sender = index % setting.senders
            tx = sign_dynamic_fee(
                keys[sender],
                chain_id=CHAIN_ID,
                nonce=nonces[sender],
                max_priority_fee_per_gas=10**6,
                max_fee_per_gas=10**11,
                gas=21_000,
                to=recipient(index % recipients),
                value=1000 + index,
            )
            nonces[sender] += 1
            raw.append(tx.raw)
        run, executed = node.run_block(raw)
        assert all(receipt.status for receipt in executed.receipts)
        yield asdict(run) | {"resident": _resident(), "most_resident": _most_resident()}
    node.close()


STEPS: dict[str, Callable[[Setting], Iterator[_Report]]] = {
    "build": build,
    "open": open_store,
    "blocks": blocks,
}


def _config() -> Genesis:
    """Return the chain without its accounts: what a node knows that finds a store."""
    return Accounts(0, 0).plain_genesis()


def _resident() -> dict[str, int]:
    """Return bytes in memory: the process's own, and pages of files, which the store is."""
    sizes = {}
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in ("RssAnon", "RssFile"):
            sizes[name] = int(rest.split()[0]) * 1024  # in kB, says the file
    return {"own": sizes["RssAnon"], "files": sizes["RssFile"]}


def _most_resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Do the step that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale_step")
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("datadir", type=Path)
    parser.add_argument("accounts", type=int)
    parser.add_argument("transactions", type=int)
    options = parser.parse_args()
    tune_collector()  # as the program does
    setting = Setting(options.datadir, options.accounts, options.transactions)
    for report in STEPS[options.step](setting):
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()

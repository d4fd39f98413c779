"""Makes recorded/: a chain in which the tally is incremented three times."""

from pathlib import Path

from openrollup.testing import Devnet

HERE = Path(__file__).parent

with Devnet() as devnet:
    tally = devnet.deploy(HERE / "tally.json")
    for _ in range(3):
        last = tally.functions.increment().transact()
        devnet.mine()
    devnet.export(HERE / "recorded")
    (HERE / "recorded" / "tally.txt").write_text(f"{tally.address} {last.to_0x_hex()}\n")

"""`openrollup deploy` as a process: killed again and again, on an L1 that goes away, too."""

import json
from pathlib import Path

from node.genesis.dev_accounts import DEPLOYER_ACCOUNT
from tests.integration.json_rpc import call
from tests.integration.nodes import Anvil
from tests.integration.processes import (
    Process,
    free_port,
    json_line,
    openrollup,
    run_openrollup,
)

STEPS = 8
FUNDED = "0x00000000000000000000000000000000000000AA"


class EmbeddedL1(Process):
    """`openrollup l1` with a store, so that it can be killed and come back."""

    def __init__(self, datadir: Path, port: int) -> None:
        super().__init__(
            openrollup(
                *("l1", "--json", "--datadir", datadir),
                *("--port", str(port), "--block-time", "1"),
            )
        )
        self.url: str = json_line(self.wait_for_line(lambda line: True))["l1"]["url"]


class Deployer:
    """Runs the command with one key into one folder."""

    def __init__(self, key: bytes, address: str, directory: Path) -> None:
        self.address = address
        self.out = directory / "out"
        self.key_file = directory / "key"
        self.key_file.write_text(key.hex())

    def arguments(self, url: str) -> list[str | Path]:
        return [
            *("deploy", "--json", "--l1", url, "--key-file", self.key_file, "--out", self.out),
            *("--fund", f"{FUNDED}=12.5"),
        ]

    def nonce(self, url: str, tag: str) -> int:
        return int(call(url, "eth_getTransactionCount", self.address, tag), 16)

    def killed_after(self, url: str, sent: int) -> bool:
        """Start it, and kill it once L1 has more of its transactions; False if it ended before."""
        with Process(openrollup(*self.arguments(url))) as process:
            while process.running:
                if self.nonce(url, "pending") > sent:
                    process.kill()
                    return True
            assert process.wait() == 0, process.errors
            return False

    def check(self, url: str) -> None:
        """There is one deployment, and its files are complete."""
        assert self.nonce(url, "latest") == STEPS
        files = {path.name for path in self.out.iterdir()}
        configuration = {"rollup.json", "genesis.json", "l1-chain.json", "addresses.json"}
        assert files == {*configuration, "deployment.json"}
        rollup = json.loads((self.out / "rollup.json").read_bytes())
        start = rollup["genesis"]["l1"]
        assert (
            call(url, "eth_getBlockByNumber", hex(start["number"]), False)["hash"]
            == (start["hash"])
        )
        addresses = json.loads((self.out / "addresses.json").read_bytes())
        assert addresses["optimismPortal"].lower() == rollup["deposit_contract_address"].lower()
        for name, address in addresses.items():
            if name[:2] in ("op", "sy", "l1", "l2"):
                assert call(url, "eth_getCode", address, "latest") != "0x", name
        genesis = json.loads((self.out / "genesis.json").read_bytes())
        assert int(genesis["alloc"][FUNDED[2:].lower()]["balance"], 16) == 125 * 10**17
        again = run_openrollup(*self.arguments(url))
        assert again.returncode == 2
        assert again.stderr.splitlines()[-1].startswith("openrollup: --out: a rollup is deployed")


def test_killed_wherever_it_is_on_an_l1_that_is_killed_too(tmp_path: Path) -> None:
    port, store = free_port(), tmp_path / "l1"
    deployer = Deployer(
        DEPLOYER_ACCOUNT.private_key, "0x" + DEPLOYER_ACCOUNT.address.hex(), tmp_path
    )
    sent, is_done = 0, False
    while not is_done:
        with EmbeddedL1(store, port) as l1:
            # L1 is killed after each second attempt: what waits in its pool is lost then.
            for _ in range(2):
                is_done = is_done or not deployer.killed_after(l1.url, sent)
                sent = max(sent, deployer.nonce(l1.url, "pending"))
            if is_done:
                deployer.check(l1.url)
            l1.kill()


def test_killed_on_anvil(tmp_path: Path) -> None:
    with Anvil() as anvil:
        address = "0x23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f"
        deployer = Deployer(Anvil.RICH_KEY, address, tmp_path)
        sent = 0
        while deployer.killed_after(anvil.url, sent + 1):
            sent = deployer.nonce(anvil.url, "pending")
        deployer.check(anvil.url)

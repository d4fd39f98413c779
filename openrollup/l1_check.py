"""Is there an L1 at this address, and is it the one that the rollup stands on?"""

from pathlib import Path
from typing import Any

from consensus.config import RollupConfig
from consensus.l1.chain_config import read_l1_chain_config
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc, RpcSettings
from consensus.l1.known_chains import l1_chain_json
from consensus.l1.source import L1NotFound
from node.errors import ConfigError, TemporaryError
from node.json_file import read_json

# Once, and not for long: a person is waiting for the answer.
_PROBE = RpcSettings(timeout_s=3.0, attempts=1)


async def probe_l1(url: str) -> int:
    """Return the chain id of the L1 at `url`; TemporaryError, within seconds, if none answers."""
    rpc = JsonRpc(url, _PROBE)
    try:
        return await L1Client(rpc).chain_id()
    except TemporaryError as error:
        raise TemporaryError(f"--l1: {error}: is an L1 running there?") from error
    finally:
        await rpc.close()


def chain_json(path: Path | None, chain_id: int) -> Any:
    """Return L1's chain config, which goes to l1-chain.json: that of a file, or the one we know.

    ConfigError if the file is not one, or another chain's.
    """
    if path is None:
        return l1_chain_json(chain_id)
    config = read_l1_chain_config(path)
    if config.chain_id != chain_id:
        raise ConfigError(f"--l1-chain: {path} is for chain {config.chain_id}, L1 is {chain_id}")
    return read_json(path)


async def check_l1(l1: L1Client, chain_id: int, rollup: RollupConfig) -> None:
    """Refuse an L1 that the rollup was not deployed on; ConfigError says what differs.

    TemporaryError if L1 does not answer, or has not come to the rollup's first block yet.
    """
    if chain_id != rollup.l1_chain_id:
        raise ConfigError(
            f"--l1: expected chain {rollup.l1_chain_id} (rollup.json), {l1.url} is chain {chain_id}"
        )
    expected = rollup.genesis.l1
    try:
        actual = await l1.block_ref_by_number(expected.number)
    except L1NotFound as error:
        raise TemporaryError(
            f"--l1: {l1.url} has no block {expected.number}, at which the rollup begins: it is "
            "another chain, or still syncing"
        ) from error
    if actual.hash != expected.hash:
        raise ConfigError(
            f"--l1: expected block {expected.number} 0x{expected.hash.hex()} (rollup.json, "
            f"genesis.l1), {l1.url} has 0x{actual.hash.hex()}: it is another chain"
        )

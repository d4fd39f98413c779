"""Is there an output oracle on L1, is it this rollup's, and does it listen to our key?"""

from consensus.config import RollupConfig
from consensus.l1.json_objects import MalformedL1Data
from consensus.l1.json_rpc import RpcFault
from consensus.proposer.oracle import (
    OracleL1,
    OracleTerms,
    OutputOracle,
    is_revert,
    read_address,
)
from node.errors import ConfigError
from node.types.primitives import Address, checksum_address

_ORACLE_OF_PORTAL = "l2Oracle()"


async def find_oracle(l1: OracleL1, config: RollupConfig) -> OutputOracle:
    """Return the oracle that the rollup's portal pays by, and no other could be meant.

    ConfigError if the portal names none; TemporaryError if L1 does not answer.
    """
    portal = config.deposit_contract
    try:
        return OutputOracle(l1, await read_address(l1, portal, _ORACLE_OF_PORTAL))
    except (MalformedL1Data, RpcFault) as error:
        if isinstance(error, RpcFault) and not is_revert(error):
            raise
        raise ConfigError(
            f"rollup.json: deposit_contract_address: {checksum_address(portal)} on L1 is no portal "
            f"with an output oracle ({error}): nothing can be proposed for this rollup"
        ) from error


async def check_terms(oracle: OutputOracle, config: RollupConfig) -> OracleTerms:
    """Return what the oracle was deployed with; ConfigError if that is for another rollup."""
    name = checksum_address(oracle.address)
    try:
        terms = await oracle.terms()
    except MalformedL1Data as error:
        raise ConfigError(f"L1: {name} is no output oracle: {error}") from error
    genesis = config.genesis
    for what, expected, actual in (
        ("startingBlockNumber", int(genesis.l2.number), terms.starting_block),
        ("startingTimestamp", genesis.l2_time, terms.starting_timestamp),
        ("L2_BLOCK_TIME", config.block_time, terms.block_time),
    ):
        if actual != expected:
            raise ConfigError(
                f"L1: the output oracle {name} is another rollup's: {what}: expected {expected} "
                f"(rollup.json), got {actual}"
            )
    if terms.submission_interval == 0:
        raise ConfigError(
            f"L1: the output oracle {name}: SUBMISSION_INTERVAL: expected 1 or more, got 0"
        )
    return terms


def check_proposer(terms: OracleTerms, address: Address) -> None:
    """Refuse a key from which the oracle takes no outputs (ConfigError)."""
    _check_role("proposer", terms.proposer, address)


def check_challenger(terms: OracleTerms, address: Address) -> None:
    """Refuse a key for which the oracle deletes no outputs (ConfigError)."""
    _check_role("challenger", terms.challenger, address)


def _check_role(role: str, expected: Address, address: Address) -> None:
    if address != expected:
        raise ConfigError(
            f"the key is that of {checksum_address(address)}, the output oracle's {role} is "
            f"{checksum_address(expected)}: give the key file of that one"
        )

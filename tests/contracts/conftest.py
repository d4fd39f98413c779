"""Contracts deployed on a fresh local chain for each test."""

from dataclasses import dataclass

import pytest

from tests.contracts.local_chain import Contract, LocalChain, address_text

OWNER = b"\x01" * 20
ALICE = b"\xa1" * 20
BATCHER = b"\xba" * 20
SIGNER = b"\x51" * 20
BATCH_INBOX = b"\xff" * 20
PROPOSER = b"\xb0" * 20
CHALLENGER = b"\xc4" * 20
MESSENGER = b"\x3e" * 20
BRIDGE = b"\xb7" * 20
SUPPLY = 10**27

SUBMISSION_INTERVAL = 10
L2_BLOCK_TIME = 2
FINALIZATION_PERIOD = 604_800


@dataclass(frozen=True, slots=True)
class L1Contracts:
    token: Contract
    config: Contract
    portal: Contract
    oracle: Contract


def deploy_system_config(
    chain: LocalChain, token: bytes, portal: bytes, oracle: bytes, gas_limit: int = 30_000_000
) -> Contract:
    """Settings with the values that the tests expect."""
    return Contract.deploy(
        chain,
        "SystemConfig",
        address_text(OWNER),
        address_text(BATCHER),
        1368,
        810_949,
        gas_limit,
        address_text(SIGNER),
        address_text(BATCH_INBOX),
        address_text(token),
        address_text(portal),
        address_text(oracle),
        address_text(MESSENGER),
        address_text(BRIDGE),
        sender=OWNER,
    )


def deploy_portal(chain: LocalChain, token: Contract) -> L1Contracts:
    """Settings, portal and oracle for a token, in the order of a real deployment."""
    portal_address, oracle_address = (chain.next_address(OWNER, ahead) for ahead in (1, 2))
    config = deploy_system_config(chain, token.address, portal_address, oracle_address)
    parts = (token.address, config.address, oracle_address)
    portal = Contract.deploy(chain, "OptimismPortal", *map(address_text, parts), sender=OWNER)
    return L1Contracts(token, config, portal, deploy_oracle(chain))


def deploy_oracle(
    chain: LocalChain,
    *,
    interval: int = SUBMISSION_INTERVAL,
    l2_block_time: int = L2_BLOCK_TIME,
    starting_block: int = 0,
    starting_time: int | None = None,
) -> Contract:
    """An oracle of a rollup that begins with this block, if nothing else is said."""
    return Contract.deploy(
        chain,
        "L2OutputOracle",
        interval,
        l2_block_time,
        starting_block,
        chain.timestamp if starting_time is None else starting_time,
        address_text(PROPOSER),
        address_text(CHALLENGER),
        FINALIZATION_PERIOD,
        sender=OWNER,
    )


@pytest.fixture
def chain() -> LocalChain:
    chain = LocalChain()
    chain.fund(ALICE, 10**20)
    return chain


@pytest.fixture
def l1(chain: LocalChain) -> L1Contracts:
    token = Contract.deploy(chain, "OpenToken", address_text(ALICE), SUPPLY, sender=OWNER)
    return deploy_portal(chain, token)

"""Contracts deployed on a fresh local chain for each test."""

from dataclasses import dataclass

import pytest

from tests.contracts.local_chain import Contract, LocalChain, address_text

OWNER = b"\x01" * 20
ALICE = b"\xa1" * 20
BATCHER = b"\xba" * 20
SIGNER = b"\x51" * 20
BATCH_INBOX = b"\xff" * 20
SUPPLY = 10**27


@dataclass(frozen=True, slots=True)
class L1Contracts:
    token: Contract
    config: Contract
    portal: Contract


def deploy_system_config(chain: LocalChain, portal: bytes, gas_limit: int = 30_000_000) -> Contract:
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
        address_text(portal),
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
    config = deploy_system_config(chain, chain.next_address(OWNER, ahead=1))
    addresses = address_text(token.address), address_text(config.address)
    portal = Contract.deploy(chain, "OptimismPortal", *addresses, sender=OWNER)
    return L1Contracts(token, config, portal)

from dataclasses import replace

import pytest
from eth_abi.abi import encode

from consensus.deploy import DeploySettings
from consensus.deploy.plan import Creation, Plan, Transfer
from consensus.deploy.settings import settings_to_json
from node.artifacts import load_artifact
from node.config import AttributionConfig
from node.errors import ConfigError
from node.types.primitives import Address, BlockNumber, create_address
from tests.consensus.deploy.scene import BATCHER, DEPLOYER, HOLDER, SETTINGS, STEPS, DevL1

GIFTS = {Address(b"\x01" * 20): 5, Address(b"\x02" * 20): 6}


def test_addresses_follow_from_the_first_nonce_alone() -> None:
    contracts = Plan(SETTINGS, DEPLOYER, 40, {}).contracts
    assert contracts == Plan(replace(SETTINGS, allocation={}), DEPLOYER, 40, {}).contracts
    for nonce, address in (
        (40, contracts.open_token),
        (41, contracts.system_config),
        (42, contracts.optimism_portal),
        (43, contracts.l1_cross_domain_messenger),
        (44, contracts.l1_standard_bridge),
        (46, contracts.l2_output_oracle),
    ):
        assert address == create_address(DEPLOYER, nonce)


def test_with_attribution_its_verifier_comes_before_the_oracle() -> None:
    settings = replace(SETTINGS, attribution=AttributionConfig(0, 4, 2**20))
    plan = Plan(settings, DEPLOYER, 40, GIFTS)
    last, without = plan.foundation()[-1], Plan(SETTINGS, DEPLOYER, 40, GIFTS)
    assert isinstance(last, Creation)
    assert last.address == plan.contracts.attribution_verifier == create_address(DEPLOYER, 48)
    assert last.parameters() == [("l2Oracle_", "address", plan.contracts.l2_output_oracle)]
    assert plan.contracts.l2_output_oracle == create_address(DEPLOYER, 49)
    assert plan.size == without.size + 1
    assert plan.contracts.l1_standard_bridge == without.contracts.l1_standard_bridge
    assert without.contracts.attribution_verifier is None


@pytest.mark.parametrize("gifts", [{}, GIFTS])
def test_steps_have_consecutive_nonces(gifts: dict[Address, int]) -> None:
    plan = Plan(SETTINGS, DEPLOYER, 3, gifts)
    steps = [*plan.foundation(), plan.oracle(1000)]
    assert [step.nonce for step in steps] == list(range(3, 3 + STEPS + len(gifts)))
    assert len(steps) == plan.size
    for step in steps:
        if isinstance(step, Creation):
            assert step.address == create_address(DEPLOYER, step.nonce)
    paid = [(s.receiver, s.amount) for s in steps if isinstance(s, Transfer)]
    assert paid == [(plan.contracts.optimism_portal, SETTINGS.locked), *gifts.items()]


def test_constructors_get_what_their_parameters_are_called() -> None:
    plan = Plan(SETTINGS, DEPLOYER, 0, {})
    oracle, artifact = plan.oracle(1234), load_artifact("L2OutputOracle")
    values = [10, 2, 0, 1234, DEPLOYER, DEPLOYER, 20]
    types = ["uint256"] * 4 + ["address"] * 2 + ["uint256"]
    settings = replace(SETTINGS, submission_interval=10, finalization_period_s=20)
    oracle = Plan(settings, DEPLOYER, 0, {}).oracle(1234)
    assert oracle.request().data == artifact.bytecode + encode(types, values)


async def test_the_gas_of_each_step_suffices_with_a_margin(l1: DevL1) -> None:
    async with l1.mining():
        await l1.deploy(None, gifts=GIFTS)
    plan, reader = Plan(SETTINGS, DEPLOYER, 0, GIFTS), l1.embedded.node.reader
    limits = {step.nonce: step.gas for step in (*plan.foundation(), plan.oracle(0))}
    for number in range(1, reader.head_header().number + 1):
        block = reader.block_by_number(BlockNumber(number))
        assert block is not None
        receipts = reader.receipts(block.hash)
        assert receipts is not None
        used = 0
        for transaction, receipt in zip(block.transactions, receipts, strict=True):
            gas, used = receipt.cumulative_gas_used - used, receipt.cumulative_gas_used
            limit = limits.pop(transaction.nonce)  # type: ignore[union-attr]
            assert gas * 108 // 100 <= limit, (transaction.nonce, gas, limit)  # type: ignore[union-attr]
    assert not limits


def test_roles_are_the_owners_by_default() -> None:
    settings = DeploySettings(l2_chain_id=901, owner=HOLDER, batcher=BATCHER)
    assert (settings.proposer, settings.challenger) == (HOLDER, HOLDER)
    given = replace(settings, proposer=BATCHER, challenger=DEPLOYER)
    assert (given.proposer, given.challenger) == (BATCHER, DEPLOYER)


def test_no_more_is_locked_than_there_is() -> None:
    replace(SETTINGS, open_supply=12, allocation={HOLDER: 5, BATCHER: 7})
    with pytest.raises(ConfigError, match=r"^allocation: expected no more than the supply, 11 "):
        replace(SETTINGS, open_supply=11, allocation={HOLDER: 5, BATCHER: 7})


def test_all_settings_are_written_down() -> None:
    """Settings that are not the same are not the same in JSON."""
    changes = {
        "l2_chain_id": 7,
        "owner": HOLDER,
        "batcher": HOLDER,
        "proposer": HOLDER,
        "challenger": HOLDER,
        "submission_interval": 7,
        "finalization_period_s": 7,
        "open_supply": 10**19,
        "allocation": {},
        "block_time": 7,
        "seq_window_size": 7,
        "gas_limit": 21_000_000,
        "base_fee_scalar": 7,
        "blob_base_fee_scalar": 7,
        "eip1559_denominator": 7,
        "eip1559_elasticity": 7,
        "min_base_fee": 7,
        "attribution": AttributionConfig(0, 4, 1 << 20),
        "batch_inbox": HOLDER,
    }
    before = settings_to_json(SETTINGS)
    assert before.keys() == changes.keys()
    for name, value in changes.items():
        after = settings_to_json(replace(SETTINGS, **{name: value}))  # type: ignore[arg-type]
        assert after[name] != before[name], name

"""L2OutputOracle: whose claims it takes, in which order, how they are found, and deleted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.conftest import (
    ALICE,
    CHALLENGER,
    FINALIZATION_PERIOD,
    L2_BLOCK_TIME,
    OWNER,
    PROPOSER,
    SUBMISSION_INTERVAL,
    deploy_oracle,
)
from tests.contracts.local_chain import Contract, LocalChain, Outcome, Reverted, address_text, word

NOT_YET = "L2OutputOracle: cannot get output for a block that has not been proposed"
START = 1_700_000_000


@pytest.fixture
def oracle(chain: LocalChain) -> Contract:
    return deploy_oracle(chain)


def root(number: int) -> bytes:
    return number.to_bytes(32, "big")


def propose(oracle: Contract, output_root: bytes = root(1), **options: object) -> Outcome:
    """Propose for the block that is due, as soon as that is possible."""
    number = oracle.read("nextBlockNumber")
    due = oracle.read("computeL2Timestamp", number) + 1
    oracle.chain.timestamp = max(oracle.chain.timestamp, due)
    return oracle.send("proposeL2Output", output_root, number, bytes(32), 0, sender=PROPOSER)


def test_settings(oracle: Contract) -> None:
    expected = {
        "SUBMISSION_INTERVAL": SUBMISSION_INTERVAL,
        "submissionInterval": SUBMISSION_INTERVAL,
        "L2_BLOCK_TIME": L2_BLOCK_TIME,
        "l2BlockTime": L2_BLOCK_TIME,
        "PROPOSER": address_text(PROPOSER),
        "proposer": address_text(PROPOSER),
        "CHALLENGER": address_text(CHALLENGER),
        "challenger": address_text(CHALLENGER),
        "FINALIZATION_PERIOD_SECONDS": FINALIZATION_PERIOD,
        "finalizationPeriodSeconds": FINALIZATION_PERIOD,
        "startingBlockNumber": 0,
        "startingTimestamp": START,
        "latestBlockNumber": 0,
        "nextBlockNumber": SUBMISSION_INTERVAL,
        "nextOutputIndex": 0,
        "version": "1.0.0",
    }
    assert {name: oracle.read(name) for name in expected} == expected


def test_a_proposal(oracle: Contract) -> None:
    outcome = propose(oracle, root(7))
    now = oracle.chain.timestamp
    (log,) = oracle.events(outcome, "OutputProposed")
    assert log.topics[1:] == (root(7), word(0), word(SUBMISSION_INTERVAL))
    assert log.data == word(now)
    assert oracle.read("getL2Output", 0) == (root(7), now, SUBMISSION_INTERVAL)
    assert oracle.read("latestOutputIndex") == 0
    assert oracle.read("nextOutputIndex") == 1
    assert oracle.read("latestBlockNumber") == SUBMISSION_INTERVAL
    assert oracle.read("nextBlockNumber") == 2 * SUBMISSION_INTERVAL


@pytest.mark.parametrize("sender", [ALICE, CHALLENGER, OWNER])
def test_only_the_proposer_proposes(oracle: Contract, sender: bytes) -> None:
    oracle.chain.timestamp += 1000
    with pytest.raises(Reverted, match="NotProposer") as refusal:
        oracle.send("proposeL2Output", root(1), SUBMISSION_INTERVAL, bytes(32), 0, sender=sender)
    assert refusal.value.arguments == (address_text(sender),)


@pytest.mark.parametrize("number", [0, 1, 9, 11, 20, 2**256 - 1])
def test_another_blocks_turn(oracle: Contract, number: int) -> None:
    oracle.chain.timestamp += 1000
    with pytest.raises(Reverted, match="UnexpectedBlockNumber") as refusal:
        oracle.send("proposeL2Output", root(1), number, bytes(32), 0, sender=PROPOSER)
    assert refusal.value.arguments == (number, SUBMISSION_INTERVAL)


def test_a_block_that_is_not_there_yet(oracle: Contract) -> None:
    due = START + SUBMISSION_INTERVAL * L2_BLOCK_TIME
    arguments = (root(1), SUBMISSION_INTERVAL, bytes(32), 0)
    oracle.chain.timestamp = due
    with pytest.raises(Reverted, match="BlockInTheFuture") as refusal:
        oracle.send("proposeL2Output", *arguments, sender=PROPOSER)
    assert refusal.value.arguments == (due, due)
    oracle.chain.timestamp = due + 1
    oracle.send("proposeL2Output", *arguments, sender=PROPOSER)


def test_no_root_and_no_ether(oracle: Contract) -> None:
    oracle.chain.timestamp += 1000
    oracle.chain.fund(PROPOSER, 1)
    arguments = (SUBMISSION_INTERVAL, bytes(32), 0)
    with pytest.raises(Reverted, match="EmptyOutputRoot"):
        oracle.send("proposeL2Output", bytes(32), *arguments, sender=PROPOSER)
    with pytest.raises(Reverted, match="EtherNotAccepted"):
        oracle.send("proposeL2Output", root(1), *arguments, sender=PROPOSER, value=1)


def test_a_proposal_for_an_l1_that_was_replaced(oracle: Contract) -> None:
    """`block_hashes` begins with the parent's."""
    chain = oracle.chain
    chain.timestamp += 1000
    chain.block_hashes = [b"\x0a" * 32, b"\x0b" * 32]
    number = chain.block_number
    wrong = ((b"\x0a" * 32, number - 2), (b"\x0c" * 32, number - 1), (b"\x0a" * 32, number))
    for block_hash, block_number in wrong:
        with pytest.raises(Reverted, match="L1BlockMismatch"):
            oracle.send(
                "proposeL2Output",
                root(1),
                SUBMISSION_INTERVAL,
                block_hash,
                block_number,
                sender=PROPOSER,
            )
    arguments = (root(1), SUBMISSION_INTERVAL, b"\x0b" * 32, number - 2)
    oracle.send("proposeL2Output", *arguments, sender=PROPOSER)


def test_nothing_proposed_yet(oracle: Contract) -> None:
    for number in (0, 1, 2**256 - 1):
        for function in ("getL2OutputIndexAfter", "getL2OutputAfter"):
            with pytest.raises(Reverted, match="Error") as refusal:
                oracle.read(function, number)
            assert refusal.value.arguments == (NOT_YET,)
    for function, arguments in (("latestOutputIndex", ()), ("getL2Output", (0,))):
        with pytest.raises(Reverted, match="OutputNotFound") as refusal:
            oracle.read(function, *arguments)
        assert refusal.value.arguments == (0, 0)


def test_an_index_beyond_the_last(oracle: Contract) -> None:
    propose(oracle)
    with pytest.raises(Reverted, match="OutputNotFound") as refusal:
        oracle.read("getL2Output", 1)
    assert refusal.value.arguments == (1, 1)


@settings(max_examples=15, deadline=None)
@given(count=st.integers(1, 9), interval=st.integers(1, 4), start=st.integers(0, 10**6))
def test_the_output_that_covers_a_block(count: int, interval: int, start: int) -> None:
    oracle = deploy_oracle(LocalChain(), interval=interval, starting_block=start)
    for number in range(count):
        propose(oracle, root(number + 1))
    ends = [start + interval * (number + 1) for number in range(count)]
    for block in (0, *range(start, ends[-1] + 1)):
        index = next(i for i, end in enumerate(ends) if end >= block)
        assert oracle.read("getL2OutputIndexAfter", block) == index
    assert oracle.read("getL2OutputAfter", ends[-1]) == oracle.read("getL2Output", count - 1)
    assert oracle.read("getL2Output", count - 1)[0] == root(count)
    with pytest.raises(Reverted) as refusal:
        oracle.read("getL2OutputIndexAfter", ends[-1] + 1)
    assert refusal.value.arguments == (NOT_YET,)


def test_the_challenger_deletes(oracle: Contract) -> None:
    for number in range(5):
        propose(oracle, root(number + 1))
    outcome = oracle.send("deleteL2Outputs", 2, sender=CHALLENGER)
    (log,) = oracle.events(outcome, "OutputsDeleted")
    assert log.topics[1:] == (word(5), word(2))
    assert oracle.read("nextOutputIndex") == 2
    assert oracle.read("latestBlockNumber") == 2 * SUBMISSION_INTERVAL
    with pytest.raises(Reverted, match="OutputNotFound"):
        oracle.read("getL2Output", 2)
    with pytest.raises(Reverted, match="Error"):
        oracle.read("getL2OutputIndexAfter", 2 * SUBMISSION_INTERVAL + 1)
    propose(oracle, root(9))
    assert oracle.read("getL2Output", 2)[0] == root(9)
    assert oracle.read("nextOutputIndex") == 3


def test_deleting_many_costs_as_much_as_deleting_one(chain: LocalChain) -> None:
    gas = []
    for count in (1, 30):
        oracle = deploy_oracle(chain)
        for _ in range(count):
            propose(oracle)
        gas.append(oracle.send("deleteL2Outputs", 0, sender=CHALLENGER).gas_used)
        assert oracle.read("nextOutputIndex") == 0
    assert gas[0] == gas[1]


@pytest.mark.parametrize("sender", [ALICE, PROPOSER, OWNER])
def test_only_the_challenger_deletes(oracle: Contract, sender: bytes) -> None:
    propose(oracle)
    with pytest.raises(Reverted, match="NotChallenger") as refusal:
        oracle.send("deleteL2Outputs", 0, sender=sender)
    assert refusal.value.arguments == (address_text(sender),)


def test_what_is_final_stays(oracle: Contract) -> None:
    propose(oracle)
    proposed = oracle.chain.timestamp
    propose(oracle)
    oracle.chain.timestamp = proposed + FINALIZATION_PERIOD + 1
    with pytest.raises(Reverted, match="OutputIsFinal") as refusal:
        oracle.send("deleteL2Outputs", 0, sender=CHALLENGER)
    assert refusal.value.arguments == (0,)
    with pytest.raises(Reverted, match="OutputNotFound") as refusal:
        oracle.send("deleteL2Outputs", 2, sender=CHALLENGER)
    assert refusal.value.arguments == (2, 2)
    oracle.send("deleteL2Outputs", 1, sender=CHALLENGER)
    assert oracle.read("nextOutputIndex") == 1


def test_it_can_be_deleted_to_the_last_second(oracle: Contract) -> None:
    propose(oracle)
    oracle.chain.timestamp += FINALIZATION_PERIOD
    oracle.send("deleteL2Outputs", 0, sender=CHALLENGER)


def test_settings_that_make_no_sense(chain: LocalChain) -> None:
    for interval, block_time in ((0, 2), (10, 0)):
        with pytest.raises(Reverted, match="InvalidInterval") as refusal:
            deploy_oracle(chain, interval=interval, l2_block_time=block_time)
        assert refusal.value.arguments == (interval, block_time)
    with pytest.raises(Reverted, match="StartsInTheFuture") as refusal:
        deploy_oracle(chain, starting_time=START + 1)
    assert refusal.value.arguments == (START + 1, START)

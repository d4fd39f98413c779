"""A running network proposes what its verifier has, and an operator stops and starts that."""

from consensus.l1.client import L1Client
from consensus.proposer.oracle import OutputOracle
from consensus.proposer.oracle_check import find_oracle
from tests.openrollup.network import Running, ask, running
from tests.openrollup.test_admin import refusal


async def test_outputs_are_those_of_the_verifier() -> None:
    async with running() as net:
        oracle = await the_oracle(net)
        proposer = net.network.sequencer.proposer
        assert proposer is not None
        await net.until(lambda: (proposer.proposed_block or 0) >= 10)
        output = await oracle.output(0)
        assert output.block == 10
        url = net.network.verifier.url
        own = await ask(url, "optimism_outputAtBlock", hex(output.block))
        assert isinstance(own, dict)
        assert own["outputRoot"] == "0x" + output.root.hex()


async def test_a_reorg_that_takes_an_output_back_does_not_leave_it_so() -> None:
    async with running() as net:
        oracle = await the_oracle(net)
        proposer = net.network.sequencer.proposer
        assert proposer is not None
        await net.until(lambda: (proposer.proposed_block or 0) >= 10)
        await net.l1.reorg(2)
        await net.until(lambda: (proposer.proposed_block or 0) >= 20)
        for index in range(2):
            output = await oracle.output(index)
            url = net.network.verifier.url
            own = await ask(url, "optimism_outputAtBlock", hex(output.block))
            assert isinstance(own, dict)
            assert own["outputRoot"] == "0x" + output.root.hex()


async def test_an_operator_stops_and_starts_it() -> None:
    async with running() as net:
        url = net.network.sequencer.url
        proposer = net.network.sequencer.proposer
        assert proposer is not None
        assert await ask(url, "admin_stopProposer") is None
        assert await refusal(url, "admin_stopProposer") == "proposer is not running"
        stopped_at = await (await the_oracle(net)).count()
        await net.until(lambda: net.l2.heads().safe.number >= 20)
        assert await (await the_oracle(net)).count() == stopped_at
        assert await ask(url, "admin_startProposer") is None
        assert await refusal(url, "admin_startProposer") == "proposer is already running"
        await net.until(lambda: (proposer.proposed_block or 0) >= 20)


async def the_oracle(net: Running) -> OutputOracle:
    l1: L1Client = net.network.l1.client
    return await find_oracle(l1, net.network.rollup.config)

"""The next output on L1, sent by the rollup's proposer."""

from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc
from consensus.proposer.oracle import OutputOracle
from node.genesis.dev_accounts import PROPOSER_ACCOUNT
from node.output_root import output_of
from node.types.primitives import BlockNumber
from openrollup.testing.deposits import send_on_l1
from openrollup.testing.errors import DevnetError
from openrollup.testing.nodes import Nodes
from openrollup.testing.stepper import Stepper


async def propose(nodes: Nodes, stepper: Stepper) -> BlockNumber:
    """Propose what the verifier has of the block that is due; return that block's number.

    L2 blocks are built and derived until it is there. Takes an L1 block, and all that is pending
    on L1 with it. DevnetError if L1 reverts it.
    """
    rpc = JsonRpc(nodes.l1.url)
    try:
        l1 = L1Client(rpc)
        oracle = OutputOracle(l1, nodes.rollup.contracts.l2_output_oracle)
        number = await oracle.next_block()
        verifier, built = nodes.verifier.node.reader, nodes.sequencer.node.reader
        while verifier.heads().safe.number < number:
            while built.heads().unsafe.number < number:
                await stepper.mine()
            await stepper.derive()
        header = verifier.header_by_number(number)
        assert header is not None, "a safe block is there"
        head = await l1.block_ref_by_label("latest")
        data = oracle.proposal(number, output_of(verifier, header), head)
        send_on_l1(nodes, PROPOSER_ACCOUNT, oracle.address, data)
        (block,) = await stepper.advance_l1()
        if await oracle.next_block() == number:
            raise DevnetError(
                f"L1 reverted the proposal of block {number}, in block {block.number}"
            )
        return number
    finally:
        await rpc.close()

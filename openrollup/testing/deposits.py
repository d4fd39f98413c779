"""OPEN from L1 to L2, sent by one of the test's accounts."""

from consensus.l1.contract_call import encode_call
from consensus.l1.deposit_logs import derive_deposits
from node.genesis import DevAccount
from node.types.block import Block
from node.types.deposit import DepositTransaction
from node.types.primitives import Address
from node.types.transaction import sign_dynamic_fee
from openrollup.testing.errors import DevnetError
from openrollup.testing.nodes import Nodes
from openrollup.testing.stepper import Stepper

_GAS_ON_L1 = 300_000
_GAS_ON_L2 = 100_000
_TIP = 10**9


async def deposit(
    nodes: Nodes, stepper: Stepper, account: DevAccount, to: Address, amount: int
) -> DepositTransaction:
    """Send OPEN through the portal, and build L2 blocks until one holds it.

    Takes an L1 block and all that is pending on L1 with it; `amount` is in units of 10**-18 OPEN.
    DevnetError if L1 reverts it.
    """
    contracts = nodes.rollup.contracts
    approval = encode_call("approve(address,uint256)", contracts.optimism_portal, amount)
    send_on_l1(nodes, account, contracts.open_token, approval)
    order = (to, amount, amount, _GAS_ON_L2, False, b"")
    name = "depositERC20Transaction(address,uint256,uint256,uint64,bool,bytes)"
    send_on_l1(nodes, account, contracts.optimism_portal, encode_call(name, *order))
    (block,) = await stepper.advance_l1()
    sent = _deposit_in(nodes, block, account.address)
    while nodes.sequencer.node.reader.transaction(sent.hash) is None:
        await stepper.mine()
    return sent


def send_on_l1(nodes: Nodes, account: DevAccount, to: Address, data: bytes) -> None:
    """Put a call into L1's pool, for its next block."""
    node = nodes.l1.node
    node.mempool.add_transaction(
        sign_dynamic_fee(
            account.private_key,
            chain_id=node.genesis.config.chain_id,
            nonce=node.mempool.pending_nonce(account.address),
            max_priority_fee_per_gas=_TIP,
            max_fee_per_gas=2 * (node.reader.head_header().base_fee + _TIP),
            gas=_GAS_ON_L1,
            to=to,
            data=data,
        )
    )


def _deposit_in(nodes: Nodes, block: Block, sender: Address) -> DepositTransaction:
    receipts = nodes.l1.node.reader.receipts(block.hash) or ()
    portal = nodes.rollup.config.deposit_contract
    sent = [tx for tx in derive_deposits(block.hash, receipts, portal) if tx.sender == sender]
    if not sent:
        raise DevnetError(
            f"the deposit was reverted on L1, in block {block.number}: has the account "
            f"0x{sender.hex()} that much OPEN there?"
        )
    return sent[-1]

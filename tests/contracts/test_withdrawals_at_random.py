"""Random withdrawals: each real proof passes, any change to one fails, and OPEN is conserved."""

from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.bridge.withdrawal import Withdrawal
from node.types.primitives import Address
from tests.contracts.conftest import ALICE, CHALLENGER, OWNER, SUPPLY, deploy_portal
from tests.contracts.local_chain import Contract, LocalChain, Reverted, address_text
from tests.contracts.way_out import WayOut
from tests.contracts.withdrawing import Order, open_withdrawing

_ADDRESSES = st.binary(min_size=20, max_size=20).map(Address)
_ORDERS = st.builds(
    Order,
    sender=_ADDRESSES,
    # Precompiles and the like are called, too; only the zero address takes no OPEN.
    target=_ADDRESSES.filter(lambda address: any(address)),
    value=st.integers(0, 10**20),
    gas_limit=st.integers(0, 300_000),
    data=st.binary(max_size=100),
)


def fresh(l1: LocalChain) -> tuple[Contract, Contract]:
    """OPEN, held by Alice, and a target that fails."""
    token = Contract.deploy(l1, "OpenToken", address_text(ALICE), SUPPLY, sender=OWNER)
    return token, Contract.deploy(l1, "WithdrawalTarget", sender=OWNER)


@settings(max_examples=8, deadline=None)
@given(
    blocks=st.lists(st.lists(_ORDERS, min_size=1, max_size=6), min_size=1, max_size=3),
    data=st.data(),
)
def test_proofs(blocks: list[list[Order]], data: st.DataObject) -> None:
    l1 = LocalChain()
    with open_withdrawing(genesis_only=True) as l2:
        way_out = WayOut(deploy_portal(l1, fresh(l1)[0]), l2)
        for orders in blocks:
            l2.withdraw(*orders)
        index = way_out.propose(l2.proof(l2.sent[0]).output.root)
        for withdrawal in l2.sent:
            nodes = l2.proof(withdrawal).nodes
            number = data.draw(st.integers(0, len(nodes) - 1))
            position = data.draw(st.integers(0, len(nodes[number]) - 1))
            byte = data.draw(st.integers(1, 255)) ^ nodes[number][position]
            changed = nodes[number][:position] + bytes([byte]) + nodes[number][position + 1 :]
            wrong = (*nodes[:number], changed, *nodes[number + 1 :])
            assert refused(way_out, withdrawal, index, wrong) == "InvalidWithdrawalProof"
            way_out.prove(withdrawal, index, l2.proof(withdrawal))
            assert refused(way_out, withdrawal, index, nodes) == "AlreadyProven"


@settings(max_examples=8, deadline=None)
@given(orders=st.lists(_ORDERS, min_size=1, max_size=8), data=st.data())
def test_open_is_conserved(orders: list[Order], data: st.DataObject) -> None:
    """Locked = deposited - finalized, whatever is finalized, repeated, deleted, or fails."""
    l1 = LocalChain()
    token, target = fresh(l1)
    failing = target.calldata("fail")
    orders += [Order(Address(ALICE), Address(target.address), 5, 40_000, failing)]
    with open_withdrawing(genesis_only=True) as l2:
        way_out = WayOut(deploy_portal(l1, token), l2)
        deposited = sum(order.value for order in orders)
        approve = (address_text(way_out.portal.address), deposited)
        token.send("approve", *approve, sender=ALICE)
        arguments = (address_text(ALICE), deposited, 0, 100_000, False, b"")
        way_out.portal.send("depositERC20Transaction", *arguments, sender=ALICE)

        l2.withdraw(*orders)
        index = way_out.propose(l2.proof(l2.sent[0]).output.root)
        for withdrawal in l2.sent:
            way_out.prove(withdrawal, index, l2.proof(withdrawal))
        if data.draw(st.booleans()):
            way_out.oracle.send("deleteL2Outputs", index, sender=CHALLENGER)
            way_out.propose(l2.proof(l2.sent[0]).output.root)
        way_out.wait_until_final()
        paid = 0
        for withdrawal in data.draw(st.lists(st.sampled_from(l2.sent), max_size=20)):
            if not way_out.portal.read("finalizedWithdrawals", withdrawal.hash):
                way_out.finalize(withdrawal)
                paid += withdrawal.value
            else:
                assert refused(way_out, withdrawal) == "AlreadyFinalized"
            assert way_out.locked() == deposited - paid


def refused(
    way_out: WayOut,
    withdrawal: Withdrawal,
    index: int | None = None,
    nodes: tuple[bytes, ...] = (),
) -> str:
    """The name of the error with which proving (with an index) or finalizing fails."""
    try:
        if index is None:
            way_out.finalize(withdrawal)
        else:
            way_out.prove(withdrawal, index, way_out.l2.proof(withdrawal), nodes=nodes)
    except Reverted as refusal:
        return refusal.name
    return "nothing"

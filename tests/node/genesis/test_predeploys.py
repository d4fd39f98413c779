"""The contracts of a new chain do their work, where the rest of the node expects them."""

from dataclasses import replace

from node.execution.simulate import CallRequest
from node.genesis.predeploys import (
    L1_BLOCK_ADDRESS,
    MESSAGE_PASSER_ADDRESS,
    PROXY_ADMIN_ADDRESS,
    implementation_address,
)
from node.genesis.system_contracts import BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS
from node.types.deposit import make_deposit
from node.types.primitives import Address, Hash32, keccak256
from tests.node.chains import ALICE, ROLLUP_GENESIS, Chain, l1_attributes, open_chain


def ask(chain: Chain, to: Address, data: bytes) -> bytes:
    return chain.reader.call(CallRequest(to=to, data=data), chain.head()).output


def selector(signature: str) -> bytes:
    return keccak256(signature.encode())[:4]


def test_l1_attributes_reach_the_l1_block_contract() -> None:
    with open_chain(genesis=ROLLUP_GENESIS) as chain:
        opening = l1_attributes(chain.head())
        # Sequence number, timestamp and number are 8 bytes each behind the two scalars.
        data = opening.data[:12] + b"".join(n.to_bytes(8, "big") for n in (3, 1234, 5))
        data += (7).to_bytes(32, "big") + opening.data[len(data) + 32 :]
        first = make_deposit(
            source_hash=opening.source_hash,
            sender=opening.sender,
            to=opening.to,
            mint=0,
            value=0,
            gas=opening.gas,
            data=data,
        )
        attributes = chain.attributes(chain.head())
        executed = chain.engine.build(chain.head(), replace(attributes, transactions=(first,)))
        assert executed.receipts[0].status == 1
        chain.engine.insert(executed)
        for signature, expected in (("number()", 5), ("timestamp()", 1234), ("basefee()", 7)):
            output = ask(chain, L1_BLOCK_ADDRESS, selector(signature))
            assert int.from_bytes(output, "big") == expected


def test_proxies_tell_their_implementation_and_admin() -> None:
    with open_chain(genesis=ROLLUP_GENESIS) as chain:
        for address in (L1_BLOCK_ADDRESS, MESSAGE_PASSER_ADDRESS):
            output = ask(chain, address, selector("implementation()"))
            assert output[12:] == implementation_address(address)
            assert ask(chain, address, selector("admin()"))[12:] == PROXY_ADMIN_ADDRESS


def test_a_withdrawal_changes_the_withdrawals_root() -> None:
    with open_chain(genesis=ROLLUP_GENESIS) as chain:
        before = chain.extend().block.header
        payment = chain.pay(MESSAGE_PASSER_ADDRESS, 5)
        executed = chain.extend(payment)
        assert executed.receipts[1].status == 1
        (log,) = executed.receipts[1].logs
        assert log.address == MESSAGE_PASSER_ADDRESS
        after = executed.block.header
        assert after.withdrawals_root != before.withdrawals_root
        proof = chain.reader.proof(MESSAGE_PASSER_ADDRESS, (), after)
        assert proof.account is not None
        assert proof.account.storage_root == after.withdrawals_root
        withdrawal_hash = Hash32(log.data[96:128])
        sent = ask(
            chain, MESSAGE_PASSER_ADDRESS, selector("sentMessages(bytes32)") + withdrawal_hash
        )
        assert int.from_bytes(sent, "big") == 1
        assert log.topics[2][12:] == ALICE.address


def test_history_contracts_answer() -> None:
    for genesis in (ROLLUP_GENESIS, None):
        with open_chain(genesis=genesis) if genesis else open_chain() as chain:
            parent = chain.head()
            chain.extend()
            head = chain.head()
            number, time = (n.to_bytes(32, "big") for n in (parent.number, head.timestamp))
            assert ask(chain, HISTORY_STORAGE_ADDRESS, number) == parent.hash
            assert ask(chain, BEACON_ROOTS_ADDRESS, time) == head.parent_beacon_block_root

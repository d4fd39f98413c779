"""Random cases: a few accounts that call each other, and a block of transactions to them."""

from dataclasses import replace
from random import Random

from node.evm.interpreter import DELEGATION_PREFIX, delegation_target
from node.execution.fees import next_base_fee
from node.genesis.system_contracts import (
    BEACON_ROOTS_ADDRESS,
    CONSOLIDATION_REQUESTS_ADDRESS,
    ETHEREUM_SYSTEM_CONTRACTS,
    HISTORY_STORAGE_ADDRESS,
    WITHDRAWAL_REQUESTS_ADDRESS,
)
from node.types.primitives import ZERO_HASH, Address, Hash32, create_address, hex_hash
from tests.conformance.oracle.bytecode import Bytecode
from tests.conformance.oracle.case import CONFIG, DEPOSIT_CONTRACT, Case, Parent, PreAccount
from tests.conformance.oracle.random_code import RandomCode, Setting
from tests.conformance.oracle.random_transactions import ACCOUNTS, RandomTransactions

_DEPOSIT_EVENT = hex_hash("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5")
_GAS_LIMIT = 30_000_000
_CONTRACTS = tuple(Address(bytes(18) + bytes([0xC0, index])) for index in range(6))
_NOBODY = Address(b"\xaa" * 20)
_ETHER = 10**18
_SLOW_SHARE = 0.03
"""How many of the cases may call precompiles that take the specs seconds."""


def random_case(seed: int, index: int) -> Case:
    """Return the case with this index; the same one at any time and on any machine."""
    rng = Random(f"{seed}/{index}")
    parent = _parent(rng)
    block_time = rng.choice((1, 12, 1000))
    setting = Setting(
        contracts=_CONTRACTS,
        accounts=ACCOUNTS,
        others=(
            BEACON_ROOTS_ADDRESS,
            HISTORY_STORAGE_ADDRESS,
            WITHDRAWAL_REQUESTS_ADDRESS,
            CONSOLIDATION_REQUESTS_ADDRESS,
            _NOBODY,
            *(create_address(address, 0) for address in _CONTRACTS[:2]),
            *(create_address(address, 1) for address in (*_CONTRACTS[:2], ACCOUNTS[0])),
        ),
        block_number=parent.number + 1,
        timestamp=parent.timestamp + block_time,
    )
    pre = _pre_state(rng, setting)
    case = Case(
        name=f"seed {seed}, case {index}",
        parent=parent,
        gas_limit=_GAS_LIMIT if rng.random() < 0.95 else 700_000,
        block_time=block_time,
        coinbase=_coinbase(rng, setting),
        prev_randao=Hash32(rng.randbytes(32)),
        beacon_root=Hash32(rng.randbytes(32)),
        pre=pre,
        transactions=(),
        withdrawals=tuple(
            (index, index, setting.any_address(rng), rng.choice((0, 1, 10**9)))
            for index in range(rng.choice((0, 0, 1, 2)))
        ),
    )
    accounts = [pre.get(address, PreAccount()) for address in ACCOUNTS]
    transactions = RandomTransactions(
        rng,
        setting,
        nonces=[account.nonce for account in accounts],
        senders=[number for number, account in enumerate(accounts) if _can_send(account)] or [0],
        base_fee=next_base_fee(CONFIG, case.parent_header(ZERO_HASH)),
        uses_slow_precompiles=rng.random() < _SLOW_SHARE,
    )
    count = rng.randrange(1, 7)
    return replace(case, transactions=tuple(transactions.next() for _ in range(count)))


def _can_send(account: PreAccount) -> bool:
    has_code = bool(account.code) and delegation_target(account.code) is None
    return account.balance > _ETHER and not has_code


def _parent(rng: Random) -> Parent:
    return Parent(
        number=rng.choice((1, 5, 300, 9000, 20_000_000)),
        gas_used=rng.choice((0, 350_000, 350_001, 700_000)),
        timestamp=rng.choice((2_000_000, 1_750_000_000)),
        base_fee=rng.choice((0, 7, 1000, 10**9)),
        blob_gas_used=131_072 * rng.randrange(10),
        excess_blob_gas=rng.choice((0, 131_072 * 5, 40_000_000, 100_000_000)),
    )


def _coinbase(rng: Random, setting: Setting) -> Address:
    fresh = Address(rng.randbytes(20))
    return rng.choice((fresh, fresh, setting.any_address(rng)))


def _pre_state(rng: Random, setting: Setting) -> dict[Address, PreAccount]:
    pre = {
        address: PreAccount(nonce=account.nonce, code=account.code)
        for address, account in ETHEREUM_SYSTEM_CONTRACTS.items()
    }
    assert CONFIG.deposit_contract == DEPOSIT_CONTRACT
    pre[DEPOSIT_CONTRACT] = PreAccount(nonce=1, code=_deposit_contract())
    for address in ACCOUNTS:
        if rng.random() < 0.93:
            pre[address] = _account(rng, setting)
    for index, address in enumerate(setting.contracts):
        # Mostly those before it are called: endless recursion would be the end of most programs.
        callees = setting.contracts[:index] * 4 + setting.contracts
        code = RandomCode(rng, replace(setting, contracts=callees)).write(rng.randrange(1, 24))
        pre[address] = PreAccount(
            nonce=rng.choice((0, 1, 1, 1, 2**64 - 1 if rng.random() < 0.1 else 1)),
            balance=rng.choice((0, 0, 1, 10, _ETHER)) + (not code),
            code=code,
            storage=_storage(rng),
        )
    pre[setting.contracts[0]] = PreAccount(nonce=1, code=_prober())
    for address in setting.others[4:]:
        if rng.random() < 0.15:  # something is where a contract may be created
            pre[address] = rng.choice(
                (
                    PreAccount(balance=1),
                    PreAccount(nonce=1),
                    PreAccount(balance=1, code=b"\x00"),
                    PreAccount(balance=1, storage={0: 1}),
                )
            )
    return pre


def _account(rng: Random, setting: Setting) -> PreAccount:
    code = b""
    if rng.random() < 0.25:
        code = DELEGATION_PREFIX + setting.any_address(rng)
    elif rng.random() < 0.06:
        code = b"\x00"
    balance = rng.choice((1000 * _ETHER,) * 12 + (0, 10**15))
    return PreAccount(
        nonce=rng.choice((0, 0, 0, 1, 7, 2**64 - 2 if rng.random() < 0.1 else 0)) + (not balance),
        balance=balance,
        code=code,
        storage=_storage(rng) if code else {},
    )


def _storage(rng: Random) -> dict[int, int]:
    return {slot: rng.choice((1, 2, 2**255)) for slot in range(5) if rng.random() < 0.4}


def _deposit_contract() -> bytes:
    """Log the calldata as a deposit event."""
    code = Bytecode()
    code.op("CALLDATASIZE")
    code.call("CALLDATACOPY", 0, 0)
    code.push(int.from_bytes(_DEPOSIT_EVENT, "big"))
    code.op("CALLDATASIZE")
    code.push(0)
    code.op("LOG1")
    return code.assemble()


def _prober() -> bytes:
    """Call the address in the first word with the rest, and store all there is to see of it."""
    code = Bytecode()
    code.push(32)
    code.op("CALLDATASIZE", "SUB")  # wraps if there is less: then memory costs too much
    code.dup(1)
    code.call("CALLDATACOPY", 0, 32)
    code.push(0, 0)
    code.dup(3)
    code.push(0, 0, 0)
    code.op("CALLDATALOAD", "GAS", "CALL")
    code.push(0)
    code.op("SSTORE", "RETURNDATASIZE")
    code.push(0, 0)
    code.op("RETURNDATACOPY", "RETURNDATASIZE")
    code.push(0)
    code.op("KECCAK256")
    code.push(1)
    code.op("SSTORE", "RETURNDATASIZE")
    code.push(2)
    code.op("SSTORE", "GAS")
    code.push(3)
    code.op("SSTORE")
    return code.assemble()

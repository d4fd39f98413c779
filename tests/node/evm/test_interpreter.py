"""The door to the EVM: outcomes, and the places where py-evm alone would be wrong or unsafe."""

import threading
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.evm.code import jump_destinations
from node.evm.interpreter import delegation_target
from node.types.primitives import Address, create_address, keccak256
from node.types.receipt import Log
from tests.node.evm.machine import ALICE, CANCUN, GAS, PRAGUE, TARGET, Machine, word

OTHER = Address(b"\x0b" * 20)
PUSH_OTHER = "73" + OTHER.hex()
PUSH_TARGET = "73" + TARGET.hex()


def test_a_return_value_and_the_gas_of_it() -> None:
    outcome = Machine().run("602a5f5260205ff3")
    assert (outcome.success, outcome.error, outcome.output) == (True, None, word(42))
    assert GAS - outcome.gas_left == 3 + 2 + 6 + 3 + 2


def test_a_revert_keeps_gas_and_data_and_undoes_the_rest() -> None:
    machine = Machine()
    outcome = machine.run("60015f55" + "602a5f5260205ffd", value=5)
    assert (outcome.success, outcome.error) == (False, "execution reverted")
    assert outcome.output == word(42)
    assert outcome.gas_left > 0
    assert machine.world.get_storage(TARGET, 0) == 0
    assert machine.world.get_balance(TARGET) == 0


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("5b5f56", "out of gas"),
        ("600456", "invalid jump destination"),
        ("50", "stack underflow"),
        ("fe", "invalid opcode"),
        ("0c", "invalid opcode"),
        ("5f" * 1025, "stack limit reached"),
        ("60015f5f3e", "return data out of bounds"),
    ],
)
def test_failures_take_all_gas(code: str, error: str) -> None:
    outcome = Machine().run(code)
    assert outcome.error is not None
    assert outcome.error.startswith(error)
    assert (outcome.gas_left, outcome.output, outcome.logs) == (0, b"", ())


def test_logs_in_order_without_those_of_failed_calls() -> None:
    machine = Machine()
    machine.place("60995f5260205fa0" + "5f5ffd", OTHER)
    call_other = "5f5f5f5f5f" + PUSH_OTHER + "5af150"
    outcome = machine.run("60015fa0" + call_other + "60aa60025fa1")
    assert outcome.logs == (
        Log(TARGET, (), b"\x00"),
        Log(TARGET, (word(0xAA),), b"\x00\x00"),
    )


def test_refunds_of_failed_calls_do_not_count() -> None:
    machine = Machine()
    machine.place("5f5f55" + "5f5ffd", OTHER)
    machine.place("5f600155" + "5f5f5f5f5f" + PUSH_OTHER + "5af150")
    for address in (OTHER, TARGET):
        machine.world.set_storage(address, 0, 1)
        machine.world.set_storage(address, 1, 1)
    machine.world.end_transaction()
    assert machine.send().refund == 4_800


def test_block_hashes_reach_256_blocks_back() -> None:
    machine = Machine()
    for number, known in ((999, True), (744, True), (743, False), (1_000, False), (2**255, False)):
        outcome = machine.run(f"7f{number:064x}405f5260205ff3")
        expected = keccak256(str(number).encode()) if known else bytes(32)
        assert outcome.output == expected


def test_the_block_context() -> None:
    code = "".join(f"{opcode}60{32 * i:02x}52" for i, opcode in enumerate(("46", "48", "4a", "3a")))
    outcome = Machine().run(code + "60805ff3")
    assert outcome.output == word(1) + word(7) + word(3) + word(9)


# Creation


def test_a_creation_returns_its_code() -> None:
    machine = Machine()
    outcome = machine.send(bytes.fromhex("60fe5f5360015ff3"), to=None, nonce=4, value=3)
    created = create_address(ALICE, 4)
    assert (outcome.output, machine.world.get_code(created)) == (b"\xfe", b"\xfe")
    assert (machine.world.get_nonce(created), machine.world.get_balance(created)) == (1, 3)
    assert GAS - outcome.gas_left == 3 + 2 + 3 + 3 + 3 + 2 + 200


@pytest.mark.parametrize(
    ("init_code", "error"),
    [
        ("60ef5f5360015ff3", "invalid code: must not begin with 0xef"),
        ("6160015ff3", "max code size exceeded: 24577"),
    ],
)
def test_code_that_cannot_be_deployed(init_code: str, error: str) -> None:
    machine = Machine()
    outcome = machine.send(bytes.fromhex(init_code), to=None, gas=10**7)
    assert outcome.error is not None
    assert outcome.error.startswith(error)
    assert outcome.gas_left == 0
    assert not machine.world.account_exists(create_address(ALICE, 0))


@pytest.mark.parametrize("what", ["nonce", "code", "storage"])
def test_creation_collides_with_what_is_there(what: str) -> None:
    machine = Machine()
    created = create_address(ALICE, 0)
    if what == "nonce":
        machine.world.set_nonce(created, 1)
    elif what == "code":
        machine.world.set_code(created, b"\x00")
    else:
        machine.world.set_balance(created, 1)
        machine.world.set_storage(created, 1, 1)
    machine.world.end_transaction()
    outcome = machine.send(b"", to=None)
    assert (outcome.error, outcome.gas_left) == ("contract address collision", 0)
    by_contract = create_address(TARGET, 1)
    machine.world.set_balance(by_contract, 1)
    machine.world.set_storage(by_contract, 1, 1)
    machine.world.end_transaction()
    assert machine.run("5f5f5ff05f5260205ff3").output == word(0)
    assert machine.world.get_storage(by_contract, 1) == 1


def test_a_balance_alone_is_no_collision() -> None:
    machine = Machine()
    machine.world.set_balance(create_address(ALICE, 0), 1)
    machine.world.end_transaction()
    assert machine.send(b"", to=None, value=1).success
    assert machine.world.get_balance(create_address(ALICE, 0)) == 2


@pytest.mark.parametrize("opcode", ["f0", "5ff5"])
def test_oversized_init_code_ends_the_creating_frame(opcode: str) -> None:
    # Even where the value cannot be paid, which by itself would only push 0.
    create = "5f" if opcode == "5ff5" else ""
    code = create + "61c0015f61ffff" + opcode[-2:]
    assert Machine().run(code, gas=10**7).error == "out of gas"
    fits = create + "61c0005f5f" + opcode[-2:]
    assert Machine().run(fits, gas=10**7).success


def test_selfdestruct_deletes_only_what_the_transaction_created() -> None:
    machine = Machine()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = machine.run(PUSH_OTHER + "ff", value=5)
    assert (outcome.success, outcome.destroyed) == (True, ())
    assert machine.world.get_balance(OTHER) == 5
    assert machine.world.account_exists(TARGET)
    created = create_address(ALICE, 1)
    outcome = machine.send(bytes.fromhex(PUSH_OTHER + "ff"), to=None, nonce=1, value=7)
    assert outcome.destroyed == (created,)
    assert machine.world.get_balance(OTHER) == 12
    assert not machine.world.account_exists(created)


def test_a_reverted_selfdestruct_does_not_happen() -> None:
    machine = Machine()
    # CREATE of "PUSH0 SELFDESTRUCT", then REVERT, in a frame that is called by TARGET.
    machine.place("615fff5f526002601e5ff0505f5ffd", OTHER)
    outcome = machine.run("5f5f5f5f5f" + PUSH_OTHER + "5af1")
    assert (outcome.success, outcome.destroyed) == (True, ())


# Depth


def _call_itself(machine: Machine) -> None:
    """Count frames: each returns what its callee returned, plus one."""
    machine.place("60205f5f5f5f" + PUSH_TARGET + "5af150" + "5f516001015f5260205ff3")


def test_calls_nest_1024_deep_in_a_thread_too() -> None:
    machine = Machine()
    _call_itself(machine)
    outputs: list[bytes] = []
    thread = threading.Thread(target=lambda: outputs.append(machine.send(gas=2**62).output))
    thread.start()
    thread.join()
    assert outputs == [word(1_025)]


def test_creations_nest_too() -> None:
    machine = Machine()
    # Init code that creates a contract with its own code as init code.
    init_code = bytes.fromhex("385f5f39" + "385f5f" + "f0" + "00")
    assert machine.send(init_code, to=None, gas=2**62).success
    created = create_address(ALICE, 0)
    depth = 0
    while machine.world.account_exists(created):
        created, depth = create_address(created, 1), depth + 1
    assert depth == 1_025


def test_the_63_64_rule_ends_recursion_sooner() -> None:
    machine = Machine()
    _call_itself(machine)
    depth = int.from_bytes(machine.send(gas=10**7).output, "big")
    assert 100 < depth < 600


# Jumps


def test_a_jump_into_push_data_fails() -> None:
    assert Machine().run("6004565b605b00").success is False
    assert Machine().run("6003565b605b00").success


@pytest.mark.parametrize(("filler", "is_valid"), [(0x60, False), (0x7F, False), (0x5B, True)])
def test_pathological_code_is_analysed_in_linear_time(filler: int, is_valid: bool) -> None:
    # py-evm's own search recurses once for each PUSH before the destination.
    machine = Machine()
    size = 24_000
    machine.place(bytes.fromhex("615dbf56") + bytes([filler]) * (size - 5) + b"\x5b")
    assert machine.send().success is is_valid


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_jump_destinations_are_those_outside_push_data(code: bytes) -> None:
    valid, position = set(), 0
    while position < len(code):
        opcode = code[position]
        if opcode == 0x5B:
            valid.add(position)
        position += opcode - 0x5F + 1 if 0x60 <= opcode <= 0x7F else 1
    assert {i for i, flag in enumerate(jump_destinations(code)) if flag} == valid


# Warm addresses and static calls


def test_warm_addresses() -> None:
    machine = Machine()
    code = "5a{address}31505a90035f5260205ff3"
    costs = {}
    for name, address in {
        "coinbase": machine.environment.coinbase,
        "sender": ALICE,
        "self": TARGET,
        "precompile": Address(bytes(19) + b"\x09"),
        "other": OTHER,
    }.items():
        outcome = machine.run(code.format(address="73" + address.hex()))
        costs[name] = int.from_bytes(outcome.output, "big") - 3 - 2 - 2
    assert costs == {"coinbase": 100, "sender": 100, "self": 100, "precompile": 100, "other": 2_600}


@pytest.mark.parametrize("write", ["5f5f55", "5f5f5d", "5f5fa0", "5f5f5ff0", "5fff"])
def test_static_calls_do_not_write(write: str) -> None:
    machine = Machine()
    machine.place(write, OTHER)
    outcome = machine.run("5f5f5f5f" + PUSH_OTHER + "5afa5f5260205ff3")
    assert outcome.output == word(0)


def test_transient_storage_lasts_for_the_transaction() -> None:
    machine = Machine()
    machine.place("5f5c5f52602a5f5d60205ff3")
    assert machine.send().output == word(0)
    assert machine.send().output == word(0)
    twice = "5f5f5f5f5f" + PUSH_TARGET + "5af150" + "60205f5f5f5f" + PUSH_TARGET + "5af150"
    machine.place(twice + "60205ff3", OTHER)
    assert machine.send(to=OTHER).output == word(42)


def test_delegations_are_prague_only() -> None:
    designator = b"\xef\x01\x00" + OTHER
    for rules, expected in ((PRAGUE, word(42)), (CANCUN, b"")):
        machine = Machine(rules)
        machine.place("602a5f5260205ff3", OTHER)
        machine.place(designator)
        assert machine.send().output == expected
    assert delegation_target(designator) == OTHER
    assert delegation_target(designator[:-1]) is None
    assert delegation_target(designator + b"\x00") is None
    assert delegation_target(b"\xef\x01\x01" + OTHER) is None


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=40))
def test_no_code_whatever_breaks_the_interpreter(code: bytes, data: bytes) -> None:
    machine = Machine()
    machine.place(code)
    outcome = machine.send(data, gas=100_000)
    assert 0 <= outcome.gas_left <= 100_000
    assert (outcome.error is None) == outcome.success

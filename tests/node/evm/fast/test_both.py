"""Running both interpreters: what is compared, and what a difference says."""

from dataclasses import replace

import pytest

from node.errors import CriticalError, OutOfTime
from node.evm import interpreter
from node.evm.call_message import CallMessage
from node.evm.comparison import check_equal
from node.evm.fast.run import run_fast
from node.evm.frame import Ended, ExecutionState, TransactionContext
from node.evm.interpreter import Interpreter, Outcome
from node.evm.rules import DEFAULT_INTERPRETER, Rules
from node.types.primitives import UINT64_MAX, Address
from tests.node.evm.machine import ALICE, PRAGUE, TARGET, Machine, word

OTHER = Address(b"\x0b" * 20)
FAST = replace(PRAGUE, interpreter=Interpreter.FAST)
REFERENCE = replace(PRAGUE, interpreter=Interpreter.REFERENCE)


def test_the_fast_one_runs_unless_another_is_asked_for() -> None:
    assert DEFAULT_INTERPRETER is Interpreter.FAST


def test_outcomes_are_compared_field_by_field() -> None:
    outcome = Outcome(5, 0, (), b"\x01", None, ())
    check_equal(outcome, outcome, {}, {})
    with pytest.raises(CriticalError, match="gas_left: the reference has 5, the fast one 4"):
        check_equal(outcome, replace(outcome, gas_left=4), {}, {})
    with pytest.raises(CriticalError, match="error: the reference has None, the fast one oops"):
        check_equal(outcome, replace(outcome, error="oops"), {}, {})


def test_effects_are_compared_key_by_key() -> None:
    outcome = Outcome(5, 0, (), b"", None, ())
    check_equal(outcome, outcome, {("a", b"\x01"): 1}, {("a", b"\x01"): 1})
    with pytest.raises(CriticalError, match=r"\(a, 0x01\): the reference has 1, the fast one None"):
        check_equal(outcome, outcome, {("a", b"\x01"): 1}, {})
    with pytest.raises(CriticalError, match="the reference has 1, the fast one 2"):
        check_equal(outcome, outcome, {("a", 1): 1}, {("a", 1): 2})


def test_a_write_that_only_one_makes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(state: ExecutionState, message: CallMessage, context: TransactionContext) -> Ended:
        ended = run_fast(state, message, context)
        state.mark_address_warm(OTHER)
        return ended

    monkeypatch.setattr(interpreter, "run_fast", run)
    with pytest.raises(CriticalError, match=r"warm address.*0x0b0b.*has None, the fast one True"):
        Machine().run("00")


def test_both_leave_the_effects_of_one_run() -> None:
    machine = Machine()
    counter = "5f54600101" + "805f55" + "5f5260205ff3"
    machine.place(counter)
    assert machine.send(value=7).output == word(1)
    assert machine.send(value=7, nonce=1).output == word(2)
    assert machine.world.get_storage(TARGET, 0) == 2
    assert machine.world.get_balance(TARGET) == 14


@pytest.mark.parametrize("rules", [FAST, REFERENCE])
@pytest.mark.parametrize(
    "code",
    [
        "5b5f56",
        "5b60015f57" + "5f56",
        "5b5f80808080305af1505f56",  # mostly calls
    ],
)
def test_code_that_runs_for_long_can_be_interrupted(rules: Rules, code: str) -> None:
    calls = 0

    def interrupt() -> None:
        nonlocal calls
        calls += 1
        if calls == 20:
            raise OutOfTime("enough")

    machine = Machine(rules)
    machine.environment = replace(machine.environment, interrupt=interrupt)
    with pytest.raises(OutOfTime, match="enough"):
        machine.run(code, gas=10**9)


def test_every_frame_can_be_interrupted() -> None:
    calls = 0

    def interrupt() -> None:
        nonlocal calls
        calls += 1

    machine = Machine(FAST)
    machine.place("00", OTHER)
    machine.environment = replace(machine.environment, interrupt=interrupt)
    call_other = "5f5f5f5f5f73" + OTHER.hex() + "5af150"
    assert machine.run(call_other * 3).success
    assert calls >= 4


@pytest.mark.parametrize("gas", range(45))
def test_each_step_out_of_gas(gas: int) -> None:
    code = "602a5f52" + "60205f20" + "5f51" + "61ffff5f5f3e"
    outcome = Machine().run(code, gas=gas)
    assert outcome.gas_left == 0
    assert outcome.error in ("out of gas", "return data out of bounds")


def test_a_value_that_the_sender_of_a_call_lacks() -> None:
    machine = Machine()
    code = "5f5f5f5f6001" + "73" + ALICE.hex() + "5af15f5260205ff3"
    assert machine.run(code).output == word(0)
    assert machine.run(code, value=1).output == word(1)


@pytest.mark.parametrize("gas", range(2_290, 2_320))
def test_nothing_is_written_with_a_stipend(gas: int) -> None:
    machine = Machine()
    machine.world.set_storage(TARGET, 0, 1)
    machine.world.end_transaction()
    machine.place("60015f55", OTHER)
    # The slot is warm and keeps its value, so that the store itself would cost 100.
    code = "5f5450" + "5f5f5f5f73" + OTHER.hex() + f"61{gas:04x}f4" + "5f5260205ff3"
    assert machine.run(code).output == word(1 if gas - 5 > 2_300 else 0)


def test_an_account_whose_nonce_cannot_grow_creates_nothing() -> None:
    machine = Machine()
    machine.world.set_nonce(TARGET, UINT64_MAX)
    machine.world.set_code(TARGET, bytes.fromhex("5f5f5ff05f5260205ff3"))
    assert machine.send().output == word(0)
    assert machine.world.get_nonce(TARGET) == UINT64_MAX


@pytest.mark.parametrize("height", [1022, 1023, 1024])
@pytest.mark.parametrize("code", ["5f50", "8050", "9050", "5f5f5050", "01", "5b58"])
def test_stacks_that_are_nearly_full(height: int, code: str) -> None:
    Machine().run("5f" * height + "5b" + code)
    Machine().run("5f" * height + code)


@pytest.mark.parametrize("height", range(18))
@pytest.mark.parametrize("code", ["8f", "9f", "01", "a4", "f1", "f5", "fd", "56", "57", "3c"])
def test_stacks_that_are_nearly_empty(height: int, code: str) -> None:
    Machine().run("5f" * height + "5b" + code)
    Machine().run("5f" * height + code)


_MUCH = 6_000  # bytes of data that a call does not copy


def _call_with_much_data(to: str, gas: str = "5a") -> str:
    size = f"61{_MUCH:04x}"
    return f"602a611000526020600a{size}5f5f{to}{gas}f1" + "60ff61f00052"  # memory grows afterwards


@pytest.mark.parametrize("gas", ["5a", "5f", "6064"])
@pytest.mark.parametrize(
    "code",
    [
        "00",
        "5f5ffd",
        "01",
        "6110003560005260205ff3",
        "61177060005f3760206110005ff3",
        "61177060205f3761177060205f37" + "60205ff3",
        "60015f5f5f5f5f305af1",
        "61177060005f37" + "60ef5f5360015ff3",
    ],
)
def test_data_that_is_not_copied(code: str, gas: str) -> None:
    machine = Machine()
    machine.place(code, OTHER)
    again = _call_with_much_data("73" + OTHER.hex(), gas) * 2
    machine.run(again + "3d5f5f3e" + "61010060005260205ff3", gas=3_000_000)


@pytest.mark.parametrize("gas", ["5a", "5f", "6107d0"])
@pytest.mark.parametrize("number", range(1, 18))
def test_precompiles_with_much_data(number: int, gas: str) -> None:
    outcome = Machine().run(_call_with_much_data(f"60{number:02x}", gas), gas=3_000_000)
    assert outcome.success


def test_much_data_for_nobody() -> None:
    machine = Machine()
    for to in ("73" + OTHER.hex(), "30", "41"):
        assert machine.run(_call_with_much_data(to, "6064"), gas=3_000_000).success


@pytest.mark.parametrize(
    "code", ["01", "fe", "600356", "60015f5f3e", "5b5f56", "5f" * 1025, "60ff"]
)
def test_calls_that_fail_cost_all_their_gas(code: str) -> None:
    machine = Machine()
    machine.place(code, OTHER)
    outcome = machine.run("5f5f5f5f5f73" + OTHER.hex() + "612710f1" + "5f5260205ff3")
    assert outcome.output == word(1 if code == "60ff" else 0)
    assert outcome.success

"""A simulation that runs for too long is ended, and says so."""

import time

import pytest

from node.errors import OutOfTime
from rpc.methods.eth import state


def test_the_deadline_counts_from_the_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    interrupt = state.simulation_deadline()
    now[0] = 200.0  # it waited for its turn
    interrupt()
    now[0] = 200.0 + state.SIMULATION_TIMEOUT_S
    interrupt()
    now[0] += 0.1
    with pytest.raises(OutOfTime, match=r"execution aborted \(timeout = 5s\)"):
        interrupt()

"""Both interpreters agree on random programs: outcomes, and all that is written to the state."""

from collections import Counter

import pytest

from tests.node.evm.fast.random_case import run_case

_CASES = 2_000
_SHARES = 8


@pytest.mark.parametrize("share", range(_SHARES))
def test_random_programs(share: int) -> None:
    counts = Counter(run_case(1, index) for index in range(share, _CASES, _SHARES))
    assert sum(counts.values()) == _CASES // _SHARES

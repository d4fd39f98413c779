"""One case on both sides: where the answers differ, and how little of the case is needed for it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from node.types.primitives import Address
from tests.conformance.oracle.case import Case
from tests.conformance.oracle.oracle import Oracle
from tests.conformance.oracle.ours import CaseExecution


def compare(case: Case, oracle: Oracle) -> str:
    """Execute a case on both sides; return the first difference, or nothing."""
    execution = CaseExecution(case)
    oracle.ask(case.request(execution.parent))
    return _difference(execution.answer(), oracle.answer())


def _difference(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    if "crash" in theirs:
        return f"the specs crashed: {theirs['crash']}"
    if ours["pre_root"] != theirs["pre_root"]:
        return f"pre-state root: ours {ours['pre_root']}, theirs {theirs['pre_root']}"
    for index, pair in enumerate(zip(ours["transactions"], theirs["transactions"], strict=True)):
        if not _is_same(*pair):
            return f"transaction {index}: ours {pair[0]}, theirs {pair[1]}"
    mine, other = ours["block"], theirs["block"]
    if _is_same(mine, other):
        return ""
    fields = [key for key in mine if mine[key] != other.get(key)]
    return "block: " + "; ".join(f"{key}: {mine[key]}, theirs {other.get(key)}" for key in fields)


def _is_same(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Compare two answers; the reason for which something is invalid is in each side's words."""
    if "invalid" in ours or "invalid" in theirs:
        return "invalid" in ours and "invalid" in theirs
    return ours == theirs


def minimise(case: Case, oracle: Oracle) -> Case:
    """Drop transactions, withdrawals and accounts for as long as there is a difference."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(case):
            if compare(candidate, oracle):
                case, smaller = candidate, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    for index in reversed(range(len(case.transactions))):
        rest = case.transactions[:index] + case.transactions[index + 1 :]
        yield replace(case, transactions=rest)
    if case.withdrawals:
        yield replace(case, withdrawals=())
    for address in case.pre:
        yield replace(case, pre={key: case.pre[key] for key in case.pre if key != address})


def differing_accounts(case: Case, oracle: Oracle) -> Iterator[str]:
    """Say which accounts of the post-state differ, as far as our changes name them."""
    execution = CaseExecution(case)
    execution.answer()
    if execution.changes is None:
        return
    addresses: list[Address] = sorted({*execution.changes.accounts, *case.pre})
    request = case.request(execution.parent)
    oracle.ask({**request, "wants_state": [address.hex() for address in addresses]})
    ours, theirs = execution.state(addresses), oracle.answer().get("state", {})
    for key, account in ours.items():
        if account != theirs.get(key):
            yield f"account {key}: ours {account}, theirs {theirs.get(key)}"

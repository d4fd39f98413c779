"""One case on both sides: where the answers differ, and how little of the case is needed for it."""

import traceback
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from node.evm.rules import Interpreter
from node.types.primitives import Address
from tests.conformance.oracle.case import Case
from tests.conformance.oracle.oracle import Oracle
from tests.conformance.oracle.ours import CaseExecution


class Comparison:
    """One of our interpreters beside the specs."""

    def __init__(self, oracle: Oracle, interpreter: Interpreter) -> None:
        self._oracle = oracle
        self._interpreter = interpreter

    def difference(self, case: Case) -> str:
        """Execute a case on both sides; return the first difference, or nothing."""
        execution = CaseExecution(case, self._interpreter)
        self._oracle.ask(case.request(execution.parent))
        try:
            ours = execution.answer()
        except Exception:  # noqa: BLE001 - a crash of ours is a difference, and worth a small case
            ours = {"crash": traceback.format_exc()}
        return _difference(ours, self._oracle.answer())

    def minimise(self, case: Case) -> Case:
        """Drop transactions, withdrawals and accounts for as long as there is a difference."""
        smaller: Case | None = case
        while smaller is not None:
            case = smaller
            smaller = next(filter(self.difference, _smaller(case)), None)
        return case

    def differing_accounts(self, case: Case) -> Iterator[str]:
        """Say which accounts of the post-state differ, as far as our changes name them."""
        execution = CaseExecution(case, self._interpreter)
        execution.answer()
        if execution.changes is None:
            return
        addresses: list[Address] = sorted({*execution.changes.accounts, *case.pre})
        request = case.request(execution.parent)
        self._oracle.ask({**request, "wants_state": [address.hex() for address in addresses]})
        ours, theirs = execution.state(addresses), self._oracle.answer().get("state", {})
        for key, account in ours.items():
            if account != theirs.get(key):
                yield f"account {key}: ours {account}, theirs {theirs.get(key)}"


def _difference(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    for side, answer in (("we", ours), ("the specs", theirs)):
        if "crash" in answer:
            return f"{side} crashed: {answer['crash']}"
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


def _smaller(case: Case) -> Iterator[Case]:
    for index in reversed(range(len(case.transactions))):
        rest = case.transactions[:index] + case.transactions[index + 1 :]
        yield replace(case, transactions=rest)
    if case.withdrawals:
        yield replace(case, withdrawals=())
    for address in case.pre:
        yield replace(case, pre={key: case.pre[key] for key in case.pre if key != address})

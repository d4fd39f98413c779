"""What an L1 server may answer: JSON about a block, changed somewhere.

A checked answer is the truth or an error, temporary or critical; a trusted one is some value, or
such an error.
"""

import random
from collections import Counter
from copy import deepcopy
from typing import Any

from consensus.l1.answers import CheckedAnswers, TrustedAnswers
from consensus.l1.json_objects import as_object, as_objects, header_from_json
from node.errors import CriticalError, TemporaryError
from node.types.block import Block
from node.types.primitives import Address, Hash32
from node.types.receipt import Log, Receipt
from rpc.encoding.block import block_with_transactions
from rpc.encoding.receipt import block_receipts
from tests.consensus.fuzz.mutation import changed_order
from tests.consensus.l1.signed import ALL_KINDS
from tests.fakes.l1_source import FakeL1, Included

_ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "0x",
    "0x0",
    "0x00",
    "0xzz",
    "0x" + "f" * 64,
    "0x" + "f" * 65,
    "0x\u0661",
    "\ud800",
    [],
    [[]],
    {},
    {"": None},
    "latest",
    10**30,
)


class AnswersArena:
    """Changes the answers about one block."""

    def __init__(self, seed: int, inputs: int = 500) -> None:
        self._choice = random.Random(seed)
        self.inputs = inputs
        self.outcomes: Counter[str] = Counter()

    async def run(self) -> None:
        """Read that many changed answers."""
        l1 = FakeL1()
        log = Log(Address(b"\x01" * 20), (Hash32(b"\x02" * 32),), b"\x03" * 40)
        ref = l1.mine(*(Included(tx, (log,)) for tx in ALL_KINDS))
        block, receipts = await l1.block(ref.hash), await l1.receipts(ref.hash)
        answer: Any = block_with_transactions(block, receipts)
        entries: Any = [*block_receipts(block, receipts, [{}] * len(receipts), 1)]
        for _ in range(self.inputs):
            try:
                self._read(block, receipts, answer, entries)
            except (TemporaryError, CriticalError) as error:
                self.outcomes[f"answers refused: {type(error).__name__}"] += 1

    def _read(self, block: Block, receipts: tuple[Receipt, ...], answer: Any, entries: Any) -> None:
        choice = self._choice
        trusted = choice.random() < 0.3
        answers = TrustedAnswers() if trusted else CheckedAnswers()
        kind = choice.randrange(3)
        if kind == 0:
            rest = {name: value for name, value in answer.items() if name != "transactions"}
            header = header_from_json(as_object(self._changed(rest), "block"))
            assert header.hash == block.hash
            return
        if kind == 1:
            changed = self._changed(answer["transactions"])
            found = answers.block(block.header, as_objects(changed, "transactions"))
            assert trusted or found == block
            return
        changed = self._changed(entries)
        ours = answers.receipts(block.header, as_objects(changed, "receipts"))
        assert trusted or [r.encode() for r in ours] == [r.encode() for r in receipts]

    def _changed(self, answer: Any) -> Any:
        choice = self._choice
        found = deepcopy(answer)
        parent, key = _place(choice, found)
        kind = choice.randrange(5)
        if kind == 0 and isinstance(parent, dict):
            del parent[key]
        elif kind == 1 and isinstance(parent, list):
            parent[:] = changed_order(choice, parent)
        elif kind == 2 and isinstance(parent[key], str):
            text = parent[key]
            place = choice.randrange(len(text) + 1)
            parent[key] = text[:place] + choice.choice("0f1xgé ") + text[place + 1 :]
        else:
            parent[key] = choice.choice(_ODD)
        return found


def _place(choice: random.Random, root: Any) -> tuple[Any, Any]:
    """Return some container inside `root`, and a key in it."""
    parent, key = root, None
    while True:
        keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        key = choice.choice(keys)
        child = parent[key]
        if not isinstance(child, dict | list) or not child or choice.random() < 0.05:
            return parent, key
        parent = child

"""Random signed transactions: most can be included, some in no block at all."""

from collections.abc import Sequence
from enum import Enum, auto
from random import Random
from typing import Any

from node.config import PRAGUE_BLOBS
from node.evm.rules import rules_at
from node.execution.intrinsic import gas_bounds
from node.genesis.system_contracts import (
    CONSOLIDATION_REQUESTS_ADDRESS,
    WITHDRAWAL_REQUESTS_ADDRESS,
)
from node.types.primitives import ZERO_ADDRESS, Address, Hash32, keccak256
from node.types.rlp_codec import as_list, decode, encode, encode_uint
from node.types.transaction import (
    BLOB,
    MAX_NONCE,
    SECP256K1_N,
    SET_CODE,
    AccessList,
    Authorization,
    Transaction,
    address_of_key,
)
from tests.conformance.oracle.case import CHAIN_ID, CONFIG, DEPOSIT_CONTRACT
from tests.conformance.oracle.random_code import Setting, random_init_code
from tests.conformance.oracle.random_inputs import FAST, SLOW, precompile_input
from tests.node.execution.signing import authorize, sign

KEYS = tuple(keccak256(b"oracle %d" % index) for index in range(5))
ACCOUNTS = tuple(map(address_of_key, KEYS))

_RULES = rules_at(CONFIG, 0)
_FLAWED_SHARE = 0.1


class Flaw(Enum):
    """Why a transaction cannot be included."""

    NONCE = auto()
    PRICE = auto()
    TIP = auto()
    SIGNATURE = auto()
    VALUE = auto()
    BLOBS = auto()
    BLOB_PRICE = auto()
    AUTHORIZATIONS = auto()
    GAS = auto()
    CHAIN_ID = auto()
    SENDER = auto()
    ENCODING = auto()


# The types that can have a flaw, where not all can. A chain id is wrong in type 0 only, because the
# specs do not look at that of the others.
_KINDS: dict[Flaw | None, tuple[int, ...]] = {
    Flaw.TIP: (2, 3, 4),
    Flaw.BLOBS: (3,),
    Flaw.BLOB_PRICE: (3,),
    Flaw.AUTHORIZATIONS: (4,),
    Flaw.CHAIN_ID: (0,),
}


class RandomTransactions:
    """Signs transactions one after the other and keeps count of the nonces that they should use.

    The first of the contracts of `setting` passes on its calldata to a precompile (see
    `random_case.py`). Only the accounts with these numbers, `senders`, can send. `base_fee` is in
    wei; `uses_slow_precompiles` if seconds do not matter.
    """

    def __init__(
        self,
        rng: Random,
        setting: Setting,
        nonces: Sequence[int],
        senders: Sequence[int],
        base_fee: int,
        uses_slow_precompiles: bool,
    ) -> None:
        self._rng = rng
        self._setting = setting
        self._nonces = list(nonces)
        self._senders = senders
        self._base_fee = base_fee
        self._precompiles = SLOW if uses_slow_precompiles else FAST
        self._precompile_share = 0.6 if uses_slow_precompiles else 0.18

    def next(self) -> bytes:
        """Return the next transaction, signed and encoded."""
        rng = self._rng
        flaw = rng.choice(list(Flaw)) if rng.random() < _FLAWED_SHARE else None
        kind = rng.choice(_KINDS.get(flaw, (0, 1, 2, 2, 3, 4, 4)))
        index = rng.choice(self._senders)
        if flaw is Flaw.SENDER:
            others = [number for number in range(len(KEYS)) if number not in self._senders]
            index = rng.choice(others or self._senders)
        unsigned = self._fields(kind, index, flaw)
        limit = self._gas(sign(**unsigned, gas=0), flaw)
        raw = sign(**unsigned, gas=limit).raw
        if flaw is Flaw.ENCODING:
            return self._damaged(raw)
        return raw

    def _fields(self, kind: int, index: int, flaw: Flaw | None) -> dict[str, Any]:
        """Return what `sign` takes, but for the gas."""
        rng = self._rng
        nonce = self._nonces[index]
        if flaw is Flaw.NONCE:
            nonce = rng.choice((nonce + 1, max(nonce, 1) - 1, MAX_NONCE))
        if flaw is None:
            self._nonces[index] += 1
        to, data = self._message(kind)
        cap, tip = self._prices(flaw)
        return {
            "kind": kind,
            "key": KEYS[index],
            "chain_id": self._chain_id(kind, flaw),
            "nonce": min(nonce, MAX_NONCE),
            "tip": tip,
            "cap": cap,
            "to": to,
            "value": 2**200 if flaw is Flaw.VALUE else rng.choice((0, 0, 0, 1, 1000, 10**15)),
            "data": data,
            "access_list": self._access_list() if kind else (),
            "blob_cap": 0 if flaw is Flaw.BLOB_PRICE else 10**9,
            "blob_hashes": self._blob_hashes(flaw),
            "authorizations": self._authorizations(flaw) if kind == SET_CODE else (),
            "high_s": flaw is Flaw.SIGNATURE,
        }

    def _message(self, kind: int) -> tuple[Address | None, bytes]:
        """Return the recipient and the data."""
        rng = self._rng
        if rng.random() < 0.12 and kind not in (BLOB, SET_CODE):
            return None, self._init_code()
        if rng.random() < self._precompile_share:
            number = rng.choice(self._precompiles)
            data = precompile_input(rng, number)
            target = Address(number.to_bytes(20, "big"))
            if rng.random() < 0.3:
                return target, data
            return self._setting.contracts[0], target.rjust(32, b"\x00") + data
        choice = rng.random()
        if choice < 0.08:
            return self._request()
        if choice < 0.12:
            return self._deposit()
        if choice < 0.22:  # where the floor of EIP-7623 counts
            size = rng.choice((100, 1000, 3000))
            return self._setting.any_address(rng), rng.choice((rng.randbytes, bytes))(size)
        if choice < 0.9:
            target = rng.choice((*self._setting.contracts, *self._setting.accounts))
        else:
            target = self._setting.any_address(rng)
        return target, rng.randbytes(rng.choice((0, 0, 1, 4, 32, 68, 100)))

    def _init_code(self) -> bytes:
        """Sometimes as long as it may be (EIP-3860), or a byte longer."""
        if self._rng.random() < 0.05:
            return bytes(self._rng.choice((49_152, 49_153)))
        return random_init_code(self._rng, self._setting, 2)

    def _request(self) -> tuple[Address, bytes]:
        target, size = self._rng.choice(
            ((WITHDRAWAL_REQUESTS_ADDRESS, 56), (CONSOLIDATION_REQUESTS_ADDRESS, 96))
        )
        size += self._rng.choice((0, 0, 0, 1, -1))
        return target, self._rng.choice((self._rng.randbytes(size), b""))

    def _deposit(self) -> tuple[Address, bytes]:
        """An event of the deposit contract, which in a case logs its calldata."""
        rng = self._rng
        data = b"".join(n.to_bytes(32, "big") for n in (160, 256, 320, 384, 512))
        for size in (48, 32, 8, 96, 8):
            padded = (size + 31) // 32 * 32
            data += size.to_bytes(32, "big") + rng.randbytes(size).ljust(padded, b"\x00")
        if rng.random() < 0.03:  # of which the whole block becomes invalid
            at = rng.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        return DEPOSIT_CONTRACT, data

    def _gas(self, tx: Transaction, flaw: Flaw | None) -> int:
        rng = self._rng
        intrinsic, floor = gas_bounds(tx, _RULES)
        least = max(intrinsic, floor)
        if flaw is Flaw.GAS:
            return rng.choice((intrinsic - 1, floor - 1, least - 1, 30_000_001, 2**64 - 1))
        choice = rng.random()
        if choice < 0.04:
            return least
        if choice < 0.25:
            return least + rng.randrange(60_000)
        if choice < 0.98:
            return least + rng.randrange(100_000, 800_000)
        return least + 3_000_000

    def _prices(self, flaw: Flaw | None) -> tuple[int, int]:
        """Return fee cap and priority fee."""
        cap = self._base_fee + self._rng.choice((0, 1, 10**9))
        if flaw is Flaw.PRICE:
            cap = max(self._base_fee - 1, 0)
        if flaw is Flaw.TIP:
            return cap, cap + 1
        return cap, min(cap, self._rng.choice((0, 1, cap)))

    def _chain_id(self, kind: int, flaw: Flaw | None) -> int | None:
        if flaw is Flaw.CHAIN_ID:
            return CHAIN_ID + 1
        return None if kind == 0 and self._rng.random() < 0.3 else CHAIN_ID

    def _access_list(self) -> AccessList:
        rng = self._rng
        if rng.random() < 0.5:
            return ()
        return tuple(
            (
                self._setting.any_address(rng),
                tuple(
                    Hash32(rng.randrange(5).to_bytes(32, "big")) for _ in range(rng.randrange(4))
                ),
            )
            for _ in range(rng.randrange(1, 4))
        )

    def _blob_hashes(self, flaw: Flaw | None) -> tuple[bytes, ...]:
        rng = self._rng
        count, version = rng.choice((1, 1, 2, 3)), 1
        if flaw is Flaw.BLOBS:
            count, version = rng.choice(((0, 1), (PRAGUE_BLOBS.maximum + 1, 1), (2, 0), (1, 2)))
        return tuple(bytes([version]) + rng.randbytes(31) for _ in range(count))

    def _authorizations(self, flaw: Flaw | None) -> tuple[Authorization, ...]:
        if flaw is Flaw.AUTHORIZATIONS:
            return ()
        return tuple(self._authorization(flaw) for _ in range(self._rng.randrange(1, 4)))

    def _authorization(self, flaw: Flaw | None) -> Authorization:
        """Return an authorization; the one that sends has its nonce counted already."""
        rng = self._rng
        index = rng.randrange(len(KEYS))
        nonce = min(self._nonces[index], MAX_NONCE)
        chain_id = rng.choice((CHAIN_ID, CHAIN_ID, 0))
        target = rng.choice(
            (
                rng.choice(self._setting.contracts),
                ACCOUNTS[index],
                self._setting.any_address(rng),
                ZERO_ADDRESS,
            )
        )
        choice = rng.randrange(16)
        if choice == 0:
            nonce = rng.choice((min(nonce + 1, MAX_NONCE), 0, MAX_NONCE))
        elif choice == 1:
            chain_id = CHAIN_ID + 1
        elif choice > 2 and flaw is None:
            self._nonces[index] += 1
        good = authorize(KEYS[index], target, chain_id=chain_id, nonce=nonce)
        return self._damaged_authorization(good) if choice == 2 else good

    def _damaged_authorization(self, good: Authorization) -> Authorization:
        rng = self._rng
        y_parity, r, s = rng.choice(
            (
                (1 - good.y_parity, good.r, SECP256K1_N - good.s),
                (rng.choice((2, 27, 255)), good.r, good.s),
                (good.y_parity, rng.choice((0, 5, SECP256K1_N, 2**256 - 1)), good.s),
                (good.y_parity, good.r, rng.choice((0, SECP256K1_N, 2**256 - 1))),
            )
        )
        return Authorization(good.chain_id, good.address, good.nonce, y_parity, r, s)

    def _damaged(self, raw: bytes) -> bytes:
        """Return an encoding with one field that must not be as it is."""
        rng = self._rng
        prefix = b"" if raw[0] >= 0xC0 else raw[:1]
        fields = list(as_list(decode(raw[len(prefix) :], 5), "transaction"))
        choice = rng.randrange(6)
        if choice == 0:
            fields[-3] = encode_uint(rng.choice((2, 26, 29, 34, 255, 2**70)))
        elif choice == 1:
            fields[-rng.choice((1, 2))] = encode_uint(rng.choice((0, SECP256K1_N, 2**256 - 1)))
        elif choice == 2:
            fields[0] = b"\x00" + encode_uint(1)
        elif choice == 3:
            fields.append(b"")
        elif choice == 4:
            prefix = bytes([rng.choice((0, 5, 0x7E))])
        else:
            return prefix + encode(fields)[:-1]
        return prefix + encode(fields)

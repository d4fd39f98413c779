"""Transactions that are signed well and say anything: what a batch may hold and no pool takes."""

import random
from collections.abc import Sequence

from coincurve import PrivateKey

from node.types.primitives import keccak256
from node.types.rlp_codec import RlpItem, encode, encode_uint

_ENDLESS = bytes.fromhex("5b600056")  # JUMPDEST PUSH1 0 JUMP
_AMOUNTS = (0, 1, 10**9, 10**10, 10**18, 2**128, 2**256 - 1)
_GASES = (0, 20_999, 21_000, 60_000, 1_000_000, 30_000_000, 2**64 - 1)


def odd_transaction(choice: random.Random, key: bytes, nonce: int, chain_id: int) -> bytes:
    """Return a transaction of any type; one in a few can be executed."""
    kind = choice.choice((0, 0, 1, 2, 2, 2, 3, 4, 4))
    if choice.random() < 0.1:
        chain_id = choice.choice((0, 1, 2**64))
    to = choice.choice((b"", choice.randbytes(20), bytes(19) + choice.randbytes(1), b"\x01" * 19))
    nonce = max(0, nonce + choice.choice((0, 0, 0, 0, -1, 1, 2**40)))
    price = choice.choice((10**10, 10**10, *_AMOUNTS))
    gas = encode_uint(choice.choice((100_000, 100_000, *_GASES)))
    value = encode_uint(choice.choice((0, 1, *_AMOUNTS)))
    data = choice.choice((b"", _ENDLESS, choice.randbytes(40), bytes(1000)))
    tail: list[RlpItem] = [gas, to, value, data]
    prices: list[RlpItem] = [encode_uint(price)]
    if kind >= 2:
        prices.insert(0, encode_uint(choice.choice((0, 1, price, price + 1))))
    if kind >= 1:
        tail.append(_access_list(choice))
    if kind == 3:
        tail += [b"\x01", [b"\x01" + choice.randbytes(31)] * choice.randrange(3)]
    if kind == 4:
        tail.append([_authorization(choice, chain_id) for _ in range(choice.randrange(3))])
    fields = [encode_uint(nonce), *prices, *tail]
    return _signed(kind, fields, key, chain_id)


def _signed(kind: int, fields: Sequence[RlpItem], key: bytes, chain_id: int) -> bytes:
    if kind == 0:
        body = [*fields, encode_uint(chain_id), b"", b""]
        v, r, s = _signature(key, encode(body))
        return encode([*fields, encode_uint(v + 35 + 2 * chain_id), r, s])
    head, body = bytes([kind]), [encode_uint(chain_id), *fields]
    v, r, s = _signature(key, head + encode(body))
    return head + encode([*body, encode_uint(v), r, s])


def _signature(key: bytes, message: bytes) -> tuple[int, bytes, bytes]:
    signature = PrivateKey(key).sign_recoverable(keccak256(message), hasher=None)
    return signature[64], signature[:32].lstrip(b"\0"), signature[32:64].lstrip(b"\0")


def _access_list(choice: random.Random) -> list[RlpItem]:
    return [
        [choice.randbytes(20), [choice.randbytes(32)] * choice.randrange(3)]
        for _ in range(choice.randrange(2))
    ]


def _authorization(choice: random.Random, chain_id: int) -> list[RlpItem]:
    address: RlpItem = choice.randbytes(20)
    return [
        encode_uint(choice.choice((0, chain_id))),
        address,
        encode_uint(choice.choice((0, 1, 2**64 - 1))),
        encode_uint(choice.randrange(3)),
        encode_uint(choice.getrandbits(256)),
        encode_uint(choice.getrandbits(255)),
    ]

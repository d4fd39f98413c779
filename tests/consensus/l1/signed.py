"""One signed transaction of each kind that L1 knows."""

from coincurve import PrivateKey

from node.types.primitives import Address, Hash32, keccak256
from node.types.rlp_codec import RlpItem, encode, encode_uint
from node.types.transaction import Transaction, decode_signed_transaction

_KEY = keccak256(b"signer of samples")
_TO = Address(b"\x99" * 20)
_ACCESS: list[RlpItem] = [[_TO, [bytes(32), b"\x01" * 32]], [Address(bytes(20)), []]]


def _signature(message: bytes) -> tuple[int, int, int]:
    raw = PrivateKey(_KEY).sign_recoverable(keccak256(message), hasher=None)
    return raw[64], int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big")


def _typed(kind: int, fields: list[RlpItem]) -> Transaction:
    signature = _signature(bytes([kind]) + encode(fields))
    return decode_signed_transaction(
        bytes([kind]) + encode([*fields, *map(encode_uint, signature)])
    )


def _legacy(*, protected: bool) -> Transaction:
    fields: list[RlpItem] = [*map(encode_uint, (3, 10**9, 50_000)), b"", encode_uint(5), b"\x60"]
    replay: list[RlpItem] = [encode_uint(900), b"", b""] if protected else []
    parity, r, s = _signature(encode([*fields, *replay]))
    v = parity + (35 + 2 * 900 if protected else 27)
    return decode_signed_transaction(encode([*fields, *map(encode_uint, (v, r, s))]))


def _authorization() -> RlpItem:
    fields: list[RlpItem] = [encode_uint(900), _TO, encode_uint(0)]
    signature = _signature(b"\x05" + encode(fields))
    return [*fields, *map(encode_uint, signature)]


def _call(*numbers: int) -> list[RlpItem]:
    return [*map(encode_uint, numbers), _TO, b"", b"\x01\x02\x00", _ACCESS]


ALL_KINDS: tuple[Transaction, ...] = (
    _legacy(protected=True),
    _legacy(protected=False),
    _typed(1, _call(900, 0, 10**9, 30_000)),
    _typed(2, _call(900, 300, 1, 10**9, 30_000)),
    _typed(3, [*_call(900, 4, 1, 10**9, 30_000), encode_uint(1), [Hash32(b"\x01" + bytes(31))]]),
    _typed(4, [*_call(900, 5, 1, 10**9, 90_000), [_authorization()]]),
)

"""The proof of one receipt, as a value and as proof.json.

proof.json has exactly one form: its keys in this order, lower-case hexadecimal, no white space. So
whoever changes a byte of it has either another proof or none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from node.errors import DecodingError
from node.types.primitives import UINT64_MAX, Address, Hash32

VERSION = 1
_MAX_NODES = 64
_MAX_HEADERS = 1024


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """That one block knew the hash of an earlier one: EIP-1186 proofs under its state root.

    `account_proof` is that of the history contract (EIP-2935), `storage_proof` that of the slot.
    """

    account_proof: tuple[bytes, ...]
    storage_proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """All that a stranger needs besides an L1 to check one receipt.

    `record` is its encoding, number `seq` of `stream`; `batch_path` leads to the batch root in log
    `log_index` of the receipt of transaction `transaction_index`, which `receipt_proof` shows.
    `headers` are encodings, from the receipt's block to the one of output `output_index`;
    `history[i]` shows the hash of `headers[i]` in the state of `headers[i + 1]`.
    """

    l1_chain_id: int
    l2_output_oracle: Address
    output_index: int
    logger: Address
    stream: int
    seq: int
    record: bytes
    batch_path: tuple[Hash32, ...]
    log_index: int
    transaction_index: int
    receipt_proof: tuple[bytes, ...]
    headers: tuple[bytes, ...]
    history: tuple[HistoryStep, ...]


def proof_to_json(proof: ReceiptProof) -> dict[str, Any]:
    """Return the object whose text is proof.json."""
    return {
        "version": VERSION,
        "l1ChainId": hex(proof.l1_chain_id),
        "l2OutputOracle": _hex(proof.l2_output_oracle),
        "outputIndex": hex(proof.output_index),
        "logger": _hex(proof.logger),
        "stream": hex(proof.stream),
        "seq": hex(proof.seq),
        "record": _hex(proof.record),
        "batchPath": [_hex(sibling) for sibling in proof.batch_path],
        "logIndex": hex(proof.log_index),
        "transactionIndex": hex(proof.transaction_index),
        "receiptProof": [_hex(node) for node in proof.receipt_proof],
        "headers": [_hex(header) for header in proof.headers],
        "history": [
            {
                "accountProof": [_hex(node) for node in step.account_proof],
                "storageProof": [_hex(node) for node in step.storage_proof],
            }
            for step in proof.history
        ],
    }


def encode_proof(proof: ReceiptProof) -> bytes:
    """Return proof.json's bytes."""
    return orjson.dumps(proof_to_json(proof))


def decode_proof(raw: bytes) -> ReceiptProof:
    """Read proof.json's bytes; DecodingError for anything but the one form of a proof."""
    try:
        fields = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise DecodingError(f"proof: expected JSON: {error}") from error
    proof = parse_proof(fields)
    if encode_proof(proof) != raw:
        raise DecodingError(
            "proof: expected the canonical form (keys in order, lower-case hexadecimal, no spaces)"
        )
    return proof


def parse_proof(fields: object) -> ReceiptProof:
    """Read a decoded proof; DecodingError names the field that is missing, unknown or wrong."""
    values = _object(fields, "proof", _FIELDS)
    if values["version"] != VERSION or isinstance(values["version"], bool):
        raise DecodingError(f"version: expected {VERSION}, got {values['version']!r:.80}")
    return ReceiptProof(
        l1_chain_id=_quantity(values, "l1ChainId"),
        l2_output_oracle=Address(_bytes(values["l2OutputOracle"], "l2OutputOracle", 20)),
        output_index=_quantity(values, "outputIndex"),
        logger=Address(_bytes(values["logger"], "logger", 20)),
        stream=_quantity(values, "stream"),
        seq=_quantity(values, "seq"),
        record=_bytes(values["record"], "record"),
        batch_path=tuple(map(Hash32, _list(values["batchPath"], "batchPath", _MAX_NODES, 32))),
        log_index=_quantity(values, "logIndex"),
        transaction_index=_quantity(values, "transactionIndex"),
        receipt_proof=_list(values["receiptProof"], "receiptProof", _MAX_NODES),
        headers=_list(values["headers"], "headers", _MAX_HEADERS),
        history=_history(values["history"]),
    )


_FIELDS = (
    "version",
    "l1ChainId",
    "l2OutputOracle",
    "outputIndex",
    "logger",
    "stream",
    "seq",
    "record",
    "batchPath",
    "logIndex",
    "transactionIndex",
    "receiptProof",
    "headers",
    "history",
)


def _history(raw: object) -> tuple[HistoryStep, ...]:
    if not isinstance(raw, list) or len(raw) > _MAX_HEADERS:
        raise DecodingError(f"history: expected a list of at most {_MAX_HEADERS}, got {raw!r:.80}")
    steps = []
    for index, entry in enumerate(raw):
        name = f"history[{index}]"
        step = _object(entry, name, ("accountProof", "storageProof"))
        steps.append(
            HistoryStep(
                *(
                    _list(step[key], f"{name}.{key}", _MAX_NODES)
                    for key in ("accountProof", "storageProof")
                )
            )
        )
    return tuple(steps)


def _object(raw: object, name: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise DecodingError(f"{name}: expected an object, got {raw!r:.80}")
    for key in keys:
        if key not in raw:
            raise DecodingError(f"{name}: {key} is missing")
    for key in raw:
        if key not in keys:
            raise DecodingError(f"{name}: {key!r:.40} is no field of a proof")
    return raw


def _quantity(values: Mapping[str, Any], name: str) -> int:
    raw = values[name]
    try:
        value = int(raw, 16) if isinstance(raw, str) and raw.startswith("0x") else -1
    except ValueError:
        value = -1
    if not 0 <= value <= UINT64_MAX or raw != hex(value):
        raise DecodingError(f"{name}: expected 64 bits of hexadecimal with 0x, got {raw!r:.80}")
    return value


def _list(raw: object, name: str, maximum: int, size: int | None = None) -> tuple[bytes, ...]:
    if not isinstance(raw, list) or len(raw) > maximum:
        raise DecodingError(f"{name}: expected a list of at most {maximum}, got {raw!r:.80}")
    return tuple(_bytes(entry, f"{name}[{index}]", size) for index, entry in enumerate(raw))


def _bytes(raw: object, name: str, size: int | None = None) -> bytes:
    wanted = "bytes" if size is None else f"{size} bytes"
    try:
        value = bytes.fromhex(raw[2:]) if isinstance(raw, str) and raw[:2] == "0x" else None
    except ValueError:
        value = None
    if value is None or _hex(value) != raw or (size is not None and len(value) != size):
        raise DecodingError(f"{name}: expected {wanted} of lower-case hexadecimal, got {raw!r:.80}")
    return value


def _hex(data: bytes) -> str:
    return "0x" + data.hex()

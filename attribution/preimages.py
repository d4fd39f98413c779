"""What a receipt commits to, and the file in which the parties keep it.

The chain has only the commitment. Whoever has the preimage can show what an answer was about, and
recompute how it was attributed; without it the commitment tells nothing. A file is a JSON array of
objects, one for each receipt; a single object is a file of one.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from attribution.records import Method, commitment
from node.errors import ConfigError, InvalidInput
from node.json_file import read_json, write_json
from node.types.primitives import ZERO_HASH, Hash32, keccak256

_NAMES = {
    "salt": "salt",
    "model_hash": "modelHash",
    "request_hash": "requestHash",
    "response_hash": "responseHash",
    "prompt_tokens": "promptTokens",
    "completion_tokens": "completionTokens",
    "method": "method",
    "evidence_root": "evidenceRoot",
}


@dataclass(frozen=True, slots=True)
class Preimage:
    """What one answer was about. Hashes are Keccak-256; `method` is how its weights were found.

    The salt is random and as secret as the texts: without it, short ones could be guessed.

    >>> answer = Preimage.of(bytes(32), "How many?", "Three.", prompt_tokens=3, completion_tokens=2)
    >>> len(answer.commitment)
    32
    >>> parse_preimage(preimage_to_json(answer)) == answer
    True
    """

    salt: Hash32
    model_hash: Hash32
    request_hash: Hash32
    response_hash: Hash32
    prompt_tokens: int
    completion_tokens: int
    method: Method
    evidence_root: Hash32

    @classmethod
    def of(
        cls,
        model_hash: bytes,
        request: str,
        response: str,
        *,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        method: Method = Method.STATIC,
        evidence_root: bytes = ZERO_HASH,
    ) -> Self:
        """Return the preimage of an answer, with a fresh salt; texts are hashed as UTF-8."""
        return cls(
            salt=Hash32(secrets.token_bytes(32)),
            model_hash=Hash32(model_hash),
            request_hash=keccak256(request.encode()),
            response_hash=keccak256(response.encode()),
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            method=method,
            evidence_root=Hash32(evidence_root),
        )

    @property
    def commitment(self) -> Hash32:
        """What the receipt says of it; InvalidInput if a field is out of its range."""
        return commitment(**{field.name: getattr(self, field.name) for field in fields(self)})


def preimage_to_json(preimage: Preimage) -> dict[str, Any]:
    """Return the object that a file has for it."""
    content: dict[str, Any] = {}
    for name, key in _NAMES.items():
        value = getattr(preimage, name)
        content[key] = "0x" + value.hex() if isinstance(value, bytes) else value
    return content | {"method": preimage.method.name.lower()}


def parse_preimage(content: object) -> Preimage:
    """Read such an object; InvalidInput names the field that is missing, unknown or wrong."""
    if not isinstance(content, dict):
        raise InvalidInput(f"preimage: expected an object, got {content!r:.80}")
    for key in content:
        if key not in _NAMES.values():
            raise InvalidInput(f"preimage: {key!r:.40} is no field of one")
    values = {name: _field(name, key, content.get(key)) for name, key in _NAMES.items()}
    preimage = Preimage(**values)
    _ = preimage.commitment  # checks the ranges
    return preimage


def write_preimages(path: Path, preimages: Iterable[Preimage]) -> None:
    """Write a file; OSError if that cannot be done."""
    write_json(path, [preimage_to_json(preimage) for preimage in preimages])


def read_preimages(path: Path) -> tuple[Preimage, ...]:
    """Read a file; ConfigError, which names it, if it is none."""
    content = read_json(path)
    entries = content if isinstance(content, list) else [content]
    try:
        return tuple(map(parse_preimage, entries))
    except InvalidInput as error:
        raise ConfigError(f"{path}: {error}") from error


def _field(name: str, key: str, raw: object) -> Any:
    if raw is None:
        raise InvalidInput(f"preimage: {key} is missing")
    if name == "method":
        names = {method.name.lower(): method for method in Method}
        if not isinstance(raw, str) or raw not in names:
            raise InvalidInput(f"{key}: expected {', '.join(names)}, got {raw!r:.80}")
        return names[raw]
    if name.endswith("_tokens"):
        if type(raw) is not int:
            raise InvalidInput(f"{key}: expected a whole number, got {raw!r:.80}")
        return raw
    try:
        value = bytes.fromhex(raw[2:]) if isinstance(raw, str) and raw[:2] == "0x" else None
    except ValueError:
        value = None
    if value is None or len(value) != 32:
        raise InvalidInput(f"{key}: expected 32 bytes of hexadecimal with 0x, got {raw!r:.80}")
    return Hash32(value)

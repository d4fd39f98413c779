"""What a record commits to, as whoever holds it keeps it in a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attribution.proof_check import ProofError
from attribution.records import Method, Record, commitment
from node.errors import ConfigError
from node.json_file import read_json
from node.types.primitives import UINT64_MAX, Hash32, hex_hash

_HASHES = ("salt", "modelHash", "requestHash", "responseHash", "evidenceRoot")
_COUNTS = ("promptTokens", "completionTokens")


@dataclass(frozen=True, slots=True)
class Preimage:
    """The fields of a commitment; see `attribution.records.commitment`."""

    salt: Hash32
    model_hash: Hash32
    request_hash: Hash32
    response_hash: Hash32
    prompt_tokens: int
    completion_tokens: int
    method: Method
    evidence_root: Hash32

    def check(self, record: Record) -> None:
        """Refuse a record that commits to something else (ProofError)."""
        own = commitment(
            salt=self.salt,
            model_hash=self.model_hash,
            request_hash=self.request_hash,
            response_hash=self.response_hash,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            method=self.method,
            evidence_root=self.evidence_root,
        )
        if own != record.commitment:
            raise ProofError(
                f"--preimage: it gives the commitment 0x{own.hex()}, the receipt has "
                f"0x{record.commitment.hex()}"
            )

    def to_json(self) -> dict[str, Any]:
        """Return it as `read_preimage` reads it."""
        return {
            "salt": "0x" + self.salt.hex(),
            "modelHash": "0x" + self.model_hash.hex(),
            "requestHash": "0x" + self.request_hash.hex(),
            "responseHash": "0x" + self.response_hash.hex(),
            "promptTokens": self.prompt_tokens,
            "completionTokens": self.completion_tokens,
            "method": self.method.name.lower(),
            "evidenceRoot": "0x" + self.evidence_root.hex(),
        }

    def lines(self) -> list[str]:
        """Return what is printed of it."""
        return [
            "             is that of the preimage:",
            f"             model 0x{self.model_hash.hex()}",
            f"             request 0x{self.request_hash.hex()} ({self.prompt_tokens} tokens)",
            f"             response 0x{self.response_hash.hex()} ({self.completion_tokens} tokens)",
            f"             weights by {self.method.name.lower()}, evidence "
            f"0x{self.evidence_root.hex()}",
        ]


def read_preimage(path: Path) -> Preimage:
    """Read a preimage; ConfigError names the file and the field that is wrong."""
    raw = read_json(path)
    names = (*_HASHES, *_COUNTS, "method")
    if not isinstance(raw, dict) or set(raw) != set(names):
        raise ConfigError(f"{path}: expected an object with {', '.join(names)} and nothing else")
    salt, model, request, response, evidence = (_hash(path, name, raw[name]) for name in _HASHES)
    prompt, completion = (_count(path, name, raw[name]) for name in _COUNTS)
    method = _method(path, raw["method"])
    return Preimage(salt, model, request, response, prompt, completion, method, evidence)


def _hash(path: Path, name: str, raw: object) -> Hash32:
    try:
        return hex_hash(str(raw))
    except ValueError as error:
        raise ConfigError(f"{path}: {name}: expected 32 bytes with 0x, got {raw!r:.80}") from error


def _count(path: Path, name: str, raw: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or not 0 <= raw <= UINT64_MAX:
        raise ConfigError(f"{path}: {name}: expected a number of 64 bits, got {raw!r:.80}")
    return raw


def _method(path: Path, raw: object) -> Method:
    for method in Method:
        if raw == method.name.lower():
            return method
    names = ", ".join(method.name.lower() for method in Method)
    raise ConfigError(f"{path}: method: expected one of {names}, got {raw!r:.80}")

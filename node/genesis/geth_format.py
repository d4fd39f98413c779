"""genesis.json as geth and op-geth read and write it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from node.config import parse_chain_config
from node.errors import ConfigError
from node.genesis.genesis import DEFAULT_BASE_FEE, Genesis, GenesisAccount
from node.genesis.predeploys import RECEIPT_ACCOUNT_CODE
from node.json_file import read_json
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import UINT64_MAX, UINT256_MAX, Address, Hash32, hex_address

_FIELDS = frozenset(
    {
        "config",
        "nonce",
        "timestamp",
        "extraData",
        "gasLimit",
        "difficulty",
        "mixHash",
        "coinbase",
        "alloc",
        "number",
        "gasUsed",
        "parentHash",
        "baseFeePerGas",
        "excessBlobGas",
        "blobGasUsed",
    }
)
_ACCOUNT_FIELDS = frozenset({"balance", "nonce", "code", "storage"})


def read_genesis(path: Path) -> Genesis:
    """Read a genesis file; ConfigError names the file and the field that is wrong."""
    raw = read_json(path)
    try:
        return parse_genesis(raw)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse_genesis(raw: object) -> Genesis:
    """Check a decoded genesis file; ConfigError names the field that is missing or wrong."""
    fields = _object(raw, "genesis")
    _refuse_unknown(fields, _FIELDS, "")
    for name in ("config", "gasLimit", "difficulty", "alloc"):
        if fields.get(name) is None:
            raise ConfigError(f"{name}: expected a value, it is missing")
    raw_config = _object(fields["config"], "config")
    config = parse_chain_config(raw_config)
    if (number := _quantity(fields, "number")) != 0:
        raise ConfigError(f"number: expected 0 for the first block of a chain, got {number}")
    gas_limit = _quantity(fields, "gasLimit", maximum=UINT64_MAX)
    if gas_limit == 0:
        raise ConfigError("gasLimit: expected a positive number, got 0")
    alloc = _parse_alloc(fields["alloc"])
    if config.attribution is not None:
        _check_receipt_account(alloc)
    return Genesis(
        config=config,
        raw_config=raw_config,
        timestamp=_quantity(fields, "timestamp", maximum=UINT64_MAX),
        gas_limit=gas_limit,
        alloc=alloc,
        extra_data=_bytes(fields, "extraData"),
        base_fee=_quantity(fields, "baseFeePerGas", default=DEFAULT_BASE_FEE),
        coinbase=Address(_bytes(fields, "coinbase", size=20)),
        prev_randao=Hash32(_bytes(fields, "mixHash", size=32)),
        difficulty=_quantity(fields, "difficulty"),
        nonce=_quantity(fields, "nonce", maximum=UINT64_MAX).to_bytes(8, "big"),
        gas_used=_quantity(fields, "gasUsed", maximum=UINT64_MAX),
        blob_gas_used=_quantity(fields, "blobGasUsed", maximum=UINT64_MAX),
        excess_blob_gas=_quantity(fields, "excessBlobGas", maximum=UINT64_MAX),
        parent_hash=Hash32(_bytes(fields, "parentHash", size=32)),
    )


def _check_receipt_account(alloc: Mapping[Address, GenesisAccount]) -> None:
    """Receipts are that account's storage; an empty one would be deleted with it (EIP-161)."""
    account = alloc.get(ATTRIBUTION_ADDRESS)
    if account is None or (account.nonce, account.code) != (1, RECEIPT_ACCOUNT_CODE):
        raise ConfigError(
            f"config.attributionTime: expected 0x{ATTRIBUTION_ADDRESS.hex()} in alloc, with nonce "
            f"1 and code 0x{RECEIPT_ACCOUNT_CODE.hex()}: its storage holds the receipts"
        )


def genesis_to_json(genesis: Genesis) -> dict[str, Any]:
    """Return the object that `parse_genesis` reads back as an equal genesis."""
    return {
        "config": dict(genesis.raw_config),
        "nonce": hex(int.from_bytes(genesis.nonce, "big")),
        "timestamp": hex(genesis.timestamp),
        "extraData": _hex(genesis.extra_data),
        "gasLimit": hex(genesis.gas_limit),
        "difficulty": hex(genesis.difficulty),
        "mixHash": _hex(genesis.prev_randao),
        "coinbase": _hex(genesis.coinbase),
        "alloc": {
            address.hex(): _account_to_json(account)
            for address, account in sorted(genesis.alloc.items())
        },
        "number": "0x0",
        "gasUsed": hex(genesis.gas_used),
        "parentHash": _hex(genesis.parent_hash),
        "baseFeePerGas": hex(genesis.base_fee),
        "excessBlobGas": hex(genesis.excess_blob_gas),
        "blobGasUsed": hex(genesis.blob_gas_used),
    }


def _account_to_json(account: GenesisAccount) -> dict[str, Any]:
    fields: dict[str, Any] = {"balance": hex(account.balance)}
    if account.nonce:
        fields["nonce"] = hex(account.nonce)
    if account.code:
        fields["code"] = _hex(account.code)
    if account.storage:
        fields["storage"] = {
            _hex(slot.to_bytes(32, "big")): _hex(value.to_bytes(32, "big"))
            for slot, value in sorted(account.storage.items())
        }
    return fields


def _parse_alloc(raw: object) -> dict[Address, GenesisAccount]:
    alloc: dict[Address, GenesisAccount] = {}
    for key, value in _object(raw, "alloc").items():
        name = f"alloc.{key}"
        try:
            address = hex_address(key)
        except ValueError as error:
            raise ConfigError(f"{name}: expected an address as the key") from error
        if address in alloc:
            raise ConfigError(f"{name}: the same address comes twice")
        alloc[address] = _parse_account(_object(value, name), name)
    return alloc


def _parse_account(fields: Mapping[str, Any], name: str) -> GenesisAccount:
    _refuse_unknown(fields, _ACCOUNT_FIELDS, f"{name}.")
    if fields.get("balance") is None:
        raise ConfigError(f"{name}.balance: expected a value, it is missing")
    prefix = f"{name}."
    storage: dict[int, int] = {}
    for key, value in _object(fields.get("storage") or {}, f"{name}.storage").items():
        place = f"{name}.storage.{key}"
        slot = _word(key, place)
        if slot in storage:
            raise ConfigError(f"{place}: the same slot comes twice")
        storage[slot] = _word(value, place)
    return GenesisAccount(
        balance=_quantity(fields, "balance", prefix=prefix),
        nonce=_quantity(fields, "nonce", prefix=prefix, maximum=UINT64_MAX),
        code=_bytes(fields, "code", prefix=prefix),
        storage=storage,
    )


def _object(raw: object, name: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{name}: expected an object, got {raw!r:.80}")
    return raw


def _refuse_unknown(fields: Mapping[str, Any], known: frozenset[str], prefix: str) -> None:
    # A field that is skipped in silence (a misspelt one, op-geth's stateHash) changes the chain.
    for name in fields:
        if name not in known and fields[name] is not None:
            raise ConfigError(f"{prefix}{name}: unknown field")


def _quantity(
    fields: Mapping[str, Any],
    name: str,
    *,
    default: int = 0,
    maximum: int = UINT256_MAX,
    prefix: str = "",
) -> int:
    raw = fields.get(name)
    value = default if raw is None else _integer(raw)
    if value is None or not 0 <= value <= maximum:
        raise ConfigError(
            f"{prefix}{name}: expected a number (hexadecimal with 0x, or decimal) "
            f"of at most {maximum.bit_length()} bits, got {raw!r:.80}"
        )
    return value


def _integer(raw: object) -> int | None:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if not isinstance(raw, str) or len(raw) > 80:
        return None
    digits, base = (raw[2:], 16) if raw[:2] in ("0x", "0X") else (raw, 10)
    if not digits.isascii() or not digits.isalnum():
        # geth reads an empty string and a bare 0x as zero.
        return 0 if digits == "" else None
    try:
        return int(digits, base)
    except ValueError:
        return None


def _bytes(
    fields: Mapping[str, Any], name: str, *, size: int | None = None, prefix: str = ""
) -> bytes:
    raw = fields.get(name)
    if raw is None:
        return bytes(size or 0)
    wanted = "bytes" if size is None else f"{size} bytes"
    data = _hex_bytes(raw)
    if data is None or (size is not None and len(data) != size):
        raise ConfigError(
            f"{prefix}{name}: expected {wanted} of hexadecimal with 0x, got {raw!r:.80}"
        )
    return data


def _word(raw: object, name: str) -> int:
    # Short forms are padded on the left, as geth does for storage.
    digits = raw.removeprefix("0x") if isinstance(raw, str) else ""
    data = _hex_bytes("0x" + digits.rjust(len(digits) + len(digits) % 2, "0"))
    if not isinstance(raw, str) or data is None or len(data) > 32:
        raise ConfigError(f"{name}: expected at most 32 bytes of hexadecimal, got {raw!r:.80}")
    return int.from_bytes(data, "big")


def _hex_bytes(raw: object) -> bytes | None:
    if not isinstance(raw, str) or not raw.startswith("0x") or not raw.isalnum():
        return None
    try:
        return bytes.fromhex(raw[2:])
    except ValueError:
        return None


def _hex(data: bytes) -> str:
    return "0x" + data.hex()

import json
from dataclasses import replace
from pathlib import Path

import pytest

from consensus.deploy import L1Addresses, L1Contracts, addresses_to_json, read_addresses
from node.errors import ConfigError
from node.types.primitives import Address

ADDRESSES = L1Addresses(
    L1Contracts(*(Address(bytes([n]) * 20) for n in range(1, 7))),
    *(Address(bytes([n]) * 20) for n in range(7, 11)),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "addresses.json"
    path.write_text(json.dumps(addresses_to_json(ADDRESSES)))
    assert read_addresses(path) == ADDRESSES
    contracts = replace(ADDRESSES.contracts, attribution_verifier=Address(b"\x20" * 20))
    with_attribution = replace(ADDRESSES, contracts=contracts)
    path.write_text(json.dumps(addresses_to_json(with_attribution)))
    assert "attributionVerifier" in path.read_text()
    assert read_addresses(path) == with_attribution


def test_files_of_older_versions_are_refused_with_what_to_do(tmp_path: Path) -> None:
    path, content = tmp_path / "addresses.json", addresses_to_json(ADDRESSES)
    del content["l2OutputOracle"]
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=r"l2OutputOracle: it is missing: an older version"):
        read_addresses(path)


@pytest.mark.parametrize("content", ["[]", "5", '{"openToken": 5}', '{"openToken": "0x12"}'])
def test_no_addresses(tmp_path: Path, content: str) -> None:
    path = tmp_path / "addresses.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=f"^{path}: openToken: expected an address"):
        read_addresses(path)

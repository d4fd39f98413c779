import json
from dataclasses import replace
from pathlib import Path

import pytest

from consensus.deploy.record import (
    DeploymentRecord,
    RollupStart,
    exclusive,
    find_record,
    write_record,
)
from consensus.deploy.settings import settings_to_json
from node.errors import ConfigError
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32
from tests.consensus.deploy.scene import DEPLOYER, SETTINGS

START = RollupStart(BlockRef(Hash32(b"\x01" * 32), BlockNumber(5)), 1_700_000_000)
RECORD = DeploymentRecord(900, Hash32(b"\x02" * 32), DEPLOYER, 3, settings_to_json(SETTINGS))


@pytest.mark.parametrize("starts", [(), (START,), (START, replace(START, timestamp=1))])
def test_what_is_written_is_read(tmp_path: Path, starts: tuple[RollupStart, ...]) -> None:
    record, path = replace(RECORD, starts=starts), tmp_path / "new" / "deployment.json"
    assert find_record(path) is None
    write_record(path, record)
    assert find_record(path) == record


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"l1ChainId": "900"}, "l1ChainId: expected an integer"),
        ({"l1Genesis": "0x12"}, "l1Genesis: expected 0x and 32 bytes"),
        ({"deployer": None}, "deployer: expected a value"),
        ({"settings": []}, "expected an object of settings"),
        ({"starts": {}}, "expected an object of settings and a list of starts"),
        ({"starts": [5]}, "starts: expected an object"),
        ({"starts": [{"hash": "0x"}]}, "starts.hash: expected 0x and 32 bytes"),
        ({"extra": 1}, "extra: unknown field"),
    ],
)
def test_a_broken_record_is_named(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    path = tmp_path / "deployment.json"
    write_record(path, RECORD)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changed}))
    with pytest.raises(ConfigError, match=f"^{path}: {said}"):
        find_record(path)


def test_one_deployment_at_a_time_in_a_folder(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path),
        pytest.raises(ConfigError, match="another process deploys with this folder"),
        exclusive(tmp_path),
    ):
        raise AssertionError("two at once")
    with exclusive(tmp_path):
        pass

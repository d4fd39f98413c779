from pathlib import Path

import pytest

from node.errors import ConfigError
from openrollup.datadir import DevPaths, check_writable, read_key

KEY = bytes(range(32))


def test_every_store_of_a_dev_network_has_its_folder(tmp_path: Path) -> None:
    paths = DevPaths(tmp_path)
    assert (paths.l1, paths.l2, paths.verifier) == (
        tmp_path / "l1",
        tmp_path / "l2",
        tmp_path / "verifier",
    )


def test_without_a_folder_every_store_is_in_memory() -> None:
    paths = DevPaths(None)
    assert (paths.l1, paths.l2, paths.verifier) == (None, None, None)


@pytest.mark.parametrize("text", [KEY.hex(), "0x" + KEY.hex(), f"\n 0x{KEY.hex().upper()} \n"])
def test_key(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    assert read_key(tmp_path / "key") == KEY


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"0x",
        b"12" * 31,
        b"12" * 33,
        b"zz" * 32,
        b"00" * 32,
        b"ff" * 32,
        b"\xff\xfe" * 20,
        b"test test test test junk",
    ],
    ids=range(9),
)
def test_a_bad_key_is_refused_and_never_shown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_key(path)
    assert str(caught.value) == f"{path}: expected a private key of 64 hexadecimal digits"
    assert caught.value.__cause__ is None


def test_a_key_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such key file"):
        read_key(tmp_path / "absent")
    with pytest.raises(ConfigError, match="the key file cannot be read: Is a directory"):
        read_key(tmp_path)


def test_a_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    for _ in range(2):
        check_writable(folder)
        assert list(folder.iterdir()) == []


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match="file"):
            check_writable(folder)

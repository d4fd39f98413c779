"""Networks that several tests use, one after the other."""

import tempfile
from pathlib import Path

import pytest

from openrollup.testing import DevnetError
from openrollup.testing.devnet_cache import DevnetCache


def test_what_a_test_leaves_behind_is_gone_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with DevnetCache() as cache:
        devnet = cache.get({})
        before = sorted(tmp_path.rglob("*"))
        devnet.w3.eth.default_account = devnet.accounts[3].address
        devnet.mine(2)
        devnet.snapshot()
        assert sorted(tmp_path.rglob("*")) != before
        again = cache.get({})
        assert again is devnet
        assert sorted(tmp_path.rglob("*")) == before
        assert again.w3.eth.default_account == again.accounts[0].address
        assert again.l2.heads.unsafe.number == 0
        with pytest.raises(DevnetError, match="there is no snapshot"):
            again.revert()
        assert cache.get({"block_time": 1}) is devnet
        assert cache.get({"automine": True}) is not devnet
    assert list(tmp_path.iterdir()) == []

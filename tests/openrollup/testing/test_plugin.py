"""The plugin as others use it: pytest in pytest."""

import pytest

from openrollup.testing import Devnet

pytest_plugins = "pytester"

QUIET = ("-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function")


def failure(pytester: pytest.Pytester, *lines: str) -> None:
    result = pytester.runpytest_inprocess(*QUIET)
    result.stdout.fnmatch_lines(list(lines))
    assert result.ret != 0


def test_each_test_has_the_network_as_it_was(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        urls = set()

        @pytest.mark.parametrize("attempt", range(4))
        def test_mine(devnet, attempt):
            urls.add(devnet.l2.url)
            assert devnet.l2.heads.unsafe.number == 0
            devnet.mine(attempt)
            assert len(urls) == 1

        @pytest.mark.devnet(block_time=2)
        def test_options(devnet):
            assert devnet.l2.url not in urls
        """
    )
    pytester.runpytest_inprocess(*QUIET, "--strict-markers").assert_outcomes(passed=5)


def test_who_does_not_use_it_pays_nothing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        """
        import os, sys

        def test_clean():
            ours = {"node", "rpc", "consensus", "attribution", "openrollup.testing.devnet"}
            assert not ours & set(sys.modules)
            assert "openrollup.testing.plugin" in sys.modules
            assert "ETH_HASH_BACKEND" not in os.environ
        """
    )
    monkeypatch.delenv("ETH_HASH_BACKEND", raising=False)
    result = pytester.runpytest_subprocess(*QUIET, "-p", "no:pytest_ethereum")
    result.assert_outcomes(passed=1)


def test_options_that_do_not_exist(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.devnet(blocktime=2)
        def test_name(devnet): ...

        @pytest.mark.devnet(2)
        def test_position(devnet): ...

        @pytest.mark.devnet(gas_limit=1)
        def test_value(devnet): ...
        """
    )
    failure(
        pytester,
        "@pytest.mark.devnet: blocktime: there is no such option: automine, block_time, gas_limit, "
        "da, batch_type",
        "@pytest.mark.devnet takes keywords only (block_time=2), got (2,)",
        "@pytest.mark.devnet: gas_limit: expected 21000000 to *, got 1",
    )


def test_blocks_are_cases(pytester: pytest.Pytester, devnet: Devnet) -> None:
    devnet.mine(3)
    devnet.export(pytester.path)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.replay("chain.rlp", genesis="genesis.json")
        def test_all(replayed):
            assert replayed.transaction_count == 1

        @pytest.mark.replay("chain.rlp", genesis="genesis.json", first=2, last=3)
        def test_some(replayed):
            assert replayed.number in (2, 3)

        @pytest.mark.replay("URL", last=1)
        def test_node(replayed):
            assert replayed.number == 1
        """.replace("URL", devnet.l2.url)
    )
    result = pytester.runpytest_inprocess(*QUIET, "-v")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["*::test_all[[]block 1[]] PASSED*"])


def test_a_block_that_differs_fails_and_names_what(
    pytester: pytest.Pytester, devnet: Devnet
) -> None:
    (block, _) = devnet.mine(2)
    path = devnet.export(pytester.path)
    path.write_bytes(path.read_bytes().replace(block.header.state_root, b"\x01" * 32))
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.replay("chain.rlp", genesis="genesis.json")
        def test_all(replayed): ...
        """
    )
    failure(
        pytester,
        "*chain.rlp: block 1 differs: stateRoot: expected 0x*, got 0x01010101*",
        "block 2 cannot be executed: block 1 differs: stateRoot*",
    )


@pytest.mark.parametrize(
    ("marker", "parameter", "message"),
    [
        ("'nothing.rlp'", "replayed", "*nothing.rlp: expected a datadir, a file of blocks, or*"),
        ("'.'", "replayed", "*no chain here: expected genesis.json*"),
        ("'a', 'b'", "replayed", "*expected the source, then keywords, got ('a', 'b')"),
        ("", "replayed", "*source: expected a path or a URL, got None"),
        ("'a', to=3", "replayed", "*to: there is no such option: source, genesis, first, last"),
        ("'a', first=-1", "replayed", "*first: expected the number of a block, got -1"),
        ("'a', first=2, last=1", "replayed", "*expected first <= last, got 2 and 1"),
        ("'http://127.0.0.1:1'", "replayed", "*last: expected beside http://127.0.0.1:1: *"),
        ("'a', genesis=3", "replayed", "*genesis: expected a path, got 3"),
        ("'a'", "", "*gives each block as the argument `replayed`: def test_it(replayed)"),
    ],
)
def test_markers_that_are_misused(
    pytester: pytest.Pytester, marker: str, parameter: str, message: str
) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.replay({marker})
        def test_it({parameter}): ...
        """
    )
    failure(pytester, message)


def test_the_fixture_without_its_marker(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(replayed): ...")
    failure(pytester, "the fixture replayed goes with @pytest.mark.replay(source): it names *")


def test_without_web3(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        import pytest

        from openrollup.testing import DevnetError

        def test_clients(devnet, monkeypatch):
            for missing in ("web3", "eth_account"):
                monkeypatch.setitem(sys.modules, missing, None)
            assert len(devnet.mine(2)) == 2
            with pytest.raises(DevnetError, match="^devnet.accounts needs web3.py and eth-account: "
                                                  "pip install 'openrollup.testing.'$"):
                devnet.accounts
            with pytest.raises(DevnetError, match="^w3 needs web3.py"):
                devnet.w3
        """
    )
    pytester.runpytest_inprocess(*QUIET).assert_outcomes(passed=1)


def test_an_async_test_is_told_what_to_do(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import asyncio

        import pytest

        @pytest.mark.asyncio
        async def test_async(devnet):
            assert len(await asyncio.to_thread(devnet.mine)) == 1
            devnet.mine()
        """
    )
    failure(pytester, "E*DevnetError: devnet.mine() blocks, and this thread runs an event loop: *")

"""Power cuts: SIGKILL under load, again and again, loses nothing that anybody was shown."""

from pathlib import Path

from tests.integration.crashes import crash


async def test_nothing_shown_is_lost(tmp_path: Path) -> None:
    figures = await crash(tmp_path, kills=3)
    print(figures)
    assert figures.acknowledged.transactions

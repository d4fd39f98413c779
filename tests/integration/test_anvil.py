"""The same on somebody else's L1: Foundry's Anvil."""

from pathlib import Path

from tests.integration.nodes import Anvil
from tests.integration.scenario import Plan, live


async def test_chain_on_anvil_is_derived_again(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    with Anvil() as anvil:
        key_file.write_text("0x" + Anvil.RICH_KEY.hex())
        plan = Plan(transactions=100, deposits=1, l1_url=anvil.url, key_file=key_file)
        figures = await live(plan, tmp_path)
        print(figures)
        assert len(figures.acknowledged.transactions) == 101

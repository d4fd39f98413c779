"""Nodes to ask."""

from collections.abc import AsyncIterator

import pytest

from tests.rpc.chain import RpcNode, ethereum_chain, rollup_chain, serve


@pytest.fixture
async def ethereum() -> AsyncIterator[RpcNode]:
    """A node of a chain under Ethereum rules."""
    async with serve(ethereum_chain()) as node:
        yield node


@pytest.fixture
async def rollup() -> AsyncIterator[RpcNode]:
    """A node of a rollup."""
    async with serve(rollup_chain()) as node:
        yield node


@pytest.fixture(params=[ethereum_chain, rollup_chain], ids=["ethereum", "rollup"])
async def node(request: pytest.FixtureRequest) -> AsyncIterator[RpcNode]:
    """A node of either rule set."""
    async with serve(request.param()) as node:
        yield node

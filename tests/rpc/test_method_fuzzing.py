"""Whatever the parameters, a method answers or says what is wrong with them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.clock import VirtualClock
from rpc import paging, params
from rpc.api import attribution_methods, ethereum_methods, optimism_methods
from rpc.block_id import block_hash, block_id, block_number
from rpc.call_request import call_request
from rpc.dispatcher import Dispatcher, Method
from rpc.log_query import log_query
from rpc.methods.eth.state import no_overrides
from rpc.params import Decoder
from tests.attribution.market import AUTHOR, LOGGER, OWNER, Market, record
from tests.rpc.chain import (
    ALICE,
    GENESIS_TIME,
    L1_BLOCK,
    Chain,
    FakeRollup,
    ethereum_chain,
    rollup_chain,
)

_ADDRESSES = st.sampled_from(["0x" + raw.hex() for raw in (ALICE.address, L1_BLOCK, bytes(20))])
_HASHES = st.sampled_from(["0x" + "00" * 32, "0x" + "77" * 32])
_QUANTITIES = st.sampled_from(["0x0", "0x1", "0x2", "0x5208", "0xfffff", "0x7fffffffffffffff"])
_LARGE = st.sampled_from([hex(2**64 - 1), hex(2**256 - 1), hex(2**256)])
_BLOCKS = _QUANTITIES | st.sampled_from(["latest", "pending", "safe", "finalized", "earliest"])
_DATA = st.binary(max_size=40).map(lambda raw: "0x" + raw.hex())
_SIGNED = dict.fromkeys(("chainId", "nonce", "yParity", "r", "s"), _QUANTITIES | _LARGE)
_CALLS = st.fixed_dictionaries(
    {},
    optional={
        "from": _ADDRESSES,
        "to": _ADDRESSES,
        "gas": _QUANTITIES,
        "gasPrice": _QUANTITIES | _LARGE,
        "value": _QUANTITIES | _LARGE,
        "data": _DATA,
        "nonce": _QUANTITIES | _LARGE,
        "accessList": st.lists(
            st.fixed_dictionaries(
                {"address": _ADDRESSES, "storageKeys": st.lists(_HASHES, max_size=2)}
            ),
            max_size=2,
        ),
        "authorizationList": st.lists(
            st.fixed_dictionaries({"address": _ADDRESSES, **_SIGNED}), max_size=2
        ),
        "blobVersionedHashes": st.lists(_HASHES, max_size=2),
    },
)
_FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "fromBlock": _BLOCKS,
        "toBlock": _BLOCKS,
        "blockHash": _HASHES,
        "address": _ADDRESSES | st.lists(_ADDRESSES, max_size=2),
        "topics": st.lists(st.none() | _HASHES | st.lists(_HASHES, max_size=2), max_size=4),
    },
)
_IDS = st.fixed_dictionaries(
    {}, optional={"blockHash": _HASHES, "blockNumber": _BLOCKS, "requireCanonical": st.booleans()}
)
_CURSORS = st.binary(min_size=15, max_size=17).map(lambda raw: "0x" + raw.hex())
_DOLLARS = st.sampled_from(["0.01", "1", "3000", "0", "1e9", "-1", "." + "9" * 40]) | st.floats()
_NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**64 - 1) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
_BY_DECODER: dict[Decoder, st.SearchStrategy[Any]] = {
    params.address: _ADDRESSES,
    params.hash32: _HASHES,
    params.uint64: _QUANTITIES,
    params.boolean: st.booleans(),
    params.byte_string: _DATA,
    params.storage_slot: _QUANTITIES | _HASHES,
    params.block_count: _QUANTITIES,
    block_number: _BLOCKS,
    block_hash: _HASHES,
    block_id: _BLOCKS | _HASHES | _IDS,
    call_request: _CALLS,
    log_query: _FILTERS,
    paging.cursor: _CURSORS,
    paging.dataset_id: _QUANTITIES,
    paging.receipt_limit: st.integers(0, 5),
    paging.entry_limit: st.integers(0, 5),
    paging.dollars: _DOLLARS,
    paging.dollar_range: _DOLLARS | st.lists(_DOLLARS, max_size=3),
    no_overrides: st.none() | st.just({}),
}
_LISTS = st.lists(_QUANTITIES, max_size=3) | st.lists(st.integers(-1, 101), max_size=3)


def calls(
    methods: Sequence[Method], known: Mapping[Decoder, st.SearchStrategy[Any]]
) -> st.SearchStrategy[tuple[str, list[Any]]]:
    """Return calls whose parameters mostly are of the right kind, and sometimes anything."""
    one_of_each = []
    for method in methods:
        kinds = [
            _BY_DECODER.get(param.decode, _LISTS) | known.get(param.decode, st.nothing())
            for param in method.params
        ]
        right = st.tuples(*kinds).map(list)
        odd = st.tuples(*(kind | _NONSENSE for kind in kinds), st.none()).map(list)
        one_of_each.append(st.tuples(st.just(method.name), right | odd))
    return st.one_of(one_of_each)


def make_methods(chain: Chain) -> tuple[Method, ...]:
    """Return everything that a node of the chain serves."""
    fake, clock = FakeRollup(), VirtualClock(GENESIS_TIME)
    return (
        *ethereum_methods(chain.reader, chain.mempool, chain.config, chain, clock, "test"),
        *optimism_methods(chain.reader, fake, fake, fake, fake, "test"),
    )


@pytest.mark.parametrize("make_chain", [ethereum_chain, rollup_chain])
def test_no_parameters_are_an_internal_error(make_chain: Callable[[], Chain]) -> None:
    with closing(make_chain()) as chain:
        chain.mine(chain.transfer())
        chain.mine()
        fuzz(make_methods(chain))


def test_no_parameters_of_attribution_are_an_internal_error() -> None:
    with closing(Market()) as market:
        market.fund(OWNER, LOGGER, AUTHOR)
        market.register_dataset()
        offer = market.register_model()
        market.mine_all()
        market.append(offer, [record(100, d1=6000)] * 3)
        market.deposit(offer, AUTHOR, 1000)
        market.mine_all()
        market.charge(offer, [1], [market.voucher(offer, AUTHOR, 100)])
        market.mine_all()
        known: dict[Decoder, st.SearchStrategy[Any]] = {
            params.hash32: st.just("0x" + offer.key.hex()),
            params.address: st.just("0x" + LOGGER.address.hex()),
            params.uint64: st.just(hex(offer.stream)),
        }
        fuzz(attribution_methods(market.reader), known)


def fuzz(
    methods: Sequence[Method], known: Mapping[Decoder, st.SearchStrategy[Any]] | None = None
) -> None:
    """Call every method with plausible nonsense, and with what is `known` to be there."""
    dispatcher = Dispatcher(methods)

    with asyncio.Runner() as runner:

        @settings(max_examples=400, deadline=None)
        @given(calls(methods, known or {}))
        def check(call: tuple[str, list[Any]]) -> None:
            name, values = call
            body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": name, "params": values})
            answer = runner.run(dispatcher.handle(body))
            assert answer is not None
            assert orjson.loads(answer).get("error", {}).get("code") != -32603, answer

        check()

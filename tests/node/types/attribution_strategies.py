"""Random valid records, for the property tests of everything that handles them."""

from hypothesis import strategies as st

from node.types.attribution_record import FULL_WEIGHT, MAX_INFLUENCES, Influence, Record
from node.types.primitives import Address, Hash32

hashes = st.binary(min_size=32, max_size=32).map(Hash32)
addresses = st.binary(min_size=20, max_size=20).map(Address)
streams = st.integers(0, 2**64 - 1)
datasets = st.integers(0, 300) | st.integers(0, 2**32 - 1)
amounts = st.just(0) | st.integers(0, 2**30) | st.integers(0, 2**64 - 1)


@st.composite
def influence_tuples(draw: st.DrawFn) -> tuple[Influence, ...]:
    chosen = sorted(draw(st.sets(datasets, max_size=MAX_INFLUENCES)))
    left = FULL_WEIGHT
    found = []
    for position, dataset in enumerate(chosen):
        behind = len(chosen) - position - 1
        weight = draw(st.integers(1, left - behind))
        left -= weight
        found.append(Influence(dataset, weight))
    return tuple(found)


records = st.builds(Record, amounts, influence_tuples(), hashes)
batches = st.lists(records, min_size=1, max_size=12)

"""What happens on the chain, chapter by chapter. Each does something, and says in numbers what."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from attribution.client.escrow import Paid
from attribution.client.exchange import Included
from attribution.client.settling import Settlement
from attribution.refusals import VoucherRefusal
from attribution.vouchers import SignedVoucher
from medical.cast import GWEI, Cast, Person, all_at_once
from medical.corpus import Dataset
from medical.gateway import Gateway, Offer
from medical.questions import questions_of
from medical.tables import chapter, open_of, percent, table
from node.types.primitives import keccak256

PRICE_GWEI = 10_000_000
"""A hundredth of an OPEN: a cent, if an OPEN is worth a dollar."""
OWNER_BPS = 4_000
QUESTIONS = (50, 45, 40, 35, 30, 30, 25, 20, 15, 10)
"""How many each user asks. The last one is the friend of the builder."""
DEPOSIT_GWEI = 60 * PRICE_GWEI
BATCH = 100
_MONTH_S = 30 * 86_400


def introduce(datasets: Sequence[Dataset]) -> None:
    """Say who and what there is."""
    chapter(1, "A model, and what it was made from")
    rows = [
        (data.name, len(data.documents), sum(len(d.tokens) for d in data.documents))
        for data in datasets
    ]
    print(table(("dataset", "abstracts", "tokens"), rows))
    print(
        "\nA builder has made a small language model of these abstracts. Each dataset has a\n"
        "contributor, a gateway serves the model, and ten users will ask. Nine of them have their\n"
        "OPEN from a bank, the tenth from the builder."
    )


def register(cast: Cast, datasets: Sequence[Dataset]) -> Offer:
    """Put the datasets, the model and its training on record."""
    chapter(2, "The contributors and the builder register")
    data_of = dict(zip(cast.contributors, datasets, strict=True))
    numbers = all_at_once(data_of, lambda person: _register_dataset(person, data_of[person]))
    builder = cast.builder.client
    model_hash = keccak256(b"".join(data.content_hash for data in datasets))
    model_key = builder.register_model(
        model_hash,
        "examples/medical_model",
        price_gwei=PRICE_GWEI,
        owner_bps=OWNER_BPS,
        logger=cast.gateway.address,
        declared_datasets=sorted(numbers),
    ).model_key
    for number, (person, data) in zip(numbers, data_of.items(), strict=True):
        print(f"dataset {number}: {data.name}, of {person.name}")
    print(f"model: 0x{model_key.hex()}")
    print(f"an answer costs {open_of(PRICE_GWEI * GWEI)}: {percent(OWNER_BPS)} for the builder,")
    print(f"{percent(10_000 - OWNER_BPS)} for datasets, and nobody can change that")
    print("The builder puts on record that the model was trained on all three.")
    return Offer(model_key, model_hash, PRICE_GWEI, dict(enumerate(numbers)))


def record_training(cast: Cast, offer: Offer) -> None:
    """Let the builder say for each dataset, with the block's time, that the model has seen it."""
    for dataset in offer.datasets.values():
        cast.builder.client.record_training(
            offer.model_key, dataset, keccak256(b"one pass over all")
        )


def deposit(cast: Cast, offer: Offer) -> int:
    """Let the users fund their escrows; the sum, in wei."""
    chapter(3, "Ten users set OPEN aside")
    done = all_at_once(cast.users, lambda user: user.client.deposit(offer.model_key, DEPOSIT_GWEI))
    gas = sum(included.gas_used for included in done) // len(done)
    print(f"{len(done)} deposits of {open_of(DEPOSIT_GWEI * GWEI)}, for {gas:,} gas each")
    print("Only vouchers that a user signs can spend them; what is left can be withdrawn.")
    return len(done) * DEPOSIT_GWEI * GWEI


def ask(cast: Cast, offer: Offer, gateway: Gateway) -> None:
    """Let the users ask all that they want to know, and log a receipt of each answer."""
    chapter(4, "They ask, each time with a voucher for all answers so far")
    gateway.look_at_escrows([user.address for user in cast.users])
    expiry = cast.gateway.w3.eth.get_block("latest")["timestamp"] + _MONTH_S
    _try_a_forgery(cast, offer, gateway, expiry)
    appended: list[Included] = []
    for number, (user, question, total) in enumerate(_turns(cast, gateway), start=1):
        gateway.ask(question, _voucher(user, user, offer, total, expiry))
        if number % BATCH == 0:
            appended += gateway.log_receipts()
    appended += gateway.log_receipts()
    receipts, gas = len(gateway.answers), sum(included.gas_used for included in appended)
    print(f"{receipts} answers are {receipts} receipts in {len(appended)} transactions,")
    print(f"{gas:,} gas in all: {gas // receipts:,} for a receipt with its datasets' weights")


def settle(cast: Cast, offer: Offer, gateway: Gateway) -> Settlement:
    """Have the receipts paid. Anybody may do that; the gateway does."""
    chapter(5, "One settlement")
    done = cast.gateway.client.settle(offer.model_key, gateway.vouchers)
    paid = {event.payer: event.amount_gwei for event in done.charged}
    rows = [
        (user.name, asked, open_of(paid[user.address] * GWEI))
        for user, asked in zip(cast.users, QUESTIONS, strict=True)
    ]
    print(table(("who", "asked", "pays"), rows))
    print(f"\n{len(paid)} vouchers, the last of each user, pay {len(gateway.answers)} answers:")
    print(
        f"{open_of(done.charged_gwei * GWEI)} in one transaction of {done.included.gas_used:,} gas"
    )
    return done


def claim(cast: Cast, settlement: Settlement, gateway: Gateway) -> Mapping[Person, Paid]:
    """Let everybody take what they are owed."""
    chapter(6, "Everybody claims")
    payees = (cast.builder, *cast.contributors)
    paid = dict(zip(payees, all_at_once(payees, lambda one: one.client.claim()), strict=True))
    whole = settlement.charged_gwei * GWEI
    rows = [
        (one.name, open_of(got.amount_wei), percent(10_000 * got.amount_wei / whole))
        for one, got in paid.items()
    ]
    print(table(("who", "got", "of all that was paid"), rows))
    parts = [answer.attribution.unattributed for answer in gateway.answers]
    print(
        f"\nOf an average answer {percent(sum(parts) / len(parts))} is traced to no dataset; that"
    )
    print("part of the datasets' share is divided equally among the three.")
    return paid


def _register_dataset(person: Person, data: Dataset) -> int:
    """Register a dataset, and return its number once a reorg of L2 cannot give it to another."""
    uri = f"examples/medical_model/corpus/{data.name}.md"
    return person.client.register_dataset(data.content_hash, uri, wait_until_safe=True).id


def _try_a_forgery(cast: Cast, offer: Offer, gateway: Gateway, expiry: int) -> None:
    """Let a user ask with a voucher that says that another one pays."""
    forged = _voucher(cast.users[1], cast.users[0], offer, 1, expiry)
    try:
        gateway.ask("Who pays for this?", forged)
    except VoucherRefusal as refusal:
        reason = type(refusal).__name__
        print(f"{cast.users[1].name} tries to let {cast.users[0].name} pay: {reason}, no answer\n")
    else:
        raise AssertionError("the gateway has taken a forged voucher")


def _voucher(
    signer: Person, payer: Person, offer: Offer, answers: int, expiry: int
) -> SignedVoucher:
    return signer.client.sign_voucher(
        offer.model_key, answers * offer.price_gwei, expiry, payer.address
    )


def _turns(cast: Cast, gateway: Gateway) -> Iterator[tuple[Person, str, int]]:
    """Yield who asks what, in turns, and how many answers that makes for this user."""
    wishes = [
        [(user, question, total) for total, question in enumerate(asked, start=1)]
        for user, asked in zip(cast.users, _wishes(gateway), strict=True)
    ]
    for turn in zip_longest(*wishes):
        yield from (wish for wish in turn if wish is not None)


def _wishes(gateway: Gateway) -> Iterator[list[str]]:
    for number, count in enumerate(QUESTIONS):
        yield questions_of(number, gateway.documents, count)

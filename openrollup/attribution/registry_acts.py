"""What `openrollup attribution dataset`, `model` and `train` do."""

from argparse import Namespace
from collections.abc import Mapping

from attribution.client import registration
from attribution.client.exchange import Included, Operation
from attribution.client.hub_views import read_dataset, read_model, read_unsettled, stream_of
from node.types.primitives import Hash32, checksum_address, keccak256
from openrollup.attribution.act import Request, Shown
from openrollup.attribution.arguments import gwei_text


def register_dataset(request: Request) -> Operation[Shown]:
    """`dataset register`."""
    options = request.options
    done = yield from registration.register_dataset(
        request.party,
        _hash_of(options),
        options.uri,
        options.payout,
        wait_until_safe=options.wait,
    )
    lines = [f"dataset       {done.id}", *included_lines(done.included)]
    if not options.wait:
        lines.append("use the number once the block is safe: a reorg could give it to another one")
    return Shown({"dataset": done.id, **included_json(done.included)}, lines)


def show_dataset(request: Request) -> Operation[Shown]:
    """`dataset show`."""
    number = request.options.dataset
    dataset = yield from read_dataset(number)
    result: dict[str, object] = {
        "dataset": number,
        "owner": checksum_address(dataset.owner),
        "payout": checksum_address(dataset.payout),
        "contentHash": "0x" + dataset.content_hash.hex(),
    }
    return Shown(result, table(result))


def set_dataset_payout(request: Request) -> Operation[Shown]:
    """`dataset payout`."""
    options = request.options
    done = yield from registration.set_dataset_payout(
        request.party, options.dataset, options.payout
    )
    return shown(done)


def register_model(request: Request) -> Operation[Shown]:
    """`model register`."""
    options = request.options
    done = yield from registration.register_model(
        request.party,
        _hash_of(options),
        options.uri,
        price_gwei=options.price_gwei,
        owner_bps=options.owner_bps,
        salt=options.salt,
        logger=options.logger,
        payout=options.payout,
        declared_datasets=options.datasets,
    )
    key = "0x" + done.model_key.hex()
    result = {"modelKey": key, "stream": hex(done.stream), **included_json(done.included)}
    lines = [f"model         {key}", f"stream        {done.stream:#x}"]
    return Shown(result, [*lines, *included_lines(done.included)])


def show_model(request: Request) -> Operation[Shown]:
    """`model show`."""
    key = request.options.model_key
    model = yield from read_model(key)
    logger = "" if model.logger is None else checksum_address(model.logger)
    result: dict[str, object] = {
        "modelKey": "0x" + key.hex(),
        "stream": hex(stream_of(key)),
        "owner": checksum_address(model.owner),
        "payout": checksum_address(model.payout),
        "ownerBps": model.owner_bps,
        "priceGwei": model.price_gwei,
        "declaredDatasets": list(model.declared_datasets),
        "logger": logger or None,
    }
    extra = []
    if model.logger is not None:
        unsettled = yield from read_unsettled(key, model.logger)
        result["unsettledGwei"] = unsettled.amount_gwei
        extra.append(f"{'unsettled':<18}{gwei_text(unsettled.amount_gwei)} OPEN")
    lines = table({key: value for key, value in result.items() if key != "unsettledGwei"})
    return Shown(result, [*lines, f"{'price':<18}{gwei_text(model.price_gwei)} OPEN", *extra])


def set_price(request: Request) -> Operation[Shown]:
    """`model price`."""
    options = request.options
    done = yield from registration.set_price(request.party, options.model_key, options.price_gwei)
    return shown(done)


def set_model_payout(request: Request) -> Operation[Shown]:
    """`model payout`."""
    options = request.options
    done = yield from registration.set_model_payout(
        request.party, options.model_key, options.payout
    )
    return shown(done)


def appoint_logger(request: Request) -> Operation[Shown]:
    """`model logger`."""
    options = request.options
    if options.abandon:
        done = yield from registration.abandon_logger(request.party, options.model_key)
    else:
        done = yield from registration.appoint_logger(
            request.party, options.model_key, options.logger
        )
    return shown(done)


def train(request: Request) -> Operation[Shown]:
    """`train`."""
    options = request.options
    done = yield from registration.record_training(
        request.party, options.model_key, options.dataset, _hash_of(options)
    )
    return shown(done)


def shown(included: Included) -> Shown:
    """Return what is said of a transaction that has done its work."""
    return Shown(included_json(included), included_lines(included))


def included_json(included: Included) -> dict[str, object]:
    """Return a transaction for a machine."""
    return {
        "transaction": "0x" + included.transaction.hex(),
        "block": included.block,
        "gasUsed": included.gas_used,
    }


def included_lines(included: Included) -> list[str]:
    """Return a transaction for people."""
    return [
        f"transaction   0x{included.transaction.hex()}",
        f"L2 block      {included.block} ({included.gas_used:,} gas)",
    ]


def table(result: Mapping[str, object]) -> list[str]:
    """Return a result as lines."""
    width = max(map(len, result)) + 2
    return [f"{key:<{width}}{_text(value)}" for key, value in result.items()]


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def _hash_of(options: Namespace) -> Hash32:
    if options.file is not None:
        return keccak256(options.file.read_bytes())
    given: Hash32 = options.hash
    return given

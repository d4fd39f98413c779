"""`openrollup attribution dataset`, `model` and `train`: what they take."""

from typing import TYPE_CHECKING

from openrollup.arguments import ArgumentParser, file_path
from openrollup.attribution.act import add_act
from openrollup.attribution.arguments import dataset_id, dataset_ids, digest, open_gwei, share
from openrollup.bridge.arguments import address

if TYPE_CHECKING:
    from openrollup.command import Commands


def add_registry_commands(commands: "Commands") -> None:
    """Add the commands that put datasets, models and training runs on record."""
    _add_dataset(_group(commands, "dataset", "datasets: what models are made from"))
    _add_model(_group(commands, "model", "models, their terms and who writes their receipts"))
    description = "record that a model was trained on a dataset"
    train = add_act(commands, "train", "registry_acts.train", description, with_key=True)
    add_model(train)
    add_dataset_id(train)
    _add_content(train, "--run", "the training run")


def _add_dataset(actions: "Commands") -> None:
    act = "registry_acts.register_dataset"
    register = add_act(actions, "register", act, "register a dataset", with_key=True)
    _add_content(register, "--content", "its content")
    add = register.add_argument
    add("--uri", default="", help="where it is described")
    add("--payout", type=address, metavar="ADDRESS", help="who is paid for it (default you)")
    add("--wait", action="store_true", help="return when its number is safe to use")
    show = add_act(actions, "show", "registry_acts.show_dataset", "a dataset", with_key=False)
    add_dataset_id(show)
    act = "registry_acts.set_dataset_payout"
    payout = add_act(actions, "payout", act, "change who is paid", with_key=True)
    add_dataset_id(payout)
    payout.add_argument("--payout", type=address, metavar="ADDRESS", required=True)


def _add_model(actions: "Commands") -> None:
    _add_register_model(actions)
    show = add_act(actions, "show", "registry_acts.show_model", "a model", with_key=False)
    add_model(show)
    price = add_act(actions, "price", "registry_acts.set_price", "change the price", with_key=True)
    add_model(price)
    _add_price(price)
    act = "registry_acts.set_model_payout"
    payout = add_act(actions, "payout", act, "change who gets the owner's share", with_key=True)
    add_model(payout)
    payout.add_argument("--payout", type=address, metavar="ADDRESS", required=True)
    act = "registry_acts.appoint_logger"
    logger = add_act(actions, "logger", act, "appoint who writes its receipts", with_key=True)
    add_model(logger)
    who = logger.add_mutually_exclusive_group(required=True)
    who.add_argument("--address", dest="logger", type=address, metavar="ADDRESS")
    who.add_argument("--none", action="store_true", help="nobody, for now")
    who.add_argument(
        "--abandon",
        action="store_true",
        help="nobody, and give up what is unpaid of the present one's receipts",
    )


def _add_register_model(actions: "Commands") -> None:
    act = "registry_acts.register_model"
    register = add_act(actions, "register", act, "register a model", with_key=True)
    _add_content(register, "--model", "the model")
    _add_price(register)
    add = register.add_argument
    add("--uri", default="", help="where it is described")
    add("--salt", type=digest, default=bytes(32), metavar="0x...", help="to register it again")
    add("--logger", type=address, metavar="ADDRESS", help="who writes its receipts (default none)")
    add(
        "--owner-bps", type=share, required=True, metavar="N", help="your share, of 10000, for ever"
    )
    add("--payout", type=address, metavar="ADDRESS", help="who gets your share (default you)")
    add(
        "--datasets",
        type=dataset_ids,
        default=(),
        metavar="N,N",
        help="who share in what no dataset is credited with, for ever (at most 16)",
    )


def add_model(command: ArgumentParser) -> None:
    """Let a command take a model's key."""
    command.add_argument(
        "--model", dest="model_key", type=digest, metavar="KEY", required=True, help="its key"
    )


def add_dataset_id(command: ArgumentParser) -> None:
    """Let a command take a dataset's number."""
    command.add_argument("--dataset", type=dataset_id, metavar="N", required=True)


def _add_price(command: ArgumentParser) -> None:
    command.add_argument(
        "--price",
        dest="price_gwei",
        type=open_gwei,
        metavar="OPEN",
        required=True,
        help="what an answer should cost, in OPEN such as 0.01",
    )


def _add_content(command: ArgumentParser, name: str, what: str) -> None:
    given = command.add_mutually_exclusive_group(required=True)
    given.add_argument(f"{name}-hash", dest="hash", type=digest, metavar="0x...")
    given.add_argument(
        f"{name}-file", dest="file", type=file_path, help=f"{what}: its Keccak-256 is taken"
    )


def _group(commands: "Commands", name: str, description: str) -> "Commands":
    group = commands.add_parser(name, help=description, description=description)
    return group.add_subparsers(required=True, metavar="ACTION")

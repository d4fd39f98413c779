"""`openrollup attribution deposit`, `withdraw`, `escrow`, `voucher`, `append`, `settle`, `claim`:
what they take.
"""

from typing import TYPE_CHECKING

from openrollup.arguments import at_least, file_path
from openrollup.attribution.act import add_act
from openrollup.attribution.arguments import dataset_ids, open_gwei, seconds
from openrollup.attribution.registry_commands import add_model
from openrollup.bridge.arguments import address

if TYPE_CHECKING:
    from openrollup.command import Commands

_DAY_S = 86_400


def add_payment_commands(commands: "Commands") -> None:
    """Add the commands that log receipts and move money."""
    _add_deposit(commands)
    _add_withdraw(commands)
    _add_escrow(commands)
    _add_voucher(commands)
    _add_append(commands)
    _add_settle(commands)
    claim = add_act(
        commands, "claim", "payment_acts.claim", "take what you are owed", with_key=True
    )
    claim.add_argument("--to", type=address, metavar="ADDRESS", help="who gets it (default you)")


def _add_deposit(commands: "Commands") -> None:
    description = "set OPEN aside for a model's answers"
    deposit = add_act(commands, "deposit", "payer_acts.deposit", description, with_key=True)
    add_model(deposit)
    add = deposit.add_argument
    add(
        "--amount",
        dest="amount_gwei",
        type=open_gwei,
        metavar="OPEN",
        required=True,
        help="how much, such as 1.5",
    )
    add(
        "--signer",
        type=address,
        metavar="ADDRESS",
        help="whose key signs the vouchers (default yours); the first deposit decides",
    )


def _add_withdraw(commands: "Commands") -> None:
    description = "take back what was set aside, in two steps"
    withdraw = commands.add_parser("withdraw", help=description, description=description)
    steps = withdraw.add_subparsers(required=True, metavar="STEP")
    description = "say that you will: it can be done after 7 days, for one day"
    request = add_act(steps, "request", "payer_acts.request_withdrawal", description, with_key=True)
    add_model(request)
    request.add_argument(
        "--amount",
        dest="amount_gwei",
        type=open_gwei,
        metavar="OPEN",
        help="how much (default all); 0 takes an earlier request back",
    )
    execute = add_act(steps, "execute", "payer_acts.withdraw", "do it", with_key=True)
    add_model(execute)


def _add_escrow(commands: "Commands") -> None:
    description = "what a payer has set aside for a model"
    escrow = add_act(commands, "escrow", "payer_acts.show_escrow", description, with_key=False)
    add_model(escrow)
    escrow.add_argument("--payer", type=address, metavar="ADDRESS", required=True)


def _add_voucher(commands: "Commands") -> None:
    description = "a payer's signed word for what a model has answered it"
    voucher = commands.add_parser("voucher", help=description, description=description)
    steps = voucher.add_subparsers(required=True, metavar="STEP")
    sign = add_act(steps, "sign", "payer_acts.voucher_sign", "sign one", with_key=True)
    add_model(sign)
    add = sign.add_argument
    add(
        "--cumulative",
        dest="cumulative_gwei",
        type=open_gwei,
        metavar="OPEN",
        required=True,
        help="OPEN for all answers since the first one",
    )
    add("--payer", type=address, metavar="ADDRESS", help="who pays (default you, who sign)")
    add(
        "--valid-for",
        dest="valid_for_s",
        type=seconds,
        default=30 * _DAY_S,
        metavar="S",
        help="in seconds, or days such as 30d (default)",
    )
    add("--out", type=file_path, metavar="FILE", help="where it goes (else: printed)")
    check = add_act(steps, "check", "payer_acts.voucher_check", "may I rely on it?", with_key=False)
    check.add_argument("file", type=file_path, metavar="voucher.json")
    check.add_argument(
        "--valid-for",
        dest="valid_for_s",
        type=seconds,
        default=7 * _DAY_S,
        metavar="S",
        help="how long it has to be good (default 7d, as long as a withdrawal takes)",
    )


def _add_append(commands: "Commands") -> None:
    description = "log receipts, as the model's logger"
    append = add_act(commands, "append", "payment_acts.append", description, with_key=True)
    add_model(append)
    append.add_argument("--file", type=file_path, required=True, metavar="records.json")
    append.add_argument(
        "--from-seq",
        type=at_least(0),
        metavar="N",
        help="the first one's number: refused if the stream is not there (default: its end)",
    )


def _add_settle(commands: "Commands") -> None:
    description = "have receipts paid with vouchers; anybody may"
    settle = add_act(commands, "settle", "payment_acts.settle", description, with_key=True)
    add_model(settle)
    add = settle.add_argument
    add(
        "--vouchers",
        type=file_path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="each one voucher, or a list of them",
    )
    add("--logger", type=address, metavar="ADDRESS", help="whose receipts (default the model's)")
    add(
        "--datasets",
        type=dataset_ids,
        metavar="N,N",
        help="those with unpaid credit (default: found on the chain)",
    )

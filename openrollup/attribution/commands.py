"""The commands of `openrollup attribution`."""

from typing import TYPE_CHECKING

from openrollup.attribution.number_commands import add_economics, add_stats
from openrollup.attribution.payment_commands import add_payment_commands
from openrollup.attribution.proof_commands import add_prove, add_verify
from openrollup.attribution.registry_commands import add_registry_commands

if TYPE_CHECKING:
    from openrollup.command import Commands


def add_attribution_commands(commands: "Commands") -> None:
    """Let the program take `attribution`, and `attribution` what can be done about it."""
    description = "receipts of what a model answered, and what its payers and makers get"
    attribution = commands.add_parser("attribution", help=description, description=description)
    actions = attribution.add_subparsers(required=True, metavar="ACTION")
    add_registry_commands(actions)
    add_payment_commands(actions)
    add_stats(actions)
    add_economics(actions)
    add_prove(actions)
    add_verify(actions)

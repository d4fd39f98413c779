"""What `openrollup attribution deposit`, `withdraw`, `escrow` and `voucher` do."""

from datetime import UTC, datetime
from pathlib import Path

import orjson

from attribution.client import escrow, settling
from attribution.client.exchange import AskBlock, Operation, Party
from attribution.client.hub_views import read_escrow, read_model, read_withdrawal_times
from attribution.refusals import NoKey
from attribution.voucher_json import parse_voucher, voucher_to_json
from attribution.vouchers import SignedVoucher, Voucher, sign_voucher
from node.errors import ConfigError, InvalidInput
from node.json_file import read_json, write_json
from node.types.primitives import checksum_address
from openrollup.attribution.act import Request, Shown
from openrollup.attribution.arguments import gwei_text
from openrollup.attribution.registry_acts import included_json, included_lines, shown, table
from openrollup.bridge.arguments import open_text


def deposit(request: Request) -> Operation[Shown]:
    """`deposit`."""
    options = request.options
    if options.amount_gwei == 0:
        raise ConfigError("--amount: expected more than 0 OPEN")
    done = yield from escrow.deposit(
        request.party, options.model_key, options.amount_gwei, options.signer
    )
    return shown(done)


def request_withdrawal(request: Request) -> Operation[Shown]:
    """`withdraw request`."""
    options = request.options
    party, key = request.party, options.model_key
    done = yield from escrow.request_withdrawal(party, key, options.amount_gwei)
    state = yield from read_escrow(party.address, key)
    result: dict[str, object] = {"requestedGwei": state.requested_gwei, **included_json(done)}
    lines = included_lines(done)
    if state.requested_at:
        delay_s, window_s = yield from read_withdrawal_times()
        first = state.requested_at + delay_s
        result |= {"notBefore": first, "notAfter": first + window_s}
        when = datetime.fromtimestamp(first, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        lines.append(f"requested     {gwei_text(state.requested_gwei)} OPEN")
        lines.append(f"next: withdraw execute, from {when} on, for {window_s / 3_600:g} hours")
    return Shown(result, lines)


def withdraw(request: Request) -> Operation[Shown]:
    """`withdraw execute`."""
    paid = yield from escrow.withdraw(request.party, request.options.model_key)
    return paid_out(paid)


def paid_out(paid: escrow.Paid) -> Shown:
    """Return what is said of money that has come out of the Hub."""
    result = {"amountWei": str(paid.amount_wei), **included_json(paid.included)}
    lines = [f"paid          {open_text(paid.amount_wei)} OPEN", *included_lines(paid.included)]
    return Shown(result, lines)


def show_escrow(request: Request) -> Operation[Shown]:
    """`escrow`."""
    options = request.options
    yield from read_model(options.model_key)
    state = yield from read_escrow(options.payer, options.model_key)
    signer = None if state.signer is None else checksum_address(state.signer)
    result: dict[str, object] = {
        "balanceGwei": state.balance_gwei,
        "spentGwei": state.spent_gwei,
        "requestedGwei": state.requested_gwei,
        "requestedAt": state.requested_at or None,
        "signer": signer,
    }
    told = {
        "balance": f"{gwei_text(state.balance_gwei)} OPEN",
        "spent": f"{gwei_text(state.spent_gwei)} OPEN",
        "to be withdrawn": f"{gwei_text(state.requested_gwei)} OPEN",
        "signer": signer,
    }
    return Shown(result, table(told))


def _sign(request: Request) -> Operation[SignedVoucher]:
    """Sign the voucher that the options describe."""
    options, party = request.options, request.party
    if request.key is None:
        raise NoKey
    yield from read_model(options.model_key)
    now = (yield AskBlock("latest")).timestamp
    payer = party.address if options.payer is None else options.payer
    voucher = Voucher(payer, options.model_key, options.cumulative_gwei, now + options.valid_for_s)
    return sign_voucher(request.key, voucher, party.chain_id)


def voucher_sign(request: Request) -> Operation[Shown]:
    """`voucher sign`."""
    signed = yield from _sign(request)
    content = voucher_to_json(signed, request.party.chain_id)
    path: Path | None = request.options.out
    if path is None:
        return Shown(content, [orjson.dumps(content).decode()])
    write_json(path, content)
    lines = [f"{path}: {gwei_text(signed.voucher.cumulative_gwei)} OPEN in all"]
    return Shown(content, lines)


def voucher_check(request: Request) -> Operation[Shown]:
    """`voucher check`."""
    options = request.options
    vouchers = read_vouchers(options.file, request.party)
    rows = []
    for signed in vouchers:
        amount = yield from settling.check(request.party, signed, options.valid_for_s)
        rows.append((signed, amount))
    result: dict[str, object] = {
        "vouchers": [
            {"payer": checksum_address(signed.voucher.payer), "chargeableGwei": amount}
            for signed, amount in rows
        ]
    }
    lines = [
        f"{checksum_address(signed.voucher.payer)}  good for {gwei_text(amount)} OPEN more"
        for signed, amount in rows
    ]
    return Shown(result, lines)


def read_vouchers(path: Path, party: Party) -> tuple[SignedVoucher, ...]:
    """Read a file of one voucher or a list of them; ConfigError names it if it is none."""
    content = read_json(path)
    entries = content if isinstance(content, list) else [content]
    try:
        return tuple(parse_voucher(entry, party.chain_id) for entry in entries)
    except InvalidInput as error:
        raise ConfigError(f"{path}: {error}") from error

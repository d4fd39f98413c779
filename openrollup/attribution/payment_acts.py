"""What `openrollup attribution append`, `settle` and `claim` do."""

from attribution.client import escrow, receipt_log, settling
from attribution.client.exchange import Included, Operation
from attribution.client.receipt_log import ReceiptLog
from attribution.client.settling import Settlement
from attribution.record_json import parse_records
from attribution.records import Record
from attribution.refusals import BadRecord
from node.errors import ConfigError, InvalidInput
from node.json_file import read_json
from node.types.primitives import checksum_address
from openrollup.attribution.act import Request, Shown
from openrollup.attribution.arguments import gwei_text
from openrollup.attribution.payer_acts import paid_out, read_vouchers
from openrollup.attribution.registry_acts import included_json, included_lines
from openrollup.bridge.arguments import open_text


def append(request: Request) -> Operation[Shown]:
    """`append`: in as many transactions as it takes, or with --from-seq in one."""
    options, party = request.options, request.party
    records = _read_records(request)
    yield from receipt_log.check_batch(party, options.model_key, records)
    sent: tuple[Included, ...]
    if options.from_seq is not None:
        one = yield from receipt_log.append(party, options.model_key, records, options.from_seq)
        sent = (one,)
    else:
        yield from receipt_log.check_new(party, options.model_key, records)
        log = ReceiptLog(options.model_key, party.address)
        for record in records:
            log.add(record)
        sent = yield from receipt_log.flush(party, log)
    worth = sum(record.amount for record in records)
    result: dict[str, object] = {
        "receipts": len(records),
        "amountGwei": worth,
        "transactions": [included_json(included) for included in sent],
    }
    lines = [f"receipts      {len(records)}, worth {gwei_text(worth)} OPEN"]
    return Shown(result, [*lines, *(line for entry in sent for line in included_lines(entry))])


def settle(request: Request) -> Operation[Shown]:
    """`settle`."""
    options, party = request.options, request.party
    vouchers = [voucher for path in options.vouchers for voucher in read_vouchers(path, party)]
    done = yield from settling.settle(
        party,
        options.model_key,
        vouchers,
        logger=options.logger,
        datasets=options.datasets,
    )
    return Shown(_settlement_json(done), _settlement_lines(done))


def claim(request: Request) -> Operation[Shown]:
    """`claim`."""
    paid = yield from escrow.claim(request.party, request.options.to)
    return paid_out(paid)


def _read_records(request: Request) -> tuple[Record, ...]:
    path = request.options.file
    content = read_json(path)
    try:
        return parse_records(content)
    except BadRecord:
        raise
    except InvalidInput as error:
        raise ConfigError(f"{path}: {error}") from error


def _settlement_json(done: Settlement) -> dict[str, object]:
    return {
        "chargedGwei": done.charged_gwei,
        "unsettledGwei": done.unsettled_gwei - done.charged_gwei,
        "ownerWei": str(done.owner_wei),
        "payers": [
            {
                "payer": checksum_address(charge.payer),
                "amountGwei": charge.amount_gwei,
                "cumulativeGwei": charge.cumulative_gwei,
            }
            for charge in done.charged
        ],
        "datasets": [
            {
                "dataset": paid.dataset,
                "payout": checksum_address(paid.payout),
                "amountWei": str(paid.amount_wei),
                "credit": str(paid.credit),
            }
            for paid in done.datasets
        ],
        "skipped": [
            {"payer": checksum_address(left.voucher.voucher.payer), "reason": str(left.refusal)}
            for left in done.skipped
        ],
        **included_json(done.included),
    }


def _settlement_lines(done: Settlement) -> list[str]:
    left = done.unsettled_gwei - done.charged_gwei
    lines = [f"charged       {gwei_text(done.charged_gwei)} OPEN, {gwei_text(left)} are left"]
    for charge in done.charged:
        paid_gwei = gwei_text(charge.amount_gwei)
        lines.append(f"  from        {checksum_address(charge.payer)}  {paid_gwei} OPEN")
    lines.append(f"owner         {open_text(done.owner_wei)} OPEN")
    for paid in done.datasets:
        why = "" if paid.credit else ", of what no dataset was credited with"
        lines.append(
            f"dataset {paid.dataset:<5} {open_text(paid.amount_wei)} OPEN to "
            f"{checksum_address(paid.payout)}{why}"
        )
    lines += [f"left out      {left_out.refusal}" for left_out in done.skipped]
    return [*lines, *included_lines(done.included)]

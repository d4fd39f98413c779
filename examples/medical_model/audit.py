"""Who earned what from models, by JSON-RPC logs and append call data alone: python audit.py URL."""

import sys
from collections import Counter, defaultdict

from web3 import HTTPProvider, Web3

from attribution import calldata, hub_calls
from attribution import hub_events as hub
from attribution.client.web3_forms import found_log


def audit(eth):  # wei by account and model; what is unpaid is gwei, credit is gwei x basis points
    terms, payout, closed, charged = {}, {}, set(), 0
    unpaid, credit, earned = Counter(), defaultdict(Counter), defaultdict(Counter)
    addresses = [hub.ATTRIBUTION_HUB_ADDRESS, calldata.ATTRIBUTION_ADDRESS]
    for found in map(found_log, eth.get_logs({"address": addresses, "fromBlock": 0})):
        if found.log.address == calldata.ATTRIBUTION_ADDRESS:
            sent = bytes(eth.get_transaction(found.transaction).input)
            place = found.log.topics[1][12:], found.log.topics[2][24:]  # logger and stream
            for record in () if place in closed else calldata.decode_append(sent)[2]:
                unpaid[place] += record.amount
                for part in record.influences:
                    credit[place][part.dataset] += record.amount * part.weight
            continue
        event = hub.decode_hub_event(found.log)
        key = getattr(event, "model_key", None)
        match event:
            case hub.DatasetRegistered() | hub.DatasetPayoutChanged():
                payout[event.id] = event.payout
            case hub.ModelTerms() | hub.ModelPayoutChanged():
                terms[key], payout[key] = terms.get(key, event), event.payout
            case hub.LoggerRetired() | hub.LoggerAbandoned():
                closed.add((event.logger, key[:8]))
            case hub.VoucherCharged():
                charged += event.amount_gwei
            case hub.Settled():
                place, declared = (event.logger, key[:8]), terms[key].declared_datasets
                rate, covered, used, paid = 10 * (10_000 - terms[key].owner_bps), 0, 0, Counter()
                for dataset, own in sorted(credit[place].items()):
                    covered += own
                    share = covered * charged // unpaid[place] - used
                    credit[place][dataset], used = own - share, used + share
                    paid[dataset] = share * rate * (dataset in payout)
                rest = charged * 10_000 * rate - paid.total()
                paid.update({dataset: rest // len(declared) for dataset in declared})
                paid[key] = charged * 10**9 - paid.total()
                for payee, wei in (+paid).items():
                    earned[payout[payee]][key] += wei
                unpaid[place], charged = unpaid[place] - charged, 0
    return earned


if __name__ == "__main__":
    for account, models in audit(eth := Web3(HTTPProvider(sys.argv[1])).eth).items():
        print(f"0x{account.hex()}", {f"0x{key.hex()}": wei for key, wei in models.items()})
        call = {"to": hub.ATTRIBUTION_HUB_ADDRESS, "data": hub_calls.hub_call("earnings", account)}
        if hub_calls.hub_answer("earnings", bytes(eth.call(call)))[0] != models.total():
            sys.exit("the contract has other numbers")

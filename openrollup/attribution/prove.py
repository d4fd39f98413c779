"""`openrollup attribution prove`: the proof of a receipt, from a node of the rollup."""

import logging
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import orjson

from attribution.proof_check import ProvenReceipt, check_proof
from attribution.receipt_proof import ReceiptProof, encode_proof, parse_proof
from consensus.l1.json_rpc import Json, JsonRpc, RpcFault, RpcSettings
from node.clock import Clock, SystemClock
from node.errors import InvalidInput, OperationRefused
from node.json_file import write_whole
from node.types.primitives import Address, checksum_address

_log = logging.getLogger(__name__)

_POLL_INTERVAL_S = 2.0
# A person waits: a node that is not there is to be named within seconds.
_PATIENCE = RpcSettings(attempts=2)


@dataclass(frozen=True, slots=True)
class ProveOptions:
    """Which receipt: number `seq` of a logger's stream. Without `out` the proof is printed; with
    `wait` an output that is not on L1 yet is waited for.
    """

    l2_url: str
    logger: Address
    stream: int
    seq: int
    json: bool
    out: Path | None = None
    wait: bool = False


async def run_prove(options: ProveOptions) -> int:
    """Ask for the proof and check it as far as that goes without L1; 0 once it is there.

    TemporaryError with the node's words if it has none (yet); OperationRefused if it lies.
    """
    answer = await _ask(options, SystemClock())
    try:
        proof = parse_proof(answer)
        shown = check_proof(proof)
    except InvalidInput as error:
        raise OperationRefused(f"{options.l2_url} has sent a proof that is none: {error}") from None
    asked = options.logger, options.stream, options.seq
    if (proof.logger, proof.stream, proof.seq) != asked:
        raise OperationRefused(f"{options.l2_url} has proven another receipt than the one asked of")
    content = encode_proof(proof)
    if options.out is None:
        # Without a newline: the file has exactly one form.
        sys.stdout.write(content.decode())
    else:
        write_whole(options.out, content)
        sys.stdout.write(_summary(options, options.out, proof, shown, len(content)) + "\n")
    sys.stdout.flush()
    return 0


async def _ask(options: ProveOptions, clock: Clock) -> Json:
    receipt = "0x" + options.logger.hex(), hex(options.stream), hex(options.seq)
    async with AsyncExitStack() as stack:
        rpc = JsonRpc(options.l2_url, _PATIENCE)
        stack.push_async_callback(rpc.close)
        is_told = False
        while True:
            try:
                return await rpc.call("attribution_getProof", *receipt)
            except RpcFault as fault:
                is_due = isinstance(fault.data, dict) and "outputIndex" in fault.data
                if not (options.wait and is_due):
                    raise
                if not is_told:
                    _log.info("waiting: %s", fault.message)
                is_told = True
            await clock.sleep_until(clock.now() + _POLL_INTERVAL_S)


def _summary(
    options: ProveOptions, out: Path, proof: ReceiptProof, shown: ProvenReceipt, size: int
) -> str:
    if options.json:
        return orjson.dumps(
            {
                "event": "proven",
                "file": str(out),
                "bytes": size,
                "block": shown.block.number,
                "outputIndex": proof.output_index,
                "outputBlock": shown.output_block.number,
            }
        ).decode()
    return (
        f"{out}: {size:,} bytes show receipt {proof.seq} of stream {proof.stream:#x} of "
        f"{checksum_address(proof.logger)} in L2 block {shown.block.number}, if output "
        f"{proof.output_index} of {checksum_address(proof.l2_output_oracle)} on L1 chain "
        f"{proof.l1_chain_id} is that of block {shown.output_block.number}: check with "
        "`openrollup attribution verify`"
    )

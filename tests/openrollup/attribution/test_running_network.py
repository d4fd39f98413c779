"""A network that lives and prunes: its verifier proves a receipt, strangers and L1 check it."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from attribution.batch_search import find_batch
from attribution.calldata import encode_append
from attribution.proof_builder import Output, build_proof
from attribution.proof_check import check_proof
from attribution.receipt_proof import ReceiptProof, encode_proof, parse_proof
from attribution.verifier_call import decode_verified, encode_verify
from consensus.l1.json_rpc import RpcFault
from node.errors import PrunedHistory
from node.reader import Reader
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import checksum_address
from tests.openrollup.attribution.proving import STREAM, record
from tests.openrollup.network import ALICE, Running, ask, running, sign

KEPT_BLOCKS = 20


async def test_from_an_append_to_its_proof_on_l1_and_after_pruning(tmp_path: Path) -> None:
    async with running(kept_blocks=KEPT_BLOCKS) as net:
        records = [record(number) for number in range(10)]
        block = await net.included(
            sign(ALICE, 901, 0, ATTRIBUTION_ADDRESS, encode_append(STREAM, 0, records))
        )
        proof = await first_proof(net, 7)
        shown = check_proof(proof)
        assert (shown.block.number, shown.record) == (block, records[7])

        await stranger_believes(net, proof, tmp_path / "proof.json")
        verifier = net.network.rollup.contracts.attribution_verifier
        assert verifier is not None
        answer = await net.network.l1.client.call(verifier, encode_verify(proof))
        assert decode_verified(answer).record == records[7]

        reader = net.network.verifier.node.reader
        await net.until(lambda: reader.first_kept() > shown.output_block.number)
        assert await proof_of(net, 7) == proof
        assert proof_of_store(net, proof) == proof
        other = check_proof(await proof_of(net, 0))
        assert other.record == records[0]


async def first_proof(net: Running, seq: int) -> ReceiptProof:
    """Ask the verifier as its chain grows, until an output covers the receipt."""
    reader = net.network.verifier.node.reader
    while True:
        head = reader.heads().safe
        try:
            return await proof_of(net, seq)
        except RpcFault as fault:
            assert any(
                words in fault.message
                for words in ("no such receipt", "no output yet", "has not come yet")
            )
            await net.until(lambda head=head: reader.heads().safe != head)  # type: ignore[misc]


async def proof_of(net: Running, seq: int) -> ReceiptProof:
    logger = "0x" + ALICE.address.hex()
    url = net.network.verifier.url
    return parse_proof(await ask(url, "attribution_getProof", logger, hex(STREAM), hex(seq)))


def proof_of_store(net: Running, proof: ReceiptProof) -> ReceiptProof:
    """What the verifier's store gives, to a reader that remembers nothing."""
    node = net.network.verifier.node
    reader = Reader(node.database, node.genesis.config)
    place = find_batch(reader, proof.logger, proof.stream, proof.seq)
    assert place is not None
    with pytest.raises(PrunedHistory):
        reader.block_by_number(place.block)
    block = check_proof(proof).output_block.number
    output = Output(proof.l1_chain_id, proof.l2_output_oracle, proof.output_index, block)
    return build_proof(reader, place, proof.seq, output)


async def stranger_believes(net: Running, proof: ReceiptProof, path: Path) -> None:
    """A process that has the file and L1's URL, nothing else."""
    await asyncio.to_thread(path.write_bytes, encode_proof(proof))
    oracle = checksum_address(net.network.rollup.contracts.l2_output_oracle)
    arguments = ("attribution", "verify", str(path), "--l1", net.l1.url, "--oracle", oracle)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "openrollup", *arguments, "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, told = await process.communicate()
    assert process.returncode == 0, told
    assert not told
    verdict: Any = json.loads(output)
    assert verdict["seq"] == hex(proof.seq)

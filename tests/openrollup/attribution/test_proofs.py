"""From an append to a proof that is checked by L1 alone: node, RPC and commands."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attribution.proof_check import check_proof
from attribution.receipt_proof import encode_proof, parse_proof, proof_to_json
from attribution.verifier_call import decode_verified, encode_verify
from consensus.l1.json_rpc import RpcFault
from node.errors import ConfigError, OperationRefused
from node.json_file import write_json
from node.types.primitives import checksum_address
from openrollup.attribution.prove import ProveOptions, run_prove
from openrollup.attribution.verify import VerifyOptions, run_verify
from tests.consensus.passing_time import JumpingClock
from tests.consensus.proposer.scene import WRONG
from tests.openrollup.attribution.proving import LOGGER, PREIMAGE, STREAM, Proving, new_proving
from tests.openrollup.network import ask


@pytest.fixture
async def proving(tmp_path: Path) -> AsyncIterator[Proving]:
    async with new_proving(tmp_path / "image") as proving:
        yield proving


async def test_who_asks_too_early_is_told_when(proving: Proving) -> None:
    await proving.scene.make_safe(0)
    with pytest.raises(RpcFault, match=r"no such receipt .*below 5.*got 5"):
        await proving.ask(5)
    with pytest.raises(RpcFault, match="no output yet: block 1 is covered by output 0, of") as due:
        await proving.ask(0)
    genesis = proving.scene.nodes.rollup.genesis
    assert due.value.data == {
        "block": "0x1",
        "outputIndex": "0x0",
        "outputBlock": "0xa",
        "notBefore": hex(genesis.timestamp + 10),
    }


async def test_each_receipt_is_proven_by_a_verifier(proving: Proving) -> None:
    await proving.fill_to(10)
    await proving.post_output()
    for seq in range(5):
        proof = await proving.proof(seq)
        assert proof.output_index == 0
        verdict: Any = await ask(
            proving.verifier_url, "attribution_verifyProof", proof_to_json(proof)
        )
        assert verdict["valid"]
        assert verdict["seq"] == hex(seq)
        assert verdict["block"]["number"] == ("0x1" if seq < 3 else "0x2")
        assert verdict["influences"][1] == {"dataset": hex(seq + 4), "weight": hex(500)}
        assert not verdict["output"]["isFinal"]
    await proving.l1_finalizes()
    for _ in range(2):  # read, and remembered
        verdict = await ask(proving.verifier_url, "attribution_verifyProof", proof_to_json(proof))
        assert verdict["output"]["isFinal"]


async def test_the_output_of_the_same_block(proving: Proving) -> None:
    await proving.fill_to(9)
    assert await proving.append(1) == 10
    await proving.post_output()
    proof = await proving.proof(5)
    assert len(proof.headers) == 1
    assert proof.history == ()


async def test_nothing_is_proven_under_a_wrong_output(proving: Proving) -> None:
    await proving.fill_to(20)
    await proving.scene.make_safe(0)
    await proving.scene.propose_by_hand(10, WRONG)
    with pytest.raises(RpcFault, match=r"output 0 on L1, of block 10, is 0x.*nothing is proven"):
        await proving.ask(0)
    challenger = proving.scene.challenger()
    judgement = await challenger.judge()
    assert judgement.wrong is not None
    await proving.scene.mining(challenger.delete(judgement.wrong))
    with pytest.raises(RpcFault, match="no output yet"):
        await proving.ask(0)
    await proving.post_output()
    assert (await proving.proof(0)).output_index == 0


async def test_the_commands(
    proving: Proving, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await proving.fill_to(10)
    await proving.post_output()
    out = tmp_path / "proof.json"
    prove = ProveOptions(proving.verifier_url, LOGGER.address, STREAM, 0, False, out)
    assert await run_prove(prove) == 0
    assert "show receipt 0 of stream 0x5eed" in capsys.readouterr().out
    assert out.read_bytes() == encode_proof(await proving.proof(0))

    oracle = proving.scene.oracle.address
    preimage = tmp_path / "preimage.json"
    write_json(preimage, PREIMAGE)
    verify = VerifyOptions(out, proving.scene.l1.url, False, oracle, preimage)
    assert await run_verify(verify) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.startswith("true: receipt 0 of stream 0x5eed of ")
    assert "dataset 3 20.50 %, dataset 4 5 %, unattributed 74.50 %" in told.out
    assert "weights by span" in told.out
    assert "not yet: the output may be deleted until" in told.out
    assert checksum_address(proving.scene.proposer_account.address) in told.out

    await proving.l1_finalizes()
    assert await run_verify(VerifyOptions(out, proving.scene.l1.url, json=True)) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["output"]["isFinal"]
    assert "is the proof's own word" in told.err


async def test_an_output_is_waited_for(
    proving: Proving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openrollup.attribution.prove.SystemClock", JumpingClock)
    await proving.fill_to(10)
    await proving.scene.make_safe(0)
    out = tmp_path / "proof.json"
    prove = ProveOptions(proving.verifier_url, LOGGER.address, STREAM, 0, False, out)
    with pytest.raises(RpcFault, match="no output yet"):
        await run_prove(prove)
    waiting = asyncio.ensure_future(run_prove(replace(prove, wait=True)))
    await proving.post_output()
    assert await waiting == 0
    with pytest.raises(RpcFault, match="no such receipt"):
        await run_prove(replace(prove, seq=9, wait=True))


async def test_what_is_false_is_said_in_one_line(
    proving: Proving, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await proving.fill_to(10)
    await proving.post_output()
    out, url = tmp_path / "proof.json", proving.scene.l1.url
    proof = await proving.write_proof(1, out)
    fields = proof_to_json(proof)

    async def reason(**changed: Any) -> str:
        out.write_bytes(encode_proof(parse_proof({**fields, **changed})))
        assert await run_verify(VerifyOptions(out, url, False, proof.l2_output_oracle)) == 1
        text = capsys.readouterr().out
        assert text.startswith("false: ")
        assert text.count("\n") == 1
        return text

    assert "l1ChainId: the proof is for chain 1" in await reason(l1ChainId="0x1")
    assert "l2OutputOracle: expected" in await reason(l2OutputOracle="0x" + "00" * 20)
    assert "there is no output 9" in await reason(outputIndex="0x9")
    assert "batchPath" in await reason(seq="0x2")
    assert "headers" in await reason(headers=[])
    write_json(tmp_path / "p.json", PREIMAGE)
    out.write_bytes(encode_proof(proof))
    assert await run_verify(VerifyOptions(out, url, True, None, tmp_path / "p.json")) == 1
    assert "--preimage" in json.loads(capsys.readouterr().out)["reason"]
    # A contract that is no oracle, named by nobody but the proof.
    other = "0x" + proving.scene.nodes.rollup.contracts.open_token.hex()
    out.write_bytes(encode_proof(parse_proof({**fields, "l2OutputOracle": other})))
    assert await run_verify(VerifyOptions(out, url, json=False)) == 1
    assert "is no output oracle" in capsys.readouterr().out


async def test_bad_files(proving: Proving, tmp_path: Path) -> None:
    out = tmp_path / "proof.json"
    out.write_text("{}")
    with pytest.raises(ConfigError, match="no proof of a receipt: proof: version is missing"):
        await run_verify(VerifyOptions(out, "http://127.0.0.1:1", json=False))
    with pytest.raises(FileNotFoundError):
        await run_verify(VerifyOptions(tmp_path / "none", "http://127.0.0.1:1", json=False))


async def test_a_stranger_with_nothing_but_l1(proving: Proving, tmp_path: Path) -> None:
    """The command as a process of its own."""
    await proving.fill_to(10)
    await proving.post_output()
    out = tmp_path / "proof.json"
    await proving.write_proof(4, out)
    arguments = ("attribution", "verify", str(out), "--l1", proving.scene.l1.url, "--json")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "openrollup",
        *arguments,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, told = await process.communicate()
    assert process.returncode == 0, told
    assert json.loads(output)["seq"] == "0x4"


async def test_a_node_that_lies_is_found_out(
    proving: Proving, monkeypatch: pytest.MonkeyPatch
) -> None:
    await proving.fill_to(10)
    await proving.post_output()
    honest = proof_to_json(await proving.proof(1))

    async def lie(self: object, method: str, *params: object) -> object:
        return {**honest, "record": "0x00"} if params[2] == "0x0" else honest

    monkeypatch.setattr("consensus.l1.json_rpc.JsonRpc.call", lie)
    url = proving.verifier_url
    for seq, words in ((0, "a proof that is none"), (2, "another receipt")):
        with pytest.raises(OperationRefused, match=words):
            await run_prove(ProveOptions(url, LOGGER.address, STREAM, seq, json=False))


async def test_any_changed_byte_is_refused(
    proving: Proving, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even if nobody says which oracle is the right one. (Steps to later blocks are left out here:
    they make it long. `tests/attribution/test_receipt_proof.py` has them.)
    """
    await proving.fill_to(9)
    await proving.append(3)
    await proving.post_output()
    out = tmp_path / "proof.json"
    raw = encode_proof(await proving.write_proof(6, out))
    options = VerifyOptions(out, proving.scene.l1.url, json=False)
    assert await run_verify(options) == 0
    for place in range(len(raw)):
        out.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        try:
            code = await run_verify(options)
        except ConfigError:
            code = 2
        assert code in (1, 2), place
        capsys.readouterr()


async def test_an_output_that_is_deleted_and_proposed_again(
    proving: Proving, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await proving.fill_to(10)
    await proving.post_output()
    out, scene = tmp_path / "proof.json", proving.scene
    proof = await proving.write_proof(1, out)
    verifier = scene.nodes.rollup.contracts.attribution_verifier
    assert verifier is not None
    call = encode_verify(proof)
    assert decode_verified(await scene.l1.call(verifier, call)).record == check_proof(proof).record

    challenger = scene.sender(scene.challenger_account)
    request = await scene.oracle.deletion(scene.challenger_account.address, 0)
    assert (await scene.mining(challenger.send(request))).status == 1
    options = VerifyOptions(out, scene.l1.url, False, scene.oracle.address)
    assert await run_verify(options) == 1
    assert "there is no output 0 on L1 (any more)" in capsys.readouterr().out
    verdict: Any = await ask(proving.verifier_url, "attribution_verifyProof", proof_to_json(proof))
    assert verdict == {"valid": False, "reason": verdict["reason"]}
    with pytest.raises(RpcFault):
        await scene.l1.call(verifier, call)
    with pytest.raises(RpcFault, match="no output yet"):
        await proving.ask(1)

    await proving.post_output()
    assert await proving.proof(1) == proof
    assert await run_verify(options) == 0
    assert decode_verified(await scene.l1.call(verifier, call)).block.number == 1

"""Is a step of a deployment done on L1, and is it the one that was planned?"""

from eth_abi.abi import encode as abi_encode

from consensus.deploy.plan import Creation, Step, Transfer
from consensus.l1.client import L1Client
from node.types.primitives import keccak256

_BALANCE = keccak256(b"balanceOf(address)")[:4]


async def is_done(l1: L1Client, step: Step) -> bool:
    """Whether L1 holds what the step was to bring about; RpcFault, a TemporaryError, from L1."""
    if isinstance(step, Creation):
        return await _is_created(l1, step)
    return await _balance(l1, step) >= step.amount


async def _is_created(l1: L1Client, creation: Creation) -> bool:
    """Compare the code, and what it was created with as far as it tells."""
    artifact = creation.artifact
    if not artifact.is_deployed_as(await l1.code(creation.address)):
        return False
    getters = {
        (entry["name"], entry["outputs"][0]["type"])
        for entry in artifact.abi
        if entry["type"] == "function" and not entry["inputs"] and len(entry["outputs"]) == 1
    }
    for name, kind, value in creation.parameters():
        getter = name.rstrip("_")
        if (getter, kind) in getters:
            answer = await l1.call(creation.address, keccak256(f"{getter}()".encode())[:4])
            if answer != abi_encode((kind,), (value,)):
                return False
    return True


async def _balance(l1: L1Client, transfer: Transfer) -> int:
    question = _BALANCE + abi_encode(("address",), (transfer.receiver,))
    return int.from_bytes(await l1.call(transfer.token, question))
